// SPDX-License-Identifier: Apache-2.0
#include "moat/cli/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <system_error>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MOAT_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MOAT_SANITIZED 1
#endif

namespace moat::cli {

namespace {

std::string reason(const std::string& what) { return what + ": " + std::strerror(errno); }

// Newer than the headers of Debian 12 (linux/landlock.h of 6.10 and 6.12).
constexpr std::uint64_t fs_truncate = 1ULL << 14;
constexpr std::uint64_t fs_ioctl_device = 1ULL << 15;
constexpr std::uint64_t scope_abstract_socket = 1ULL << 0;
constexpr std::uint64_t scope_signal = 1ULL << 1;
struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

constexpr std::uint64_t fs_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// No devices, pipes or links are made in the data directory.
constexpr std::uint64_t fs_write = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                                   LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                   LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                   LANDLOCK_ACCESS_FS_REFER | fs_truncate;

// All that this version of the interface can forbid, execution included.
std::uint64_t handled(int version) {
  std::uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (version >= 2) all |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) all |= fs_truncate;
  if (version >= 5) all |= fs_ioctl_device;
  return all;
}

int landlock_version() {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

struct Closing {
  int fd;
  ~Closing() {
    if (fd >= 0) ::close(fd);
  }
};

Result<void, std::string> allow(int ruleset, const std::string& path, std::uint64_t rights) {
  const Closing place{::open(path.c_str(), O_PATH | O_CLOEXEC)};
  if (place.fd < 0 && (errno == ENOENT || errno == EACCES || errno == ENOTDIR)) return {};
  struct stat info {};
  if (place.fd < 0 || ::fstat(place.fd, &info) != 0) return Error{reason("cannot open " + path)};
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  if (!S_ISDIR(info.st_mode)) {
    rule.allowed_access &=
        LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | fs_truncate;
  }
  rule.parent_fd = place.fd;
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return Error{reason("landlock_add_rule for " + path)};
  return {};
}

std::string parent_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  return parent == path.root_path() ? path.string() : parent.string();
}

}  // namespace

SandboxSupport sandbox_support() {
  SandboxSupport support;
  support.landlock = landlock_version();
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  support.seccomp = ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
#ifdef MOAT_SANITIZED
  support.sanitizer = true;
#endif
  return support;
}

std::string describe(const SandboxSupport& support) {
  if (support.sanitizer) return "open: a build with a sanitizer";
  return (support.landlock > 0 ? "files by Landlock " + std::to_string(support.landlock)
                               : std::string("no Landlock in this kernel")) +
         (support.seccomp ? ", system calls by seccomp" : ", no seccomp in this kernel");
}

std::vector<std::string> directories_of(const std::vector<std::string>& files) {
  std::vector<std::string> out;
  for (const std::string& file : files) {
    std::error_code error;
    if (!std::filesystem::exists(file, error)) continue;
    out.push_back(parent_of(std::filesystem::absolute(file, error)));
    const std::filesystem::path target = std::filesystem::canonical(file, error);
    if (!error) out.push_back(parent_of(target));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> system_files() {
  std::vector<std::string> files{"/etc/ssl",
                                 "/usr/share/ca-certificates",
                                 "/usr/local/share/ca-certificates",
                                 "/etc/pki",
                                 "/etc/hosts",
                                 "/etc/nsswitch.conf",
                                 "/etc/host.conf",
                                 "/etc/gai.conf",
                                 "/etc/services",
                                 "/etc/localtime",
                                 "/usr/share/zoneinfo",
                                 "/etc/ld.so.cache",
                                 "/lib",
                                 "/lib64",
                                 "/usr/lib",
                                 "/usr/lib64",
                                 "/usr/local/lib",
                                 "/dev/urandom",
                                 "/dev/random",
                                 "/etc/resolv.conf",
                                 "/run/systemd/resolve"};
  // A resolver's own directory, where it replaces the file.
  std::error_code error;
  const std::filesystem::path resolver = std::filesystem::canonical("/etc/resolv.conf", error);
  if (!error && resolver.parent_path() != "/etc") files.push_back(resolver.parent_path());
  return files;
}

Result<void, std::string> restrict_files(const SandboxFiles& files) {
  const int version = landlock_version();
  RulesetAttributes attributes;
  attributes.files = handled(version);
  std::size_t size = sizeof attributes.files;
  if (version >= 4) size = 2 * sizeof attributes.files;
  if (version >= 6) {
    attributes.scoped = scope_abstract_socket | scope_signal;
    size = sizeof attributes;
  }
  const Closing ruleset{
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size, 0))};
  if (ruleset.fd < 0) return Error{reason("landlock_create_ruleset")};
  for (const std::string& path : files.read_write) {
    auto allowed = allow(ruleset.fd, path, (fs_read | fs_write) & attributes.files);
    if (!allowed) return allowed;
  }
  for (const std::string& path : files.read_only) {
    auto allowed = allow(ruleset.fd, path, fs_read);
    if (!allowed) return allowed;
  }
  auto null = allow(ruleset.fd, "/dev/null", fs_read | LANDLOCK_ACCESS_FS_WRITE_FILE);
  if (!null) return null;
  if (::syscall(SYS_landlock_restrict_self, ruleset.fd, 0) != 0)
    return Error{reason("landlock_restrict_self")};
  return {};
}

