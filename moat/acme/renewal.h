// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/random.h"

namespace moat::acme {

// When the CA would like a certificate to be renewed (RFC 9773 section 4.2).
struct RenewalInfo {
  Time start, end;
  std::string explanation;  // a URL, or empty
};
// Nullopt for what is none, or whose window ends before it starts.
[[nodiscard]] std::optional<RenewalInfo> parse_renewal_info(std::string_view body);

// Where the CA with that directory (its body) keeps what parse_renewal_info reads, for a
// certificate of that renewal id; nullopt: it keeps none, or the id is empty.
[[nodiscard]] std::optional<std::string> renewal_info_url(std::string_view directory,
                                                          std::string_view renewal_id);

// Schedule decides when one certificate is renewed. The CA's window is asked for where the CA has
// one; without it, a third of the life is left, or half of one below ten days. Not thread-safe.
class Schedule final {
 public:
  // Lives of `not_before` to `not_after`.
  Schedule(Time not_before, Time not_after, Time now, Random& random);

  // At that time, or as soon as it is over, a new certificate is ordered.
  Time renew_at() const { return std::max(renew_at_, rest_until_); }
  // The certificate was issued just now: it stays for a tenth of the life that is left to it, ten
  // seconds at least and six hours at most. A CA whose windows are always over, or whose
  // certificates are old when they come, would else be asked for one after the other.
  void rest(Time now);
  // When to ask the CA for its window again; never behind the end of the certificate.
  Time ask_at() const { return ask_at_; }
  // What came of asking: a moment in the window is drawn at random, anew only where the window has
  // changed (section 4.2). `retry_after` is kept within a minute and a day (section 4.3).
  void learned(const RenewalInfo& info, std::string_view retry_after, Time now);
  // No answer that could be read: asked again in six hours.
  void no_answer(Time now);
  // The CA has no such resource: asked again in a day, since it may have one then.
  void not_offered(Time now);

 private:
  Time draw(Time start, Time end);
  Time not_after_;
  Time renew_at_, ask_at_;
  Time rest_until_ = Time::min();
  std::optional<RenewalInfo> window_;
  Random* random_;
};

// Patience counts what has failed since the last success: 1, 10, 100 minutes, then a day, each up
// to a quarter longer at random, and never before the CA's own word. Not thread-safe.
class Patience final {
 public:
  explicit Patience(Random& random) : random_(&random) {}
  // After one more failure: when to try again.
  [[nodiscard]] Time failed(Time now, std::optional<Time> not_before);
  void succeeded() { failures_ = 0; }
  unsigned failures() const { return failures_; }
  // Goes on counting where a process before stopped.
  void resume(unsigned failures) { failures_ = failures; }

 private:
  Random* random_;
  unsigned failures_ = 0;
};

}  // namespace moat::acme
