// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace moat::cli {

namespace {

std::string reason(const std::string& what) { return what + ": " + std::strerror(errno); }

struct Ids {
  uid_t user = 0;
  gid_t group = 0;
};

Result<Ids, std::string> ids_of(const std::string& user, const std::string& group) {
  errno = 0;
  const passwd* found = ::getpwnam(user.c_str());
  if (found == nullptr) return Error{"server.user: there is no user '" + user + "'"};
  Ids ids{found->pw_uid, found->pw_gid};
  if (!group.empty()) {
    const ::group* named = ::getgrnam(group.c_str());
    if (named == nullptr) return Error{"server.group: there is no group '" + group + "'"};
    ids.group = named->gr_gid;
  }
  if (ids.user == 0) return Error{"server.user: '" + user + "' is root itself"};
  return ids;
}

}  // namespace

Result<void, std::string> become(const std::string& user, const std::string& group) {
  const auto ids = ids_of(user, group);
  if (!ids) return Error{ids.error()};
  if (::geteuid() == ids->user && ::getuid() == ids->user) return {};
  if (::geteuid() != 0) return Error{"server.user: only root can become '" + user + "'"};
  if (::setgroups(1, &ids->group) != 0 || ::setresgid(ids->group, ids->group, ids->group) != 0 ||
      ::setresuid(ids->user, ids->user, ids->user) != 0)
    return Error{reason("server.user: cannot become '" + user + "'")};
  uid_t real = 0;
  uid_t effective = 0;
  uid_t saved = 0;
  gid_t group_real = 0;
  gid_t group_effective = 0;
  gid_t group_saved = 0;
  const bool known = ::getresuid(&real, &effective, &saved) == 0 &&
                     ::getresgid(&group_real, &group_effective, &group_saved) == 0;
  const bool gone = known && real == ids->user && effective == ids->user && saved == ids->user &&
                    group_real == ids->group && group_effective == ids->group &&
                    group_saved == ids->group;
  if (!gone || ::setresuid(0, 0, 0) == 0 || ::seteuid(0) == 0)
    return Error{std::string("server.user: root's rights could not be given up")};
  keep_memory_private();  // a change of user may have undone it
  return {};
}

Result<void, std::string> make_directory_for(const std::string& path, const std::string& user,
                                             const std::string& group) {
  struct stat info {};
  if (::geteuid() != 0 || ::lstat(path.c_str(), &info) == 0) return {};
  const auto ids = ids_of(user, group);
  if (!ids) return Error{ids.error()};
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (::mkdir(path.c_str(), 0700) != 0) return Error{reason("cannot make the directory " + path)};
  if (::lchown(path.c_str(), ids->user, ids->group) != 0)
    return Error{reason("cannot give " + path + " to '" + user + "'")};
  return {};
}

void forbid_new_privileges() { ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

Result<void, std::string> drop_capabilities() {
  if (::geteuid() == 0) return {};
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2]{};
  if (::syscall(SYS_capset, &header, none) != 0)
    return Error{reason("cannot give up capabilities")};
  return {};
}

void keep_memory_private() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace moat::cli