// ------------------------------------------------------------------------------------ system calls

namespace {

// What a server needs: sockets, its files, threads, memory, time.
constexpr const char* allowed_calls[] = {"accept",
                                         "accept4",
                                         "access",
                                         "brk",
                                         "chmod",
                                         "clock_getres",
                                         "clock_gettime",
                                         "clock_nanosleep",
                                         "close",
                                         "close_range",
                                         "connect",
                                         "dup",
                                         "epoll_create1",
                                         "epoll_ctl",
                                         "epoll_pwait",
                                         "epoll_pwait2",
                                         "epoll_wait",
                                         "eventfd2",
                                         "exit",
                                         "exit_group",
                                         "faccessat",
                                         "faccessat2",
                                         "fadvise64",
                                         "fallocate",
                                         "fchmod",
                                         "fchmodat",
                                         "fchown",
                                         "fcntl",
                                         "fdatasync",
                                         "flock",
                                         "fstat",
                                         "fsync",
                                         "ftruncate",
                                         "futex",
                                         "futex_waitv",
                                         "getcwd",
                                         "getdents64",
                                         "getegid",
                                         "geteuid",
                                         "getgid",
                                         "getpeername",
                                         "getpid",
                                         "getppid",
                                         "getpriority",
                                         "getrandom",
                                         "getresgid",
                                         "getresuid",
                                         "getrlimit",
                                         "getrusage",
                                         "getsockname",
                                         "getsockopt",
                                         "gettid",
                                         "gettimeofday",
                                         "getuid",
                                         "io_uring_enter",
                                         "io_uring_register",
                                         "lseek",
                                         "lstat",
                                         "madvise",
                                         "membarrier",
                                         "mkdir",
                                         "mkdirat",
                                         "mlock",
                                         "mlock2",
                                         "mremap",
                                         "munlock",
                                         "munmap",
                                         "nanosleep",
                                         "newfstatat",
                                         "open",
                                         "openat",
                                         "pause",
                                         "pipe2",
                                         "poll",
                                         "ppoll",
                                         "pread64",
                                         "preadv",
                                         "pselect6",
                                         "pwrite64",
                                         "pwritev",
                                         "read",
                                         "readlink",
                                         "readlinkat",
                                         "readv",
                                         "recvfrom",
                                         "recvmmsg",
                                         "recvmsg",
                                         "rename",
                                         "renameat",
                                         "renameat2",
                                         "restart_syscall",
                                         "rmdir",
                                         "rseq",
                                         "rt_sigaction",
                                         "rt_sigpending",
                                         "rt_sigprocmask",
                                         "rt_sigreturn",
                                         "rt_sigsuspend",
                                         "rt_sigtimedwait",
                                         "sched_getaffinity",
                                         "sched_getparam",
                                         "sched_getscheduler",
                                         "sched_yield",
                                         "select",
                                         "sendmmsg",
                                         "sendmsg",
                                         "sendto",
                                         "set_robust_list",
                                         "set_tid_address",
                                         "setpriority",
                                         "setsockopt",
                                         "shutdown",
                                         "sigaltstack",
                                         "stat",
                                         "statfs",
                                         "fstatfs",
                                         "statx",
                                         "sysinfo",
                                         "time",
                                         "timerfd_create",
                                         "timerfd_gettime",
                                         "timerfd_settime",
                                         "times",
                                         "umask",
                                         "uname",
                                         "unlink",
                                         "unlinkat",
                                         "utimensat",
                                         "wait4",
                                         "waitid",
                                         "write",
                                         "writev"};

// What no part of Moat or its libraries ever tries.
constexpr const char* fatal_calls[] = {"add_key",
                                       "bpf",
                                       "chroot",
                                       "delete_module",
                                       "execve",
                                       "execveat",
                                       "finit_module",
                                       "fsconfig",
                                       "fsmount",
                                       "fsopen",
                                       "init_module",
                                       "kexec_file_load",
                                       "kexec_load",
                                       "keyctl",
                                       "mount",
                                       "mount_setattr",
                                       "move_mount",
                                       "open_tree",
                                       "perf_event_open",
                                       "pidfd_getfd",
                                       "pivot_root",
                                       "process_vm_readv",
                                       "process_vm_writev",
                                       "ptrace",
                                       "reboot",
                                       "request_key",
                                       "setns",
                                       "swapon",
                                       "umount2",
                                       "unshare",
                                       "userfaultfd"};

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

class Filter final {
 public:
  explicit Filter(std::uint32_t otherwise) : filter_(::seccomp_init(otherwise)) {
    if (filter_ == nullptr) error_ = -ENOMEM;
  }
  // A call that this machine or this version of the library does not know needs no rule.
  void add(std::uint32_t action, const char* name,
           std::initializer_list<scmp_arg_cmp> arguments = {}) {
    const int number = ::seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0 || error_ != 0) return;
    error_ = ::seccomp_rule_add_array(filter_.get(), action, number,
                                      static_cast<unsigned>(arguments.size()), arguments.begin());
  }
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (error_ == 0) error_ = ::seccomp_attr_set(filter_.get(), attribute, value);
  }
  int load() { return error_ != 0 ? error_ : ::seccomp_load(filter_.get()); }

 private:
  std::unique_ptr<void, Release> filter_;
  int error_ = 0;
};

