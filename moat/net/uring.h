// SPDX-License-Identifier: Apache-2.0
#pragma once

// The io_uring engine behind Loop, Descriptor and Stream; nothing else includes this.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "moat/net/loop.h"

namespace moat::net {

struct Io;

// Channel is what the ring has to do with one descriptor. It outlives its Descriptor until the last
// operation has come back from the kernel, which writes to nothing that is gone.
struct Channel {
  Descriptor* owner = nullptr;  // null: released
  int fd = -1;
  Descriptor::Use use = Descriptor::Use::events;
  unsigned operations = 0;  // in flight
  bool receiving = false;   // a receive is in flight
  bool small = false;       // and it takes small buffers, many times
  bool brief = false;       // what came last was short, as requests are
  bool polling_in = false;
  bool polling_out = false;
  bool stopping = false;  // the receive is being cancelled: its reader is behind
  bool queued = false;    // `out` waits for the end of the turn
  bool sending = false;   // `out` is with the kernel
  bool ended = false;     // the peer's side
  bool shut_down_after = false;
  bool send_failed = false;
  int error = 0;

  std::string_view fresh;  // in the kernel's buffer, during one completion only
  std::string inbox;       // what the reader did not take then: [taken, end)
  std::size_t taken = 0;
  std::string out;
  std::size_t sent = 0;
  std::string next;  // written while `out` is with the kernel

  std::size_t unsent() const { return out.size() - sent + next.size(); }
};

// RingPatience says how long to wait behind an error of io_uring_enter that passes: the kernel has
// no memory or no room for completions (EAGAIN, EBUSY, ENOMEM, EBADR). While completions come there
// is no wait; where there are none, each is twice the one before.
class RingPatience final {
 public:
  static constexpr std::chrono::milliseconds first{1};
  static constexpr std::chrono::milliseconds longest{64};
  // `error` as a positive number, 0 for none. Nothing: it is one that does not pass.
  [[nodiscard]] std::optional<std::chrono::milliseconds> after(int error, bool completions);

 private:
  std::chrono::milliseconds next_ = first;
};

// Uring runs one ring for one loop: receives go into buffers that all descriptors share (an idle
// one holds none), what is written in a turn leaves with the one system call that waits for the
// next. The ring can do nothing but receive, send, poll and cancel: no file can be opened with it,
// whatever becomes of the process.
class Uring final {
 public:
  // What of io_uring this machine does not give, in a few words; empty: nothing.
  static std::string missing();
  Uring(Loop& loop, int wake);
  Uring(const Uring&) = delete;  // channels point here
  Uring& operator=(const Uring&) = delete;
  ~Uring();

  Channel* open(Descriptor& owner, Descriptor::Use use);
  // The owner is gone: what was written and fits the kernel's buffer is sent, then it is closed.
  void release(Channel* channel);
  void want_readable(Channel& channel);
  void want_writable(Channel& channel);

  Io receive(Channel& channel, char* buffer, std::size_t size);
  void send(Channel& channel, std::string_view bytes);
  // Takes the content, and leaves an empty string.
  void send_all_of(Channel& channel, std::string& bytes);
  // Ends the sending side behind what has been written.
  void shut_down(Channel& channel);

  // Submits all that is asked for and waits for something to happen, at most `timeout` ms.
  void wait(int timeout);
  void handle_completions();

 private:
  struct Ring;
  enum Kind : std::uint64_t {
    receive_done,
    send_done,
    poll_in_done,
    poll_out_done,
    woken,
    nothing
  };
  void start();
  void watch_wake();
  void arm_receive(Channel& channel);
  void keep_watching(Channel& channel);
  void stop_receive(Channel& channel);
  void queue_send(Channel& channel);
  void submit_send(Channel& channel);
  void on_receive(Channel& channel, int result, std::uint32_t flags);
  void on_send(Channel& channel, int result);
  void on_poll(Channel& channel, bool in, int result);
  void finish(Channel& channel);
  void recycle(std::string& buffer);

  Loop& loop_;
  int wake_;
  std::unique_ptr<Ring> ring_;
  bool lost_ = false;  // completions, that of the wake perhaps; until the ring works again
  std::vector<Channel*> to_send_;
  std::vector<std::string> spare_;         // output buffers
  std::unordered_set<Channel*> released_;  // with operations in flight
};

}  // namespace moat::net
