// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/random.h"

namespace moat::doctor {

inline constexpr std::uint16_t ssl30 = 0x0300, tls10 = 0x0301, tls11 = 0x0302, tls12 = 0x0303,
                               tls13 = 0x0304;
inline constexpr std::uint16_t x25519mlkem768 = 0x11ec;

// The first message of a TLS client, to learn what a server would choose. No handshake is ever
// finished with it, so it needs no key: of TLS 1.3 it names groups without a share, and the server
// answers with the group that it wants (RFC 8446 section 4.2.8).
struct ClientHello {
  std::uint16_t version = tls12;      // the only one that is offered
  std::vector<std::uint16_t> suites;  // at most 1000
  std::vector<std::uint16_t> groups;  // at most 1000
  std::string server_name;            // a DNS name of at most 255 bytes; empty: none
  bool offer_compression = false;     // DEFLATE before none; not with TLS 1.3
};
// One record, whole.
[[nodiscard]] std::string encode_client_hello(const ClientHello& hello, Random& random);

struct ServerReply {
  enum class Kind {
    incomplete,  // more bytes are needed
    hello,
    retry,  // a HelloRetryRequest: `group` is what the server wants
    alert,
    not_tls  // or not well-formed
  };
  Kind kind = Kind::incomplete;
  std::uint16_t version = 0;  // chosen
  std::uint16_t suite = 0;
  std::uint8_t compression = 0;
  std::uint16_t group = 0;  // of TLS 1.3; 0: none named
  bool secure_renegotiation = false;
  bool extended_master_secret = false;
  std::uint8_t alert = 0;
};

// A prober gives a server up that has said nothing whole in so many bytes.
inline constexpr std::size_t most_reply = 20480;

// parse_server_reply reads the first message of a server from all the bytes that came so far: a
// ServerHello, in as many records as it pleases, or an alert. What comes behind is not looked at.
[[nodiscard]] ServerReply parse_server_reply(std::string_view bytes);

// The name that IANA gives a suite or group, or its number.
std::string suite_name(std::uint16_t suite);
std::string group_name(std::uint16_t group);

enum class SuiteKind {
  good,                // ECDHE with an AEAD (RFC 9325 section 4.2)
  finite_field,        // DHE with an AEAD: RFC 9325 section 4.1
  cbc,                 // MAC-then-encrypt: Lucky 13
  no_forward_secrecy,  // RSA key exchange, static ECDH
  broken               // no encryption, no authentication, export, RC4, DES, 3DES
};
// Of a suite of TLS 1.2 and before; one that is not known is `broken`.
SuiteKind suite_kind(std::uint16_t suite);
// Those of TLS 1.2 and before that are known here, and the groups.
const std::vector<std::uint16_t>& known_suites();
const std::vector<std::uint16_t>& known_groups();

}  // namespace moat::doctor
