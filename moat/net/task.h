// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "moat/base/piece_pool.h"

namespace moat::net {

// Task<T> is a coroutine that starts when it is awaited and hands its value to the one who awaits
// it. It belongs to that one's frame: it lives on one loop and is never destroyed while it is
// suspended in the middle (a stream that is closed resumes whoever waits for it, so every task runs
// to its end).
//
// clang puts the frame of a coroutine into that of its caller where it sees both, and the caller's
// is then as large as all that it ever awaits, for as long as it lives. What a connection may wait
// in for minutes therefore calls what is large and rare through functions that are
// [[gnu::noinline]]: those have frames of their own, while they run.
template <class T>
class [[nodiscard]] Task;

namespace detail {

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
    return handle.promise().continuation;
  }
  void await_resume() const noexcept {}
};

struct PromiseBase {
  static void* operator new(std::size_t size) { return PiecePool::take(size); }
  static void operator delete(void* frame, std::size_t size) noexcept {
    PiecePool::give_back(frame, size);
  }
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr exception;
  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T v) { value.emplace(std::move(v)); }
  T take() {
    if (exception) std::rethrow_exception(exception);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void take() const {
    if (exception) std::rethrow_exception(exception);
  }
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task(const Task&) = delete;  // one owner of one frame
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  std::coroutine_handle<promise_type> handle_;
};

namespace detail {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>{std::coroutine_handle<Promise<T>>::from_promise(*this)};
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>{std::coroutine_handle<Promise<void>>::from_promise(*this)};
}

// A root coroutine: starts at once, frees itself at its end. An exception that reaches it ends the
// process: nobody is left to handle it, and a security gateway does not go on in an unknown state.
struct Detached {
  struct promise_type {
    Detached get_return_object() const noexcept { return {}; }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void return_void() const noexcept {}
    void unhandled_exception() const noexcept { std::terminate(); }
  };
};
inline Detached run_detached(Task<void> task) { co_await task; }
}  // namespace detail

// Starts `task` now, on the calling loop's thread; it owns itself from here on.
inline void spawn(Task<void> task) { detail::run_detached(std::move(task)); }

// Joinable runs one task beside its owner, who must await join() before it dies.
class Joinable final {
 public:
  Joinable() = default;
  Joinable(const Joinable&) = delete;  // the running task points here
  Joinable& operator=(const Joinable&) = delete;

  void start(Task<void> task) {
    done_ = false;
    run(std::move(task), *this);
  }
  bool done() const { return done_; }

  struct Join {
    Joinable& owner;
    bool await_ready() const noexcept { return owner.done_; }
    void await_suspend(std::coroutine_handle<> h) noexcept { owner.waiter_ = h; }
    void await_resume() const noexcept {}
  };
  Join join() { return Join{*this}; }

 private:
  static detail::Detached run(Task<void> task, Joinable& owner) {
    co_await task;
    owner.done_ = true;
    if (owner.waiter_) std::exchange(owner.waiter_, nullptr).resume();
  }
  bool done_ = true;
  std::coroutine_handle<> waiter_;
};

}  // namespace moat::net
