// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/next_order.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "moat/base/json.h"

namespace moat::gateway {

namespace {

// The other CA is asked soon: what has failed is not its fault.
constexpr std::chrono::seconds until_fallback{10};
constexpr std::chrono::minutes until_unhindered{1};
// More than any CA's word is heeded for, and any patience of ours.
constexpr std::chrono::hours far_away{24 * 8};

bool is_near(Time time, Time now) { return time >= now - far_away && time <= now + far_away; }

const std::int64_t* integer_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  return member == nullptr ? nullptr : member->as_integer();
}

std::optional<Time> time_of(const json::Value& value, std::string_view name, Time now) {
  const std::int64_t* number = integer_of(value, name);
  const Time time = from_unix_seconds(number == nullptr ? 0 : *number);
  return number != nullptr && is_near(time, now) ? std::optional<Time>(time) : std::nullopt;
}

}  // namespace

void NextOrder::begins(Time now) {
  asked_ = next_;
  const Time soon = now + until_fallback;
  const bool other_is_next =
      has_fallback_ && asked_ == Ca::first && limits_[index(Ca::fallback)].value_or(soon) <= soon;
  next_ = other_is_next ? Ca::fallback : Ca::first;
  base_ = other_is_next ? soon : patience_.failed(now, std::nullopt);
  settle();
}

void NextOrder::failed(std::optional<Time> not_before) {
  limits_[index(asked_)] = not_before;
  settle();
}

void NextOrder::hindered(Time now) { not_before_ = now + until_unhindered; }

void NextOrder::settle() {
  const Ca other = next_ == Ca::first ? Ca::fallback : Ca::first;
  if (has_fallback_ && earliest(other) < earliest(next_)) next_ = other;
  not_before_ = earliest(next_);
}

void NextOrder::succeeded() {
  patience_.succeeded();
  next_ = Ca::first;
  not_before_.reset();
}

void NextOrder::look_at_clock(Time now) {
  if (not_before_ && *not_before_ > now + far_away) not_before_.reset();
  for (auto& limit : limits_) {
    if (limit && *limit > now + far_away) limit.reset();
  }
}

std::string NextOrder::note(Time now) const {
  json::Object out{{"failures", static_cast<std::int64_t>(patience_.failures())},
                   {"next", unix_seconds(not_before_.value_or(now))},
                   {"fallback", next_ == Ca::fallback}};
  if (const auto& limit = limits_[0]) out.emplace_back("first_not_before", unix_seconds(*limit));
  if (const auto& limit = limits_[1]) out.emplace_back("fallback_not_before", unix_seconds(*limit));
  return json::serialize(std::move(out));
}

bool NextOrder::heed(std::string_view note, Time now) {
  constexpr std::int64_t most_failures = 1000;
  const auto read = json::parse(note);
  if (!read) return false;
  const std::int64_t* failures = integer_of(*read, "failures");
  const auto next = time_of(*read, "next", now);
  if (failures == nullptr || !next) return false;
  patience_.resume(static_cast<unsigned>(std::clamp<std::int64_t>(*failures, 0, most_failures)));
  limits_ = {time_of(*read, "first_not_before", now), time_of(*read, "fallback_not_before", now)};
  const json::Value* fallback = read->find("fallback");
  const bool other = fallback != nullptr && fallback->as_bool() != nullptr && *fallback->as_bool();
  next_ = other && has_fallback_ ? Ca::fallback : Ca::first;
  if (*next <= now) return false;
  not_before_ = *next;
  return true;
}

}  // namespace moat::gateway
