// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/directory_storage.h"

#include <chrono>

#include "moat/certs/internal/files.h"

namespace moat::certs {

namespace {

// Reading and writing take milliseconds. Longer holds it who was halted in between, and neither the
// start nor the end of a process may wait for that.
constexpr std::chrono::milliseconds patience{3'000};

// A directory of its own, whose lock nobody needs for reading and writing.
class DirectoryLock final : public acme::Storage::Lock {
 public:
  explicit DirectoryLock(PrivateDirectory held) : held_(std::move(held)) {}

 private:
  PrivateDirectory held_;
};

}  // namespace

Result<std::optional<Secret>, std::string> DirectoryStorage::read(const std::string& name) const {
  const auto directory = PrivateDirectory::open(directory_, patience);
  if (!directory) return Error{directory.error().message};
  auto content = directory->read(name);
  if (!content) return Error{content.error().message};
  return std::move(*content);
}

Result<void, std::string> DirectoryStorage::write(const std::string& name, const Secret& content) {
  if (content.size() > max_bytes) return Error{name + " is too large to be kept"};
  const auto directory = PrivateDirectory::open(directory_, patience);
  if (!directory) return Error{directory.error().message};
  auto done = directory->write(name, content.reveal());
  if (done) done = directory->sync();
  if (!done) return Error{done.error().message};
  return {};
}

Result<std::unique_ptr<acme::Storage::Lock>, std::string> DirectoryStorage::try_lock() {
  {
    // The one above is made, and checked, too.
    const auto above = PrivateDirectory::open(directory_, patience);
    if (!above) return Error{above.error().message};
  }
  auto held = PrivateDirectory::try_open(directory_ / "order");
  if (!held) return Error{held.error().message};
  if (!*held) return std::unique_ptr<Lock>();
  return std::unique_ptr<Lock>(new DirectoryLock(std::move(**held)));
}

}  // namespace moat::certs
