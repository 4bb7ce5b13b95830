// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace moat {

// Wraps an error so that a function returning Result can say `return Error{E::too_long};`.
template <class E>
struct Error {
  E value;
};
template <class E>
Error(E) -> Error<E>;

// Result is either a value or the reason why there is none. It speaks std::expected's vocabulary
// (which g++ 12 and clang 14 do not share in C++20). Reading the side that is absent aborts
// (std::get on the wrong alternative throws).
template <class T, class E>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  using error_type = E;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <class G, class = std::enable_if_t<std::is_constructible_v<E, G>>>
  Result(Error<G> error) : state_(std::in_place_index<1>, std::move(error.value)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  E& error() & { return std::get<1>(state_); }
  const E& error() const& { return std::get<1>(state_); }
  E&& error() && { return std::get<1>(std::move(state_)); }

  template <class U>
  T value_or(U&& otherwise) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(otherwise));
  }

 private:
  std::variant<T, E> state_;
};

// The value-less form: success, or the reason of the failure.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  using error_type = E;

  Result() = default;
  template <class G, class = std::enable_if_t<std::is_constructible_v<E, G>>>
  Result(Error<G> error) : error_(std::move(error.value)) {}

  bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  E& error() & { return error_.value(); }
  const E& error() const& { return error_.value(); }
  E&& error() && { return std::move(error_).value(); }

 private:
  std::optional<E> error_;
};

}  // namespace moat

#define MOAT_CONCAT_(a, b) a##b
#define MOAT_CONCAT(a, b) MOAT_CONCAT_(a, b)
// MOAT_TRY(auto x, parse(text)); gives x the value or returns the error from the enclosing
// function.
#define MOAT_TRY(declaration, expression) \
  MOAT_TRY_(declaration, expression, MOAT_CONCAT(moat_try_, __LINE__))
#define MOAT_TRY_(declaration, expression, result)              \
  auto result = (expression);                                   \
  if (!result) return ::moat::Error{std::move(result).error()}; \
  declaration = std::move(result).value()
