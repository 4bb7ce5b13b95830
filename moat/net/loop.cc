// SPDX-License-Identifier: Apache-2.0
#include "moat/net/loop.h"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <system_error>
#include <utility>

#include "moat/net/uring.h"

namespace moat::net {

namespace {
[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}
}  // namespace

struct Loop::Events {
  std::array<epoll_event, batch_size> list;
  int count = 0;
  int next = 0;
};

// ----------------------------------------------------------------------------------------------
// timers

Timer::~Timer() { Loop::unlink(*this); }

void Timer::set(Tick when) {
  when_ = when;
  if (link_ != nullptr && due_ <= loop_.slot_of(when))
    return;  // looked at in time, and moved on then
  Loop::unlink(*this);
  loop_.link(*this);
}

std::uint64_t Loop::slot_of(Tick when) const {
  if (when <= start_) return 0;
  return static_cast<std::uint64_t>((when - start_ + slot_span - std::chrono::nanoseconds{1}) /
                                    slot_span);
}

void Loop::link(Timer& timer) {
  if (timer.when_ == Tick::max()) return;
  // Beyond the wheel's horizon (65 s) a timer waits in the last slot and moves on from there.
  timer.due_ = std::clamp(slot_of(timer.when_), current_slot_ + 1, current_slot_ + slot_count - 1);
  const std::size_t index = timer.due_ % slot_count;
  Timer*& head = slots_[index];
  timer.next_ = head;
  if (head != nullptr) head->link_ = &timer.next_;
  head = &timer;
  timer.link_ = &head;
  occupied_[index / 64] |= std::uint64_t{1} << (index % 64);
}

void Loop::unlink(Timer& timer) {
  if (timer.link_ == nullptr) return;
  *timer.link_ = timer.next_;
  if (timer.next_ != nullptr) timer.next_->link_ = timer.link_;
  timer.link_ = nullptr;
  timer.next_ = nullptr;
}

void Loop::advance_timers() {
  const auto target = static_cast<std::uint64_t>((now_ - start_) / slot_span);
  while (current_slot_ < target) {
    ++current_slot_;
    const std::size_t index = current_slot_ % slot_count;
    if ((occupied_[index / 64] >> (index % 64) & 1) == 0) continue;
    occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
    while (Timer* timer = slots_[index]) {
      unlink(*timer);
      if (timer->when_ == Tick::max()) continue;
      if (timer->when_ > now_) {
        link(*timer);
        continue;
      }
      timer->when_ = Tick::max();
      timer->fire();  // only queues a coroutine or calls work that may not touch this slot
    }
  }
}

int Loop::timeout_ms(std::chrono::milliseconds at_most) const {
  if (!ready_.empty() || !later_.empty()) return 0;
  // The first occupied slot after the current one, a word at a time.
  for (std::size_t step = 1; step < slot_count;) {
    const std::size_t index = (current_slot_ + step) % slot_count;
    const std::uint64_t word = occupied_[index / 64] >> (index % 64);
    if (word != 0) {
      step += static_cast<std::size_t>(std::countr_zero(word));
      const Tick due = start_ + slot_span * static_cast<std::int64_t>(current_slot_ + step);
      const auto wait = std::chrono::ceil<std::chrono::milliseconds>(due - now_);
      return static_cast<int>(std::clamp(wait, std::chrono::milliseconds{0}, at_most).count());
    }
    step += 64 - index % 64;
  }
  return static_cast<int>(at_most.count());
}

// ------------------------------------------------------------------------------------------
// descriptors

Descriptor::Descriptor(Loop& loop, int fd, Use use)
    : loop_(loop), fd_(fd), read_(loop), write_(loop) {
  if (loop.uring_ != nullptr) {
    channel_ = loop.uring_->open(*this, use);
    return;
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = this;
  if (epoll_ctl(loop.epoll_, EPOLL_CTL_ADD, fd, &event) != 0) {
    ::close(fd);
    fail("epoll_ctl");
  }
}

Descriptor::Descriptor(Loop& loop) : loop_(loop), fd_(-1), read_(loop), write_(loop) {}

Descriptor::~Descriptor() {
  if (fd_ < 0) return;
  if (channel_ != nullptr) {
    loop_.uring_->release(channel_);
    return;
  }
  loop_.forget(this);
  // Of a file's only descriptor epoll hears by itself.
  if (shares_file_) ::epoll_ctl(loop_.epoll_, EPOLL_CTL_DEL, fd_, nullptr);
  ::close(fd_);
}

void Descriptor::Side::fire() {
  if (!waiter) return;
  timed_out = true;
  loop_.resume_soon(std::exchange(waiter, nullptr));
}

void Descriptor::Awaiter::await_suspend(std::coroutine_handle<> handle) {
  side.waiter = handle;
  side.timed_out = false;
  side.set(deadline);
  if (owner.channel_ != nullptr) owner.wanted(side);
}

void Descriptor::wanted(const Side& side) {
  if (&side == &read_) {
    loop_.uring_->want_readable(*channel_);
  } else {
    loop_.uring_->want_writable(*channel_);
  }
}

Wait Descriptor::Awaiter::await_resume() noexcept {
  side.cancel();
  if (owner.cancelled_) return Wait::cancelled;
  if (side.timed_out && !flag) {
    side.timed_out = false;
    return Wait::timed_out;
  }
  side.timed_out = false;
  return Wait::ready;
}

void Descriptor::cancel() {
  cancelled_ = true;
  if (read_.waiter) loop_.resume_soon(std::exchange(read_.waiter, nullptr));
  if (write_.waiter) loop_.resume_soon(std::exchange(write_.waiter, nullptr));
}

void Descriptor::announce_readable() {
  readable = true;
  if (read_.waiter) loop_.resume_soon(std::exchange(read_.waiter, nullptr));
}

void Descriptor::announce_writable() {
  writable = true;
  if (write_.waiter) loop_.resume_soon(std::exchange(write_.waiter, nullptr));
}

void Descriptor::on_events(std::uint32_t events) {
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up = true;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    announce_readable();
  }
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
    writable = true;
    if (write_.waiter) loop_.resume_soon(std::exchange(write_.waiter, nullptr));
  }
}

