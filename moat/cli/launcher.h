// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/gateway/listeners.h"

namespace moat::cli {

// What a process hands to the one that takes over: descriptors that both hold for a while.
struct Heritage {
  std::vector<gateway::InheritedSocket> sockets;
  int directory_lock = -1;
  int ready = -1;  // a pipe: the new process says there how it went
};

// Launcher starts this program again, with the arguments and the environment of its own start. It
// is a small process, forked while programs may still be executed; what serves strangers may not,
// and can ask it for nothing but this. It ends with the process that made it.
class Launcher final {
 public:
  // Call it before any thread is started and before the sandbox; it takes the rights that it is to
  // have from its caller.
  [[nodiscard]] static Result<Launcher, std::string> fork_off();
  Launcher(Launcher&& other) noexcept;
  Launcher& operator=(Launcher&&) = delete;
  ~Launcher();

  // Starts it; the descriptors stay the caller's too. The process's id, or why there is none.
  [[nodiscard]] Result<pid_t, std::string> start(const Heritage& heritage) const;
  // Kills what was started last.
  void kill() const;

 private:
  explicit Launcher(int socket) : socket_(socket) {}
  int socket_;
};

// Upgrade is one try to hand over to a new process. It serves when it says so; until then, and if
// it never does, the old one serves alone.
class Upgrade final {
 public:
  [[nodiscard]] static Result<Upgrade, std::string> begin(const Launcher& launcher,
                                                          Heritage heritage, Tick deadline);
  Upgrade(Upgrade&& other) noexcept;
  Upgrade& operator=(Upgrade&&) = delete;
  ~Upgrade();

  enum class State { waiting, ready, failed };
  // Looks what the new process has said; does not wait.
  State look(Tick now);
  const std::string& reason() const { return said_; }  // of a failure
  pid_t process() const { return process_; }

 private:
  Upgrade(const Launcher& launcher, int pipe, pid_t process, Tick deadline)
      : launcher_(launcher), pipe_(pipe), process_(process), deadline_(deadline) {}
  const Launcher& launcher_;
  int pipe_;
  pid_t process_;
  Tick deadline_;
  std::string said_;
};

// Takeover is the new process's side: what the one before has handed over, if there was one.
class Takeover final {
 public:
  // Reads and removes the variable that names the descriptors.
  [[nodiscard]] static Result<Takeover, std::string> from_environment();
  Takeover(Takeover&& other) noexcept;
  Takeover& operator=(Takeover&&) = delete;
  ~Takeover();

  bool there() const { return heritage_.ready >= 0; }
  Heritage& heritage() { return heritage_; }
  // The one before may end.
  void ready();
  // The one before goes on, and logs why.
  void failed(const std::string& why);

 private:
  Takeover() = default;
  void say(const std::string& text);
  Heritage heritage_;
};

}  // namespace moat::cli
