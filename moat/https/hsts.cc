// SPDX-License-Identifier: Apache-2.0
#include "moat/https/hsts.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "moat/base/ip.h"

namespace moat::https {
namespace {

constexpr std::chrono::seconds year = std::chrono::hours{365 * 24};

// RFC 6761 section 6.3: localhost and all below it is this machine.
bool is_local_name(std::string_view host) {
  constexpr std::string_view local = "localhost";
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (host.size() < local.size() || host.substr(host.size() - local.size()) != local) return false;
  return host.size() == local.size() || host[host.size() - local.size() - 1] == '.';
}

}  // namespace

std::optional<std::string> hsts_header(std::string_view host, const HstsOptions& options) {
  const auto parsed = HostPort::parse(host);
  if (!parsed || parsed->is_ipv6 || IpAddress::parse(parsed->host) || is_local_name(parsed->host))
    return std::nullopt;
  if (options.max_age.count() < 0) return std::nullopt;
  std::string value = "max-age=" + std::to_string(options.max_age.count());
  if (options.include_subdomains) value += "; includeSubDomains";
  if (options.preload && options.include_subdomains && options.max_age >= year)
    value += "; preload";
  return value;
}

namespace {

// When each step begins, from the start.
constexpr std::array<std::chrono::days, HstsRamp::steps> step_begins = {
    std::chrono::days{0}, std::chrono::days{1}, std::chrono::days{7}, std::chrono::days{30}};
// Clocks are set back a little all the time.
constexpr std::chrono::hours clock_slack{1};

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  const bool good = parsed.ec == std::errc() && parsed.ptr == end && value >= 0;
  // Up to the year 9999.
  return good && value < 253'402'300'800 ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<HstsRamp> HstsRamp::parse(std::string_view text) {
  if (text.size() < 4 || text.back() != '\n' || text[1] != ' ') return std::nullopt;
  const auto step = number_in(text.substr(0, 1));
  const auto since = number_in(text.substr(2, text.size() - 3));
  if (!step || *step >= static_cast<std::int64_t>(steps) || !since) return std::nullopt;
  HstsRamp ramp(from_unix_seconds(*since));
  ramp.step_ = static_cast<std::size_t>(*step);
  return ramp;
}

std::string HstsRamp::to_text() const {
  return std::to_string(step_) + " " + std::to_string(unix_seconds(since_)) + "\n";
}

std::optional<Time> HstsRamp::next() const {
  if (finished()) return std::nullopt;
  return since_ + (step_begins[step_ + 1] - step_begins[step_]);
}

bool HstsRamp::advance(Time now) {
  const std::optional<Time> end = next();
  if (!end) return false;
  if (now < since_ - clock_slack) {
    since_ = now;
    return true;
  }
  if (now < *end) return false;
  ++step_;
  since_ = now;
  return true;
}

HstsOptions HstsRamp::options(const HstsOptions& full, std::size_t step) {
  return hsts_ramp(full, Time{}, Time{} + step_begins[std::min(step, steps - 1)]);
}

HstsOptions hsts_ramp(const HstsOptions& options, Time start, Time now) {
  using std::chrono::days;
  const auto age = now - start;
  if (age >= days{30}) return options;
  const std::chrono::seconds step = age >= days{7} ? days{30}
                                    : age >= days{1}
                                        ? days{1}
                                        : std::chrono::seconds{std::chrono::minutes{5}};
  return {std::min(options.max_age, step), false, false};
}

}  // namespace moat::https
