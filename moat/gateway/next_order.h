// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "moat/acme/renewal.h"
#include "moat/base/clock.h"
#include "moat/base/random.h"

namespace moat::gateway {

// NextOrder says which of two CAs is asked for the next certificate, and when: the other one soon
// behind the first, and where both have failed, that is one failure. A CA that wants to be left
// alone is, and the other one is asked instead. Without I/O; not thread-safe.
class NextOrder final {
 public:
  enum class Ca { first, fallback };

  NextOrder(bool has_fallback, Random& random) : has_fallback_(has_fallback), patience_(random) {}

  Ca ca() const { return next_; }
  // None: at once.
  std::optional<Time> not_before() const { return not_before_; }

  // An order at ca() begins. Until it has succeeded, it counts as one that has failed.
  void begins(Time now);
  // That order has failed, and its CA wants to be left alone until then, or says nothing.
  void failed(std::optional<Time> not_before);
  // No order could begin, which costs no CA anything: it is tried each minute.
  void hindered(Time now);
  // Another one orders; nothing has failed.
  void wait_until(Time time) { not_before_ = time; }
  void succeeded();
  // A clock that was far ahead, and was set back, is not waited for.
  void look_at_clock(Time now);

  // What has failed, for the one who comes next: a later process, or another node.
  std::string note(Time now) const;
  // Takes what such a one has noted; what cannot be read, or is long over, changes nothing. True:
  // it is too early for an order.
  [[nodiscard]] bool heed(std::string_view note, Time now);

 private:
  static std::size_t index(Ca ca) { return ca == Ca::first ? 0 : 1; }
  Time earliest(Ca ca) const { return std::max(base_, limits_[index(ca)].value_or(base_)); }
  void settle();

  const bool has_fallback_;
  acme::Patience patience_;
  Ca next_ = Ca::first, asked_ = Ca::first;
  Time base_;  // by our own patience
  std::optional<Time> not_before_;
  std::array<std::optional<Time>, 2> limits_;  // by each CA's word
};

}  // namespace moat::gateway