// The bits of `mask` are those of `value`.
scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return scmp_arg_cmp{argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// An int: the upper half of its register is anything.
scmp_arg_cmp equals(unsigned argument, int value) {
  return masked(argument, 0xffffffff, static_cast<std::uint32_t>(value));
}

}  // namespace

Result<void, std::string> restrict_calls() {
  Filter filter(SCMP_ACT_ERRNO(EPERM));
  filter.set(SCMP_FLTATR_CTL_TSYNC, 1);
  for (const char* name : allowed_calls) filter.add(SCMP_ACT_ALLOW, name);
  for (const char* name : fatal_calls) filter.add(SCMP_ACT_KILL_PROCESS, name);
  // Threads, not processes. The C library falls back to clone, whose flags can be looked at.
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  filter.add(SCMP_ACT_ALLOW, "clone",
             {masked(0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM)});
  // Memory is written or executed, never both; what is mapped already is not made executable.
  // Libraries for name resolution may still be mapped from files.
  constexpr std::uint64_t both = PROT_WRITE | PROT_EXEC;
  for (const std::uint64_t rights : {std::uint64_t{0}, std::uint64_t{PROT_WRITE}})
    filter.add(SCMP_ACT_ALLOW, "mmap", {masked(2, both, rights)});
  filter.add(SCMP_ACT_ALLOW, "mmap", {masked(2, both, PROT_EXEC), masked(3, MAP_ANONYMOUS, 0)});
  filter.add(SCMP_ACT_ALLOW, "mprotect", {masked(2, PROT_EXEC, 0)});
  for (const int family : {AF_UNIX, AF_INET, AF_INET6})
    filter.add(SCMP_ACT_ALLOW, "socket", {equals(0, family)});
  // The resolver asks which addresses there are.
  constexpr int route_protocol = 0;  // NETLINK_ROUTE
  filter.add(SCMP_ACT_ALLOW, "socket", {equals(0, AF_NETLINK), equals(2, route_protocol)});
  for (const std::uint64_t request :
       {std::uint64_t{FIONREAD}, std::uint64_t{FIONBIO}, std::uint64_t{TCGETS}})
    filter.add(SCMP_ACT_ALLOW, "ioctl", {masked(1, 0xffffffff, request)});
  for (const int option : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_VMA})
    filter.add(SCMP_ACT_ALLOW, "prctl", {equals(0, option)});
  filter.add(SCMP_ACT_ALLOW, "prlimit64", {masked(2, ~std::uint64_t{0}, 0)});  // to read
  // abort() signals itself.
  filter.add(SCMP_ACT_ALLOW, "tgkill", {equals(0, ::getpid())});
  const int error = filter.load();
  if (error != 0) return Error{std::string("seccomp: ") + std::strerror(-error)};
  return {};
}

}  // namespace moat::cli
