// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/doctor/target.h"

namespace moat::doctor {

// What was seen of a site from outside. Texts are the server's own, unchecked; sizes are bounded by
// who gathered them.

enum class Reach {
  untried,
  open,
  refused,
  timed_out,
  no_route,  // this machine has no way there: says nothing about the site
  failed
};

struct Contact {
  IpAddress address;
  Reach https = Reach::untried;
  std::chrono::milliseconds https_time{};
  Reach http = Reach::untried;
};

struct CaaRecord {
  bool critical = false;
  std::string tag;  // lower case
  std::string value;
};

// The CAA records that hold for the name (RFC 8659): its own, or those of the nearest name above.
struct Caa {
  enum class State { not_asked, none, found, failed } state = State::not_asked;
  std::string at;  // found: the name that has them
  std::vector<CaaRecord> records{};
};

struct CertificateFacts {
  std::string subject, issuer;      // one line each
  std::string issuer_organization;  // the issuer's O, if any
  std::vector<std::string> names;   // DNS names and addresses
  Time not_before, not_after;
  std::string key;  // "RSA 2048"
  bool weak_key = false;
  std::string signature;  // "ecdsa-with-SHA256"
  bool weak_signature = false;
  bool self_signed = false;
};

enum class Trust {
  trusted,
  self_signed,   // the server's certificate signed itself
  unknown_root,  // the chain ends in a root that is not trusted
  incomplete,    // an issuer was neither sent nor is it trusted
  wrong_purpose,
  refused  // another reason: `trust_detail`
};

struct ChainFacts {
  std::vector<CertificateFacts> sent;  // the server's own first; at most `most_examined`
  std::size_t sent_count = 0;
  Trust trust = Trust::refused;
  std::string trust_detail;
  std::vector<CertificateFacts> path;  // trusted: from the server's own to below the root
  bool in_order = false;               // each is followed by who signed it
  bool root_sent = false;
  bool name_matches = false;
  bool must_staple = false;  // RFC 7633
};

enum class Offer { untested, accepted, refused };

struct VersionFacts {
  Offer ssl30 = Offer::untested, tls10 = Offer::untested, tls11 = Offer::untested,
        tls12 = Offer::untested, tls13 = Offer::untested;
};

// What a ServerHello of TLS 1.2 tells of the connection.
struct HelloFacts {
  bool compression = false;
  bool secure_renegotiation = false;
  bool extended_master_secret = false;
};

struct HandshakeFacts {
  enum class State { untried, done, failed, not_tls } state = State::untried;
  std::string trouble;   // failed: why
  std::string protocol;  // the application protocol, of h2 and http/1.1; empty: none
  bool stapled = false;
  bool asks_who = false;  // for a certificate of the client
};

// An answer over HTTP/1.1 to a request that was sent at `asked`.
struct HttpFacts {
  enum class State { untried, answered, silent, malformed, too_large } state = State::untried;
  std::string trouble;  // silent: how; malformed: the parser's word for it
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  Time asked, answered;

  std::vector<std::string_view> all(std::string_view name) const;
  // The first of that name, or empty.
  std::string_view field(std::string_view name) const;
};

struct TlsFacts {
  Target target;
  std::string unresolved;  // not empty: why the name has no address
  std::vector<Contact> contacts;
  Caa caa;
  HandshakeFacts handshake;
  ChainFacts chain;  // empty: none was seen
  VersionFacts versions;
  std::optional<HelloFacts> hello;
  std::uint16_t suites_version = 0;   // of the next: 0x0303 is TLS 1.2; 0: untested
  std::vector<std::uint16_t> suites;  // accepted, in the order in which the server chose them
  bool suites_complete = false;       // the server refused all others
  bool groups_tested = false;
  std::vector<std::uint16_t> groups;  // of TLS 1.3, likewise
  Offer unknown_name = Offer::untested;
  std::string unknown_name_subject;  // accepted: whose certificate was shown
  HttpFacts https;                   // GET /
  HttpFacts plain_get, plain_post;

  // Whether anything took a connection on the HTTPS port.
  bool reached() const;
};

}  // namespace moat::doctor
