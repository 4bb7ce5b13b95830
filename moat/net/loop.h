// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"

namespace moat::net {

class Loop;
class Uring;
struct Channel;

// How a loop learns of its descriptors. `automatic` is io_uring where this machine permits all that
// is needed of it (Linux 6.1; many containers forbid it), else epoll.
enum class Engine { automatic, epoll, io_uring };
std::string_view to_string(Engine engine);
// What `automatic` would be here; `why_not` says in a few words why it is epoll.
Engine best_engine(std::string* why_not = nullptr);

// Timer calls `fire` once at or a little after (up to 16 ms) its time. Moving a timer later costs
// one store: the wheel looks again when the old time comes.
class Timer {
 public:
  explicit Timer(Loop& loop) : loop_(loop) {}
  Timer(const Timer&) = delete;  // the wheel points here
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();
  void set(Tick when);
  void cancel() { when_ = Tick::max(); }
  bool armed() const { return when_ != Tick::max(); }

 protected:
  virtual void fire() = 0;
  Loop& loop_;

 private:
  friend class Loop;
  Tick when_ = Tick::max();
  Timer* next_ = nullptr;
  Timer** link_ = nullptr;  // what points at this timer; null when it is in no slot
  std::uint64_t due_ = 0;   // the slot number, counted from the loop's start
};

enum class Wait { ready, timed_out, cancelled };

// Descriptor is one open file descriptor watched by a loop. `readable` and `writable` say what is
// known: an operation that came back short clears its flag, so nothing is tried that would only say
// EAGAIN.
class Descriptor final {
 public:
  // Of a stream's bytes, the io_uring engine does the transfers itself: one receive for each wait,
  // so that little is taken from a client that nobody waits for (at most 64 KiB, of one that has
  // sent short requests so far); or `watched`, for ever, so that an idle connection is known to be
  // closed or to have said something unasked.
  enum class Use { events, bytes, watched };
  Descriptor(Loop& loop, int fd, Use use = Use::events);  // takes the descriptor over
  explicit Descriptor(Loop& loop);  // of nothing: it waits for what is announced
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();  // closes it; nobody may be waiting

  int fd() const { return fd_; }
  Loop& loop() const { return loop_; }

  bool readable = false;  // epoll tells of what is there already
  bool writable = true;
  bool hung_up = false;  // the peer closed its side, or the connection broke

  struct Awaiter;
  // Waits until there is something to read (or the end), `deadline` passes, or `cancel` is called.
  // One waiter a side.
  Awaiter wait_readable(Tick deadline);
  Awaiter wait_writable(Tick deadline);
  // What a stream in memory says in the kernel's place.
  void announce_readable();
  void announce_writable();
  // Ends a wait for reading as if its time had passed.
  void wake_reader() { read_.fire(); }
  // Other processes or loops hold the same file: it must be taken off the loop by hand.
  void shares_file() { shares_file_ = true; }
  // Ends both waits, now and for ever.
  void cancel();
  bool cancelled() const { return cancelled_; }
  // The io_uring engine's side of it; null with epoll.
  Channel* channel() const { return channel_; }

 private:
  friend class Loop;
  friend class Uring;
  struct Side final : Timer {
    explicit Side(Loop& loop) : Timer(loop) {}
    void fire() override;  // the time has passed
    std::coroutine_handle<> waiter;
    bool timed_out = false;
  };
  void on_events(std::uint32_t events);
  void wanted(const Side& side);

  Loop& loop_;
  int fd_;
  Channel* channel_ = nullptr;
  bool cancelled_ = false;
  bool shares_file_ = false;
  Side read_;
  Side write_;
};

struct Descriptor::Awaiter {
  Descriptor& owner;
  Side& side;
  bool& flag;
  Tick deadline;
  bool await_ready() const noexcept { return flag || owner.cancelled_; }
  void await_suspend(std::coroutine_handle<> handle);
  Wait await_resume() noexcept;
};

inline Descriptor::Awaiter Descriptor::wait_readable(Tick deadline) {
  return Awaiter{*this, read_, readable, deadline};
}
inline Descriptor::Awaiter Descriptor::wait_writable(Tick deadline) {
  return Awaiter{*this, write_, writable, deadline};
}

// BufferPool keeps a few buffers of one size, so that a connection has one only while it works and
// none is page-faulted in anew for each request.
class BufferPool final {
 public:
  static constexpr std::size_t buffer_size = 32 * 1024;
  struct Return {
    BufferPool* pool = nullptr;
    void operator()(char* buffer) const { pool->give_back(buffer); }
  };
  using Buffer = std::unique_ptr<char[], Return>;
  ~BufferPool();
  Buffer take();
  // Frees those that were not needed since the last call, but for a few. Now and then.
  void tidy();
  std::size_t at_hand() const { return free_.size(); }

 private:
  void give_back(char* buffer);
  std::vector<char*> free_;
  std::size_t least_ = 0;  // that were free since tidy()
};

// WarmBuffers lets those who worked last keep their buffers, and takes them from the others: making
// and wiping 34 KiB for each request of a busy connection costs a fifth of all that Moat computes
// for it, and 10,000 idle ones must hold none.
class WarmBuffers final : public Timer {
 public:
  static constexpr std::size_t most = 512;
  static constexpr std::chrono::seconds kept_for{1};

