// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/policy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>

namespace moat::limit {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds longest = std::chrono::hours{24 * 366};

struct Unit {
  std::string_view name;
  nanoseconds length;
};
// Of each length the first name is the one that to_string writes.
constexpr std::array<Unit, 7> units{{{"s", std::chrono::seconds{1}},
                                     {"sec", std::chrono::seconds{1}},
                                     {"min", std::chrono::minutes{1}},
                                     {"hour", std::chrono::hours{1}},
                                     {"h", std::chrono::hours{1}},
                                     {"day", std::chrono::hours{24}},
                                     {"d", std::chrono::hours{24}}}};

constexpr std::array<Subject, 4> subjects{Subject::ip, Subject::user, Subject::account,
                                          Subject::account_and_ip};

// A count as it must be written: digits only, the first no zero, no more than Policy::most.
std::optional<std::uint32_t> parse_count(std::string_view text) {
  if (text.empty() || text.size() > 7 || text[0] < '1' || text[0] > '9') return std::nullopt;
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end || value > Policy::most) return std::nullopt;
  return value;
}

std::optional<nanoseconds> parse_unit(std::string_view text) {
  for (const Unit& unit : units) {
    if (unit.name == text) return unit.length;
  }
  return std::nullopt;
}

std::optional<Subject> parse_subject(std::string_view text) {
  for (const Subject subject : subjects) {
    if (to_string(subject) == text) return subject;
  }
  return std::nullopt;
}

nanoseconds interval_of(std::uint32_t count, nanoseconds window) {
  return nanoseconds{(window.count() + count - 1) / count};
}

// How much of a bucket's capacity is spent at `now`, within 0 and the whole.
std::int64_t spent(const Policy& policy, Tick arrival, Tick now) {
  if (arrival <= now) return 0;
  const std::int64_t capacity = policy.capacity().count();
  const std::int64_t at = now.time_since_epoch().count();
  // An arrival further away than a spent bucket's comes from a clock that went back (or from a
  // larger policy): the bucket is spent, and stays so until its time is near again.
  if (at <= std::numeric_limits<std::int64_t>::max() - capacity &&
      arrival.time_since_epoch().count() > at + capacity) {
    return capacity;
  }
  return arrival.time_since_epoch().count() - at;
}

Decision refused(const Policy& policy, std::int64_t used) {
  Decision out;
  out.limit = policy.count();
  out.reset_after = nanoseconds{used};
  const nanoseconds wait = nanoseconds{used} + policy.interval() - policy.capacity();
  out.retry_after = wait > nanoseconds{0} ? wait : policy.interval();  // else: the end of time
  out.reason = Reason::over_limit;
  return out;
}

Decision passed(const Policy& policy, std::int64_t used) {
  Decision out;
  out.allowed = true;
  out.limit = policy.count();
  out.remaining =
      static_cast<std::uint32_t>((policy.capacity().count() - used) / policy.interval().count());
  out.reset_after = nanoseconds{used};
  return out;
}

// Whether one more fits; at the end of time nothing does.
bool fits(const Policy& policy, std::int64_t used, Tick now) {
  const std::int64_t interval = policy.interval().count();
  return used + interval <= policy.capacity().count() &&
         now.time_since_epoch().count() <=
             std::numeric_limits<std::int64_t>::max() - used - interval;
}

}  // namespace

std::string_view to_string(Subject subject) {
  switch (subject) {
    case Subject::ip:
      return "ip";
    case Subject::user:
      return "user";
    case Subject::account:
      return "account";
    case Subject::account_and_ip:
      return "account+ip";
  }
  return "?";
}

std::string_view to_string(PolicyRefusal refusal) {
  switch (refusal) {
    case PolicyRefusal::syntax:
      return "not of the form count/unit/subject [burst count]";
    case PolicyRefusal::bad_count:
      return "the count must be 1 to 1000000";
    case PolicyRefusal::unknown_unit:
      return "the unit must be s, min, hour or day";
    case PolicyRefusal::unknown_subject:
      return "it must count by ip, user, account or account+ip";
    case PolicyRefusal::bad_burst:
      return "the burst must be 1 to 1000000";
    case PolicyRefusal::too_long:
      return "the burst would take more than 366 days to come back";
  }
  return "?";
}

