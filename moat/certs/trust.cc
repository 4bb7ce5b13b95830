// SPDX-License-Identifier: Apache-2.0
#include "moat/certs/trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "moat/certs/internal/command.h"
#include "moat/certs/internal/files.h"
#include "moat/https/local_ca.h"

namespace moat::certs {
namespace {

namespace fs = std::filesystem;
using Outcome = TrustStep::Outcome;

struct Root {
  fs::path path;
  std::string pem;
  std::string fingerprint;
  // The same on every run, so that what was added is found again.
  std::string nickname() const { return "Moat local CA " + fingerprint.substr(0, 16); }
  std::string file_name() const { return "moat-local-ca-" + fingerprint.substr(0, 16) + ".crt"; }
};

Result<Root, FileError> read_root(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return Error{io_error(path, "cannot open", errno)};
  MOAT_TRY(const Secret content, read_checked(file, path, {0022, true}));
  Root root{path, std::string(content.reveal()), https::certificate_fingerprint(content.reveal())};
  if (!https::is_constrained_root(root.pem))
    return Error{FileError{FileError::Kind::invalid, path.string(),
                           path.string() +
                               " is not a root certificate with narrow, critical name constraints: "
                               "to trust it would be to trust it for every site"}};
  return root;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
  return line;
}

std::string failure_of(const std::vector<std::string>& words, const CommandResult& result) {
  std::string reason = joined(words);
  reason += result.status < 0 ? " did not run" : " ended with " + std::to_string(result.status);
  std::string output = result.output.substr(0, 400);
  for (char& c : output)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return output.empty() ? reason : reason + ": " + output;
}

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Written beside and renamed, so that no half of a file is ever read as an anchor.
bool install(const fs::path& target, const std::string& content) {
  const fs::path temporary = target.string() + ".new";
  ::unlink(temporary.c_str());
  {
    const Descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file || ::fchmod(file.get(), 0644) != 0) return false;
    const ssize_t put = ::write(file.get(), content.data(), content.size());
    if (put != static_cast<ssize_t>(content.size()) || ::fsync(file.get()) != 0) return false;
  }
  return ::rename(temporary.c_str(), target.c_str()) == 0;
}

TrustStep run_step(std::string what, const std::vector<std::string>& words) {
  const CommandResult result = run_command(words);
  if (result.ok()) return {Outcome::done, std::move(what), {}};
  return {Outcome::failed, std::move(what), failure_of(words, result)};
}

constexpr char system_store[] = "system trust store";

TrustStep trust_system(const Root& root, const TrustTargets& targets) {
  const fs::path target = targets.anchors / root.file_name();
  if (content_of(target) == root.pem) return {Outcome::already, system_store, {}};
  if (::access(targets.anchors.c_str(), W_OK) != 0)
    return {Outcome::by_hand, system_store,
            "sudo install -m 0644 " + shell_word(root.path.string()) + " " +
                shell_word(target.string()) + " && sudo " + joined(targets.update_command)};
  if (!install(target, root.pem))
    return {Outcome::failed, system_store, "cannot write " + target.string()};
  TrustStep step = run_step(system_store, targets.update_command);
  // Else the next run would find the file, and say that all is done.
  if (step.outcome == Outcome::failed) ::unlink(target.c_str());
  return step;
}

TrustStep untrust_system(const Root& root, const TrustTargets& targets) {
  const fs::path target = targets.anchors / root.file_name();
  std::error_code error;
  if (!fs::exists(target, error)) return {Outcome::already, system_store, {}};
  if (::access(targets.anchors.c_str(), W_OK) != 0)
    return {
        Outcome::by_hand, system_store,
        "sudo rm " + shell_word(target.string()) + " && sudo " + joined(targets.refresh_command)};
  if (::unlink(target.c_str()) != 0)
    return {Outcome::failed, system_store, "cannot remove " + target.string()};
  return run_step(system_store, targets.refresh_command);
}

TrustStep elsewhere(const Root& root) {
  return {Outcome::by_hand, "other trust stores",
          "macOS: sudo security add-trusted-cert -d -r trustRoot -k "
          "/Library/Keychains/System.keychain " +
              shell_word(root.path.string()) + "; Windows: certutil -addstore -user Root " +
              shell_word(root.path.string())};
}

std::string what_of(const fs::path& database) { return "browser database " + database.string(); }

// As root in another user's home, files would change hands, or a link there lead us astray.
bool is_own(const fs::path& database) {
  struct stat status {};
  return ::stat(database.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

std::vector<std::string> certutil_words(const TrustTargets& targets, const fs::path& database,
                                        const char* action, const Root& root) {
  return {targets.certutil.string(),  action, "-d",
          "sql:" + database.string(), "-n",   root.nickname()};
}

TrustStep change_browser(const Root& root, const TrustTargets& targets, const fs::path& database,
                         bool trust) {
  if (targets.certutil.empty())
    return {
        Outcome::by_hand, what_of(database),
        "install certutil (libnss3-tools on Debian, nss-tools on Fedora) and run this again, or "
        "import " +
            root.path.string() + " in the browser's settings, under certificates"};
  if (!is_own(database))
    return {Outcome::by_hand, what_of(database), "run this again as the user whom it belongs to"};
  const bool there = run_command(certutil_words(targets, database, "-L", root)).ok();
  if (there == trust) return {Outcome::already, what_of(database), {}};
  if (!trust) return run_step(what_of(database), certutil_words(targets, database, "-D", root));
  std::vector<std::string> words = certutil_words(targets, database, "-A", root);
  // Trusted to sign servers' certificates, not mail nor code.
  for (const char* const word : {"-t", "C,,", "-i"}) words.emplace_back(word);
  words.push_back(root.path.string());
  return run_step(what_of(database), words);
}

}  // namespace

Result<std::vector<TrustStep>, FileError> trust_root(const fs::path& root,
                                                     const TrustTargets& targets) {
  MOAT_TRY(const Root read, read_root(fs::absolute(root)));
  std::vector<TrustStep> steps;
  if (!targets.anchors.empty()) steps.push_back(trust_system(read, targets));
  for (const fs::path& database : targets.nss_databases)
    steps.push_back(change_browser(read, targets, database, true));
  if (targets.anchors.empty() || targets.windows_beside) steps.push_back(elsewhere(read));
  return steps;
}

Result<std::vector<TrustStep>, FileError> untrust_root(const fs::path& root,
                                                       const TrustTargets& targets) {
  MOAT_TRY(const Root read, read_root(fs::absolute(root)));
  std::vector<TrustStep> steps;
  if (!targets.anchors.empty()) steps.push_back(untrust_system(read, targets));
  for (const fs::path& database : targets.nss_databases)
    steps.push_back(change_browser(read, targets, database, false));
  return steps;
}

}  // namespace moat::certs