  class Keeper {
   protected:
    Keeper() = default;
    Keeper(const Keeper&) = delete;  // the list points here
    Keeper& operator=(const Keeper&) = delete;
    virtual ~Keeper() = default;

   private:
    friend class WarmBuffers;
    virtual void free_buffers() = 0;
    WarmBuffers* list_ = nullptr;
    Keeper* newer_ = nullptr;
    Keeper* older_ = nullptr;
    Tick used_{};
  };

  using Timer::Timer;
  // The keeper has buffers, and uses them now.
  void used(Keeper& keeper);
  // It is no more.
  void forget(Keeper& keeper);
  std::size_t size() const { return size_; }

 private:
  void fire() override;
  void unlink(Keeper& keeper);
  void take_from(Keeper& keeper);
  Keeper* newest_ = nullptr;
  Keeper* oldest_ = nullptr;
  std::size_t size_ = 0;
  std::size_t freed_ = 0;  // since the heap was trimmed
};

// Loop runs coroutines of one thread. Everything on it is single-threaded but `post` and `stop`.
class Loop final {
 public:
  // Throws std::system_error where the machine does not give what the engine needs.
  explicit Loop(Engine engine = Engine::epoll);
  Loop(const Loop&) = delete;  // descriptors and timers point here
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  // Runs until stop() was called. Work left over is for the owner to end first (cancel, then run
  // again).
  void run();
  // One turn: waits at most `at_most`, handles what came.
  void turn(std::chrono::milliseconds at_most);
  void stop();                            // from any thread
  void post(std::function<void()> work);  // from any thread; runs on the loop's

  Engine engine() const { return uring_ == nullptr ? Engine::epoll : Engine::io_uring; }
  // The time at the start of this turn.
  Tick now() const { return now_; }
  Tick in(std::chrono::nanoseconds span) const { return now_ + span; }
  void resume_soon(std::coroutine_handle<> handle) { ready_.push_back(handle); }
  // co_await loop.next_turn() lets everyone else go first. Who moves data that never ends (a fast
  // client, a fast backend) would have the loop for himself otherwise.
  struct NextTurn;
  NextTurn next_turn();
  BufferPool& buffers() { return buffers_; }
  WarmBuffers& warm() { return warm_; }
  // Where a TLS stream collects the records that it sends in one go.
  std::string& records() { return records_; }
  Uring& uring() { return *uring_; }

  struct Sleep;
  Sleep sleep_until(Tick when);
  Sleep sleep_for(std::chrono::nanoseconds span);

 private:
  friend class Timer;
  friend class Descriptor;
  friend class Uring;
  static constexpr std::size_t slot_count = 4096;
  static constexpr std::chrono::nanoseconds slot_span = std::chrono::milliseconds{16};
  static constexpr int batch_size = 256;

  struct Events;
  void link(Timer& timer);
  static void unlink(Timer& timer);
  void advance_timers();
  int timeout_ms(std::chrono::milliseconds at_most) const;
  void handle_events(int timeout);
  void handle_completions(int timeout);
  void open_epoll();
  void forget(const Descriptor* descriptor);
  void run_posted();
  void run_ready();
  std::uint64_t slot_of(Tick when) const;

  int epoll_ = -1;
  int wake_ = -1;
  Tick now_;
  Tick start_;
  std::uint64_t current_slot_ = 0;
  std::array<Timer*, slot_count> slots_{};
  std::array<std::uint64_t, slot_count / 64> occupied_{};
  std::unique_ptr<Events> events_;  // of epoll
  std::unique_ptr<Uring> uring_;
  std::vector<std::coroutine_handle<>> ready_;
  std::vector<std::coroutine_handle<>> running_;
  std::vector<std::coroutine_handle<>> later_;  // of the next turn
  std::mutex mutex_;                            // guards posted_ and stop_requested_
  std::vector<std::function<void()>> posted_;
  bool stop_requested_ = false;
  bool stopped_ = false;
  BufferPool buffers_;
  WarmBuffers warm_{*this};
  std::string records_;
};

struct Loop::NextTurn {
  Loop& loop;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) { loop.later_.push_back(handle); }
  void await_resume() const noexcept {}
};
inline Loop::NextTurn Loop::next_turn() { return NextTurn{*this}; }

struct Loop::Sleep final : Timer {
  Sleep(Loop& loop, Tick until) : Timer(loop), until_(until) {}
  bool await_ready() const noexcept { return until_ <= loop_.now(); }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    set(until_);
  }
  void await_resume() const noexcept {}

 private:
  void fire() override { loop_.resume_soon(handle_); }
  Tick until_;
  std::coroutine_handle<> handle_;
};
inline Loop::Sleep Loop::sleep_until(Tick when) { return Sleep(*this, when); }
inline Loop::Sleep Loop::sleep_for(std::chrono::nanoseconds span) { return Sleep(*this, in(span)); }

}  // namespace moat::net
