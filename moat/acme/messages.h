// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/hash.h"
#include "moat/base/result.h"

namespace moat::acme {

// What is to be sent to the CA. A post is always application/jose+json.
struct HttpRequest {
  enum class Method { get, head, post } method = Method::get;
  std::string url;  // https
  std::string body;
};

// What came back. Redirects are not followed: RFC 8555 needs none, and what is signed names its
// URL.
struct HttpResponse {
  int status = 0;
  std::string body;  // at most `max_body` bytes: longer is a failure of the sender's
  // Fields of the same names; empty where there was none.
  std::string content_type;
  std::string location;
  std::string replay_nonce;
  std::string retry_after;
};
inline constexpr std::size_t max_body = 256 * 1024;

// How the CA may find out that a name is ours.
enum class ChallengeType {
  tls_alpn_01,  // RFC 8737: a certificate on port 443, by ALPN
  http_01,      // RFC 8555 section 8.3: a file on port 80
  dns_01        // section 8.4: a TXT record; the only one for wildcards
};
std::string_view to_string(ChallengeType type);  // "tls-alpn-01", …
[[nodiscard]] std::optional<ChallengeType> parse_challenge_type(std::string_view text);

// One proof to be shown.
struct Challenge {
  ChallengeType type = ChallengeType::tls_alpn_01;
  std::string name;   // the DNS name or IP address to be proved, without "*."
  std::string token;  // base64url
  std::string key_authorization;

  // Of http-01: "/.well-known/acme-challenge/" and the token. The body is the key authorization.
  std::string path() const;
  // Of tls-alpn-01: what the certificate's extension holds.
  Digest digest() const;
  // Of dns-01: the name of the TXT record and its text.
  std::string record() const;
  std::string record_text() const;
};

// An error of the CA's (RFC 8555 section 6.7).
struct Problem {
  std::string type;    // without "urn:ietf:params:acme:error:"; empty where it was none of those
  std::string detail;  // for people, from the CA: at most 500 printable characters
  bool operator==(const Problem&) const = default;
};

// Seconds or a date (RFC 9110 section 10.2.3), from `now` on, kept within `least` and `most`;
// nullopt for neither.
[[nodiscard]] std::optional<Time> parse_retry_after(std::string_view text, Time now,
                                                    std::chrono::seconds least,
                                                    std::chrono::seconds most);

}  // namespace moat::acme
