// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/renewal.h"

#include <algorithm>
#include <array>

#include "moat/acme/internal/answers.h"
#include "moat/base/json.h"

namespace moat::acme {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// A number below `bound`, which is at least 1. The bias of the remainder is below 2^-20 for what is
// drawn here.
std::int64_t draw_below(Random& random, std::int64_t bound) {
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return static_cast<std::int64_t>((number >> 1) % static_cast<std::uint64_t>(bound));
}

}  // namespace

std::optional<RenewalInfo> parse_renewal_info(std::string_view body) {
  const auto parsed = json::parse(body, {.depth = 8, .total_bytes = 65536});
  const json::Value* window = parsed ? parsed->find("suggestedWindow") : nullptr;
  if (window == nullptr) return std::nullopt;
  const auto time = [&](std::string_view name) -> std::optional<Time> {
    const json::Value* member = window->find(name);
    const std::string* text = member == nullptr ? nullptr : member->as_string();
    return text == nullptr ? std::nullopt : parse_rfc3339(*text);
  };
  const auto start = time("start");
  const auto end = time("end");
  // Section 4.2: "end" MUST be later than "start"; anything else is no answer.
  if (!start || !end || *end <= *start) return std::nullopt;
  RenewalInfo info{*start, *end, {}};
  const json::Value* why = parsed->find("explanationURL");
  if (why != nullptr && why->as_string() != nullptr) info.explanation = *why->as_string();
  return info;
}

std::optional<std::string> renewal_info_url(std::string_view directory,
                                            std::string_view renewal_id) {
  const auto read = read_directory(directory);
  if (!read || read->renewal_info.empty() || renewal_id.empty()) return std::nullopt;
  return read->renewal_info + "/" + std::string(renewal_id);
}

Schedule::Schedule(Time not_before, Time not_after, Time now, Random& random)
    : not_after_(not_after), ask_at_(now), random_(&random) {
  const auto life = std::max(not_after - not_before, Time::duration{0});
  const auto left = life < hours{24 * 10} ? life / 2 : life / 3;
  // Spread over a twentieth of the life, so that what was ordered together is not renewed together.
  const Time latest = not_after - left;
  renew_at_ = draw(latest - life / 20, latest);
}

void Schedule::rest(Time now) {
  rest_until_ = now + std::clamp<Time::duration>((not_after_ - now) / 10, seconds{10}, hours{6});
}

Time Schedule::draw(Time start, Time end) {
  const auto span = (end - start).count();
  return span <= 0 ? start : start + Time::duration{draw_below(*random_, span)};
}

void Schedule::learned(const RenewalInfo& info, std::string_view retry_after, Time now) {
  if (!window_ || window_->start != info.start || window_->end != info.end) {
    // A window that would let the certificate run out is not followed to its end.
    const Time end = std::min(info.end, not_after_);
    renew_at_ = std::min(draw(info.start, end), not_after_);
    window_ = info;
  }
  ask_at_ = parse_retry_after(retry_after, now, minutes{1}, hours{24}).value_or(now + hours{6});
}

// Section 4.3.3: "on the order of hours" for what lasts.
void Schedule::no_answer(Time now) { ask_at_ = now + hours{6}; }
void Schedule::not_offered(Time now) { ask_at_ = now + hours{24}; }

Time Patience::failed(Time now, std::optional<Time> not_before) {
  constexpr std::array<minutes, 4> waits = {minutes{1}, minutes{10}, minutes{100}, hours{24}};
  const seconds wait = waits[std::min<std::size_t>(failures_, waits.size() - 1)];
  ++failures_;
  const seconds longer{draw_below(*random_, wait.count() / 4)};
  const Time own = now + wait + longer;
  return not_before ? std::max(own, *not_before + longer) : own;
}

}  // namespace moat::acme
