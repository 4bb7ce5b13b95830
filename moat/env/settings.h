// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/env/dotenv.h"
#include "moat/env/problem.h"

namespace moat::env {

// File is what a reader found: bytes, and who else could have read or written them.
struct File {
  Secret text;
  std::uint32_t mode = 0777;  // permission bits; the default is refused for secrets
  bool own = false;           // belongs to this process's user or to root
};
enum class ReadRefusal { absent, unreadable, too_large, not_a_file };
std::string_view to_string(ReadRefusal refusal);
// Reader gives a file's content. It is the only way by which this room touches files.
using Reader = std::function<Result<File, ReadRefusal>(const std::string& path)>;

struct LoadOptions {
  // Files, the weakest first; later ones override earlier ones, the process environment all. One
  // that is absent is skipped, and named when a key is missing.
  std::vector<std::string> files = {".env"};
  // Expand $NAME in the files' values (see expand.h). Off, since it eats parts of passwords.
  bool expand_references = false;
  // Folders whose files may be readable by others, such as "/run/secrets" in a container.
  std::vector<std::string> allow_readable_below;
  // Secrets in files of any mode and owner.
  bool insecure_allow_any_mode = false;
};

// Why a file is no place for a secret, by its permission bits and owner; empty when it is one.
std::string exposure(std::uint32_t mode, bool own);

// A file's content without the line end that an editor puts behind it (one LF or CR LF).
std::string_view without_line_end(std::string_view text);

// The files that belong to `path`, the weakest first: .env, .env.local, and for a profile such as
// "production" .env.production and .env.production.local.
std::vector<std::string> layers(std::string_view path, std::string_view profile = {});

// Settings answers for keys. KEY may be given directly or as KEY_FILE, the path of a file that
// holds it (one newline at its end is dropped); both at once is refused. Each getter takes what
// counts when no source gives the key; a value that is there but malformed is always an error.
class Settings final {
 public:
  Settings(Settings&&) = default;
  Settings& operator=(Settings&&) = default;
  Settings(const Settings&) = delete;  // holds secrets
  Settings& operator=(const Settings&) = delete;

  // Any text. Values that are no secrets come from the strongest source.
  Result<std::string, Problem> text(std::string_view key,
                                    std::optional<std::string_view> otherwise = {}) const;
  // A decimal integer, both bounds inclusive.
  Result<std::int64_t, Problem> integer(std::string_view key, std::int64_t least, std::int64_t most,
                                        std::optional<std::int64_t> otherwise = {}) const;
  // true, false, yes, no, on, off, 1 or 0 in any case.
  Result<bool, Problem> boolean(std::string_view key, std::optional<bool> otherwise = {}) const;
  // "30s", "5m", "8h"; bounds inclusive.
  Result<std::chrono::milliseconds, Problem> duration(
      std::string_view key, std::chrono::milliseconds least, std::chrono::milliseconds most,
      std::optional<std::chrono::milliseconds> otherwise = {}) const;
  // "16KiB", "2MiB"; bounds inclusive.
  Result<std::uint64_t, Problem> size(std::string_view key, std::uint64_t least, std::uint64_t most,
                                      std::optional<std::uint64_t> otherwise = {}) const;
  // One of `choices`.
  Result<std::string, Problem> choice(std::string_view key,
                                      std::span<const std::string_view> choices,
                                      std::optional<std::string_view> otherwise = {}) const;
  // A key or password: given by exactly one source, in a file that only its owner may read (or the
  // process environment), and strong (see strength.h). There is no default for a secret.
  Result<Secret, Problem> secret(std::string_view key, std::size_t min_bytes = 32) const;
  // A secret that somebody else chose, such as a database password: everything but its strength.
  Result<Secret, Problem> foreign_secret(std::string_view key) const;

  bool has(std::string_view key) const;
  // Where the value of `key` comes from.
  std::optional<Place> place(std::string_view key) const;
  // Every key of the files (not of the process environment), once, in order: to find the ones that
  // nobody asks for.
  std::vector<std::string> keys() const;

 private:
  friend Result<Settings, Problem> load(const LoadOptions&, Environment, Reader);
  Settings() = default;
  struct Found {
    Place place;
    Secret value;
    std::uint32_t mode = 0;
    bool own = true;
  };
  enum class Use { plain, secret };
  const std::vector<Found>* sources(std::string_view key) const;
  Result<Found, Problem> find(std::string_view key, Use use) const;
  Result<Found, Problem> read(std::string_view key, const Found& path) const;
  Result<void, Problem> check_exposure(std::string_view key, const Found& found) const;
  // Text of UTF-8 without NUL; nullopt when no source gives the key and `optional` is set.
  Result<std::optional<Found>, Problem> find_text(std::string_view key, bool has_default) const;
  Result<void, Problem> add(const std::string& path, const Environment& process);
  Problem missing(std::string_view key) const;

  // The strongest source first.
  std::map<std::string, std::vector<Found>, std::less<>> values_;
  std::vector<std::string> file_keys_;
  std::vector<std::string> absent_;
  LoadOptions options_;
  Reader reader_;
};

// load reads the files through `reader` and puts `process` above them. A line that the dialect
// would drop or cut is an error here, with its place.
[[nodiscard]] Result<Settings, Problem> load(const LoadOptions& options, Environment process,
                                             Reader reader);

}  // namespace moat::env