// ---------------------------------------------------------------------------------------------
// buffers

BufferPool::~BufferPool() {
  for (char* buffer : free_) delete[] buffer;
}

BufferPool::Buffer BufferPool::take() {
  if (free_.empty()) return Buffer(new char[buffer_size], Return{this});
  char* buffer = free_.back();
  free_.pop_back();
  least_ = std::min(least_, free_.size());
  return Buffer(buffer, Return{this});
}

void BufferPool::give_back(char* buffer) {
  constexpr std::size_t kept = 512;
  if (free_.size() < kept) {
    free_.push_back(buffer);
  } else {
    delete[] buffer;
  }
}

void BufferPool::tidy() {
  constexpr std::size_t few = 16;
  for (; least_ > few; --least_) {
    delete[] free_.back();
    free_.pop_back();
  }
  least_ = free_.size();
}

void WarmBuffers::used(Keeper& keeper) {
  keeper.used_ = loop_.now();
  if (newest_ == &keeper) return;
  if (keeper.list_ != nullptr) unlink(keeper);
  keeper.list_ = this;
  keeper.older_ = newest_;
  keeper.newer_ = nullptr;
  if (newest_ != nullptr) newest_->newer_ = &keeper;
  newest_ = &keeper;
  if (oldest_ == nullptr) oldest_ = &keeper;
  if (++size_ > most) take_from(*oldest_);
  if (!armed()) set(loop_.in(kept_for));
}

void WarmBuffers::unlink(Keeper& keeper) {
  (keeper.newer_ != nullptr ? keeper.newer_->older_ : newest_) = keeper.older_;
  (keeper.older_ != nullptr ? keeper.older_->newer_ : oldest_) = keeper.newer_;
  keeper.list_ = nullptr;
  --size_;
}

void WarmBuffers::forget(Keeper& keeper) {
  if (keeper.list_ != nullptr) unlink(keeper);
}

void WarmBuffers::take_from(Keeper& keeper) {
  unlink(keeper);
  keeper.free_buffers();
}

