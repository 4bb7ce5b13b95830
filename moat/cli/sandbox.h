// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "moat/base/result.h"

namespace moat::cli {

// What a process that serves strangers keeps: these files and the system calls of a server. Whoever
// gets code to run in it reads no other file, executes no program, traces nobody.

// Which layers the kernel has.
struct SandboxSupport {
  int landlock = 0;  // version of its interface; 0: none
  bool seccomp = false;
  bool sanitizer = false;  // this build needs more than the sandbox leaves: it is not closed
};
SandboxSupport sandbox_support();
// "files by Landlock 7, system calls by seccomp", or what is missing.
std::string describe(const SandboxSupport& support);

struct SandboxFiles {
  std::vector<std::string> read_write;  // directories, with all below
  std::vector<std::string>
      read_only;  // files or directories; those that are not there do not count
};
// The directories of the files a configuration names, and of what they link to. Of a file in the
// root directory the file alone.
std::vector<std::string> directories_of(const std::vector<std::string>& files);
// What name resolution, TLS and the C library read.
std::vector<std::string> system_files();

// From now on this thread, and those that it starts, open no other files (Landlock). Not before the
// process has no_new_privs. Call it before any other thread is started.
[[nodiscard]] Result<void, std::string> restrict_files(const SandboxFiles& files);

// From now on no thread of this process makes a system call that a server does not need (seccomp):
// most fail with EPERM; those that only an intruder makes (execve, ptrace, mount, bpf, …) end the
// process. No new listening socket, no new process, no memory that is made executable.
[[nodiscard]] Result<void, std::string> restrict_calls();

}  // namespace moat::cli
