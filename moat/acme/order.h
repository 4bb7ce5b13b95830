// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "moat/acme/messages.h"
#include "moat/base/clock.h"
#include "moat/base/random.h"
#include "moat/base/result.h"
#include "moat/base/secret.h"
#include "moat/jwt/key.h"

namespace moat::acme {

// What binds the account to one at the CA's own (RFC 8555 section 7.3.4).
struct ExternalAccount {
  std::string key_id;
  Secret key;  // bytes, not base64url
};

struct OrderOptions {
  std::string directory;              // URL, https
  std::vector<std::string> contacts;  // e-mail addresses
  bool agree_to_terms = false;        // of the CA; without it no account is made
  std::vector<std::string> names;     // DNS names, "*.name" and IP addresses; 1 to 100
  // Of what the CA offers, the first of these is tried.
  std::vector<ChallengeType> challenges = {ChallengeType::tls_alpn_01, ChallengeType::http_01};
  std::string profile;   // of the CA's directory; empty: its default
  std::string replaces;  // renewal id of the certificate that this one renews (RFC 9773 section 5)
  // For all the CA's checks and its signing, in all; what the caller takes to show is not counted.
  std::chrono::minutes patience{10};
};

// What makes no order of these options, as a sentence: no names, or more than a hundred, one that
// can stand in no certificate, a directory that is no https URL. Nullopt: nothing.
[[nodiscard]] std::optional<std::string> problem_with(const OrderOptions& options);

// Why a certificate is taken back, of what RFC 5280 section 5.3.1 has; the numbers are those there.
enum class RevocationReason {
  unspecified = 0,
  key_compromise = 1,  // the key may be in others' hands
  superseded = 4       // there is another one
};
[[nodiscard]] std::optional<RevocationReason> parse_revocation_reason(std::string_view text);
std::string_view to_string(RevocationReason reason);  // "key-compromise", …

enum class Failure {
  unreachable,       // no answer, or none that HTTP knows
  bad_answer,        // an answer that RFC 8555 does not allow
  refused,           // an error of the CA's: the problem says which
  rate_limited,      // … and it says when to come again, or an hour is assumed
  terms_not_agreed,  // `agree_to_terms` is off
  no_such_profile,   // the CA has no such profile
  no_challenge,      // the CA offers none of the types that are wanted
  not_shown,         // the caller could not show a challenge, or not keep the state
  not_proved,        // the CA looked and did not find it: `name` and `type` say which
  took_too_long,     // `patience` is over
  bad_certificate    // what was issued is no chain for the key and all of the names
};
std::string_view to_string(Failure failure);

// What the caller has to do next, and then to tell.
struct Send {  // then received() or unreachable()
  HttpRequest request;
};
struct Save {    // durably, for nobody else to read; then saved()
  Secret state;  // empty: what was saved is of no use any more
};
struct Show {  // where the CA will look; then shown()
  Challenge challenge;
};
struct Hide {  // no longer needed; then hidden()
  Challenge challenge;
};
struct Wait {  // and call next() again
  Time until;
};
struct Issued {       // the end
  std::string chain;  // PEM, of certificates alone
  Secret key;         // PEM
};
struct Revoked {};  // the end
struct Failed {     // the end
  Failure failure = Failure::bad_answer;
  Problem problem;
  std::string name;                   // that is concerned, or empty
  std::optional<ChallengeType> type;  // that failed
  std::optional<Time> not_before;     // when the CA wants to be asked again
  std::string explain() const;        // a sentence for the log
};
using Action = std::variant<Send, Save, Show, Hide, Wait, Issued, Revoked, Failed>;

// Order gets one certificate from a CA (RFC 8555), from the directory to the chain. Without I/O: it
// says what to do, one thing at a time, and is told what came of it. Nothing is ever sent twice
// that might make a second certificate: the key and the order's URL are saved before the CA is
// asked to issue, and an order that is begun again from there goes on with both.
class Order final {
 public:
  // `account` is an es256 key of its own, kept durably before (RFC 8555 section 11.1); the account
  // is found by it, or made. `saved`: the state of an order of the same names that did not end, or
  // empty; what cannot be read is passed over. The error is a sentence: options or a key that make
  // no order.
  [[nodiscard]] static Result<Order, std::string> create(OrderOptions options,
                                                         std::optional<ExternalAccount> external,
                                                         jwt::Key account, const Secret& saved,
                                                         Random& random);
  // The contrary: takes a certificate back that was issued to that account (RFC 8555 section 7.6).
  // `certificate` is in DER. It only sends and waits, and ends with Revoked (so too where it was
  // taken back before) or Failed.
  [[nodiscard]] static Result<Order, std::string> to_revoke(
      OrderOptions options, std::optional<ExternalAccount> external, jwt::Key account,
      std::string_view certificate, RevocationReason reason, Random& random);
  ~Order();
  Order(Order&&) noexcept;
  Order& operator=(Order&&) noexcept;

  // The same until it is told what came of it. Behind Issued, Revoked and Failed there is nothing.
  [[nodiscard]] Action next(Time now);

  void received(const HttpResponse& response, Time now);
  void unreachable(std::string_view why, Time now);
  void saved(bool done);
  void shown();
  // The caller could not; `why` is for the log.
  void not_shown(std::string_view why);
  void hidden();

 private:
  struct Impl;
  explicit Order(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace moat::acme