std::string_view to_string(Reason reason) {
  switch (reason) {
    case Reason::none:
      return "none";
    case Reason::over_limit:
      return "over_limit";
    case Reason::table_full:
      return "table_full";
  }
  return "?";
}

// Written out, since a list of charges makes several for each request, and divisions are slow.
Policy::Policy()
    : count_(600),
      burst_(100),
      window_(std::chrono::minutes{1}),
      interval_(std::chrono::milliseconds{100}),
      subject_(Subject::ip) {}

Policy::Policy(std::uint32_t count, nanoseconds window, std::uint32_t burst, Subject subject)
    : count_(count),
      burst_(burst),
      window_(window),
      interval_(interval_of(count, window)),
      subject_(subject) {}

Result<Policy, PolicyRefusal> Policy::parse(std::string_view text) {
  constexpr std::string_view burst_word = " burst ";
  const std::size_t space = text.find(' ');
  const std::string_view rate = text.substr(0, space);
  const std::size_t first = rate.find('/');
  if (first == std::string_view::npos) return Error{PolicyRefusal::syntax};
  const std::size_t second = rate.find('/', first + 1);
  if (second == std::string_view::npos) return Error{PolicyRefusal::syntax};

  const auto count = parse_count(rate.substr(0, first));
  if (!count) return Error{PolicyRefusal::bad_count};
  const auto window = parse_unit(rate.substr(first + 1, second - first - 1));
  if (!window) return Error{PolicyRefusal::unknown_unit};
  const auto subject = parse_subject(rate.substr(second + 1));
  if (!subject) return Error{PolicyRefusal::unknown_subject};

  std::uint32_t burst = *count;
  if (space != std::string_view::npos) {
    const std::string_view rest = text.substr(space);
    if (rest.substr(0, burst_word.size()) != burst_word) return Error{PolicyRefusal::syntax};
    const auto written = parse_count(rest.substr(burst_word.size()));
    if (!written) return Error{PolicyRefusal::bad_burst};
    burst = *written;
  }
  return make(*count, *window, burst, *subject);
}

Result<Policy, PolicyRefusal> Policy::make(std::uint32_t count, nanoseconds window,
                                           std::uint32_t burst, Subject subject) {
  if (count < 1 || count > most) return Error{PolicyRefusal::bad_count};
  if (burst < 1 || burst > most) return Error{PolicyRefusal::bad_burst};
  if (window < std::chrono::seconds{1}) return Error{PolicyRefusal::unknown_unit};
  if (window > longest) return Error{PolicyRefusal::too_long};
  if (interval_of(count, window) > longest / burst) return Error{PolicyRefusal::too_long};
  return Policy(count, window, burst, subject);
}

Policy Policy::times(std::uint32_t factor) const {
  const std::uint32_t by = std::clamp(factor, 1U, 16U);
  return Policy(count_ * by, window_, burst_ * by, subject_);
}

std::string Policy::to_string() const {
  std::string out = std::to_string(count_) + "/";
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [this](const Unit& u) { return u.length == window_; });
  if (unit != units.end()) {
    out += unit->name;
  } else {
    out += std::to_string(window_.count()) + "ns";
  }
  out += "/";
  out += limit::to_string(subject_);
  if (burst_ != count_) out += " burst " + std::to_string(burst_);
  return out;
}

Step take(const Policy& policy, Tick arrival, Tick now) {
  const std::int64_t used = spent(policy, arrival, now);
  if (!fits(policy, used, now)) return Step{refused(policy, used), arrival};
  const std::int64_t then = used + policy.interval().count();
  return Step{passed(policy, then), now + nanoseconds{then}};
}

Decision look(const Policy& policy, Tick arrival, Tick now) {
  const std::int64_t used = spent(policy, arrival, now);
  return fits(policy, used, now) ? passed(policy, used) : refused(policy, used);
}

}  // namespace moat::limit