void WarmBuffers::fire() {
  while (oldest_ != nullptr && oldest_->used_ + kept_for <= loop_.now()) {
    take_from(*oldest_);
    ++freed_;
  }
  // Many small holes between what lives on: without this the memory stays the process's.
  constexpr std::size_t worth_it = 128;
  if (freed_ >= worth_it) {
    ::malloc_trim(0);
    freed_ = 0;
  }
  if (oldest_ != nullptr) set(oldest_->used_ + kept_for);
}

// ------------------------------------------------------------------------------------------------
// loop

std::string_view to_string(Engine engine) {
  switch (engine) {
    case Engine::automatic:
      return "auto";
    case Engine::epoll:
      return "epoll";
    case Engine::io_uring:
      return "io_uring";
  }
  return "";
}

Engine best_engine(std::string* why_not) {
  const std::string missing = Uring::missing();
  if (why_not != nullptr) *why_not = missing;
  return missing.empty() ? Engine::io_uring : Engine::epoll;
}

Loop::Loop(Engine engine) {
  start_ = now_ = system_clock().tick();
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) fail("eventfd");
  if (engine == Engine::automatic) engine = best_engine();
  try {
    if (engine == Engine::io_uring) {
      uring_ = std::make_unique<Uring>(*this, wake_);
    } else {
      open_epoll();
    }
  } catch (...) {
    ::close(wake_);
    if (epoll_ >= 0) ::close(epoll_);
    throw;
  }
}

void Loop::open_epoll() {
  events_ = std::make_unique<Events>();
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) fail("epoll_create1");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) fail("epoll_ctl");
}

Loop::~Loop() {
  uring_.reset();
  ::close(wake_);
  if (epoll_ >= 0) ::close(epoll_);
}

void Loop::run() {
  stopped_ = false;
  while (!stopped_) turn(std::chrono::hours{1});
}

void Loop::turn(std::chrono::milliseconds at_most) {
  const int timeout = timeout_ms(at_most);
  if (uring_ != nullptr) {
    handle_completions(timeout);
  } else {
    handle_events(timeout);
  }
  if (later_.empty()) return;
  ready_.swap(later_);  // empty here: run_ready leaves nothing
  run_ready();
}

void Loop::handle_completions(int timeout) {
  uring_->wait(timeout);
  now_ = system_clock().tick();
  advance_timers();
  run_ready();
  uring_->handle_completions();
}

void Loop::handle_events(int timeout) {
  Events& events = *events_;
  events.next = 0;
  events.count = epoll_wait(epoll_, events.list.data(), batch_size, timeout);
  if (events.count < 0) {
    events.count = 0;
    if (errno != EINTR) fail("epoll_wait");
  }
  now_ = system_clock().tick();
  advance_timers();
  run_ready();
  while (events.next < events.count) {
    const epoll_event& event = events.list[static_cast<std::size_t>(events.next++)];
    if (event.data.ptr != nullptr) {
      static_cast<Descriptor*>(event.data.ptr)->on_events(event.events);
      run_ready();
    } else if (event.events != 0) {
      run_posted();
    }
  }
}

// A descriptor that dies takes its events of this batch along.
void Loop::forget(const Descriptor* descriptor) {
  Events& events = *events_;
  for (int i = events.next; i < events.count; ++i) {
    epoll_event& event = events.list[static_cast<std::size_t>(i)];
    if (event.data.ptr == descriptor) {
      event.data.ptr = nullptr;
      event.events = 0;
    }
  }
}

void Loop::run_ready() {
  while (!ready_.empty()) {
    running_.swap(ready_);
    for (std::size_t i = 0; i < running_.size(); ++i) running_[i].resume();
    running_.clear();
  }
}

void Loop::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(work));
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void Loop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_requested_ = true;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
}

void Loop::run_posted() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(wake_, &count, sizeof count);
  std::vector<std::function<void()>> work;
  {
    const std::lock_guard lock(mutex_);
    work.swap(posted_);
    if (std::exchange(stop_requested_, false)) stopped_ = true;
  }
  for (auto& item : work) {
    item();
    run_ready();
  }
}

}  // namespace moat::net
