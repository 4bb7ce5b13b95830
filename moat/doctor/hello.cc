// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/hello.h"

#include <array>
#include <optional>
#include <set>

namespace moat::doctor {
namespace {

// Types of records, messages and extensions: RFC 8446 section 5.1, 4 and 4.2.
constexpr unsigned record_alert = 21, record_handshake = 22;
constexpr unsigned message_client_hello = 1, message_server_hello = 2;
constexpr unsigned extension_server_name = 0, extension_groups = 10, extension_points = 11,
                   extension_signatures = 13, extension_master_secret = 23, extension_versions = 43,
                   extension_key_share = 51, extension_renegotiation = 0xff01;

constexpr std::size_t most_record = 16384, most_message = 16384;

void put(std::string& out, unsigned value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

// `text` with its length before it.
std::string counted(std::string_view text, int bytes) {
  std::string out;
  put(out, static_cast<unsigned>(text.size()), bytes);
  return out.append(text);
}

std::string numbers(const std::vector<std::uint16_t>& values) {
  std::string out;
  for (const std::uint16_t value : values) put(out, value, 2);
  return out;
}

void add_extension(std::string& out, unsigned type, std::string_view content) {
  put(out, type, 2);
  out += counted(content, 2);
}

std::string extensions_of(const ClientHello& hello) {
  // From ed25519 and ECDSA to RSA with SHA-1: the server may use whatever it has.
  static const std::vector<std::uint16_t> signatures = {
      0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806,
      0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201};
  std::string out;
  if (!hello.server_name.empty()) {
    std::string entry(1, '\0');  // RFC 6066 section 3: a host_name
    entry += counted(hello.server_name, 2);
    add_extension(out, extension_server_name, counted(entry, 2));
  }
  add_extension(out, extension_groups, counted(numbers(hello.groups), 2));
  add_extension(out, extension_signatures, counted(numbers(signatures), 2));
  if (hello.version >= tls13) {
    add_extension(out, extension_versions, counted(numbers({hello.version}), 1));
    add_extension(out, extension_key_share, counted({}, 2));  // no share
  } else {
    add_extension(out, extension_points, counted(std::string_view("\0", 1), 1));
    add_extension(out, extension_master_secret, {});
    add_extension(out, extension_renegotiation, std::string_view("\0", 1));
  }
  return out;
}

// ----------------------------------------------------------------------------------------------
// The answer

class Reader final {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  std::optional<unsigned> number(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    unsigned value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
      value = value << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(bytes);
    return value;
  }
  std::optional<std::string_view> take(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    const std::string_view out = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return out;
  }
  // What stands behind its length.
  std::optional<std::string_view> counted(std::size_t bytes) {
    const auto size = number(bytes);
    if (!size) return std::nullopt;
    return take(*size);
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// RFC 8446 section 4.1.3: SHA-256 of "HelloRetryRequest" in place of the random bytes.
constexpr std::array<unsigned char, 32> retry_random = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

bool is_retry(std::string_view random) {
  for (std::size_t i = 0; i < retry_random.size(); ++i)
    if (static_cast<unsigned char>(random[i]) != retry_random[i]) return false;
  return true;
}

bool read_extension(unsigned type, std::string_view content, ServerReply& out) {
  Reader reader(content);
  if (type == extension_versions) {
    const auto version = reader.number(2);
    if (!version) return false;
    out.version = static_cast<std::uint16_t>(*version);
    return reader.empty();
  }
  if (type == extension_key_share) {
    const auto group = reader.number(2);
    if (!group) return false;
    out.group = static_cast<std::uint16_t>(*group);
    return out.kind == ServerReply::Kind::retry ? reader.empty()
                                                : reader.counted(2).has_value() && reader.empty();
  }
  if (type == extension_renegotiation) {
    // RFC 5746 section 3.4: empty in the first handshake.
    const auto bound = reader.counted(1);
    out.secure_renegotiation = bound && bound->empty() && reader.empty();
    return out.secure_renegotiation;
  }
  if (type == extension_master_secret) {
    out.extended_master_secret = true;
    return content.empty();
  }
  return true;
}

bool read_extensions(std::string_view all, ServerReply& out) {
  Reader reader(all);
  std::set<unsigned> seen;
  while (!reader.empty()) {
    const auto type = reader.number(2);
    const auto content = reader.counted(2);
    if (!type || !content || !seen.insert(*type).second) return false;
    if (!read_extension(*type, *content, out)) return false;
  }
  return true;
}

// RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.3.
bool read_server_hello(std::string_view body, ServerReply& out) {
  Reader reader(body);
  const auto version = reader.number(2);
  const auto random = reader.take(32);
  const auto session = reader.counted(1);
  const auto suite = reader.number(2);
  const auto compression = reader.number(1);
  if (!version || !random || !session || session->size() > 32 || !suite || !compression)
    return false;
  out.kind = is_retry(*random) ? ServerReply::Kind::retry : ServerReply::Kind::hello;
  out.version = static_cast<std::uint16_t>(*version);
  out.suite = static_cast<std::uint16_t>(*suite);
  out.compression = static_cast<std::uint8_t>(*compression);
  if (reader.empty()) return true;
  const auto extensions = reader.counted(2);
  return extensions && reader.empty() && read_extensions(*extensions, out);
}

ServerReply of_kind(ServerReply::Kind kind) {
  ServerReply reply;
  reply.kind = kind;
  return reply;
}

// The message that the records so far make; `incomplete` as long as it is not whole.
ServerReply read_message(std::string_view message) {
  Reader reader(message);
  const auto type = reader.number(1);
  if (type && *type != message_server_hello) return of_kind(ServerReply::Kind::not_tls);
  const auto size = reader.number(3);
  if (!size) return {};
  if (*size > most_message) return of_kind(ServerReply::Kind::not_tls);
  const auto body = reader.take(*size);
  if (!body) return {};
  ServerReply reply;
  if (!read_server_hello(*body, reply)) return of_kind(ServerReply::Kind::not_tls);
  return reply;
}

}  // namespace

std::string encode_client_hello(const ClientHello& hello, Random& random) {
  std::string body;
  // RFC 8446 section 4.1.2: TLS 1.3 calls itself 1.2 here.
  put(body, hello.version >= tls13 ? tls12 : hello.version, 2);
  body += random.bytes(32);
  body += counted(hello.version >= tls13 ? random.bytes(32) : std::string(), 1);
  body += counted(numbers(hello.suites), 2);
  const bool compression = hello.offer_compression && hello.version < tls13;
  body += counted(compression ? std::string_view("\x01\0", 2) : std::string_view("\0", 1), 1);
  if (hello.version != ssl30) body += counted(extensions_of(hello), 2);  // SSL 3.0 knows none
  std::string message;
  put(message, message_client_hello, 1);
  message += counted(body, 3);
  std::string record;
  put(record, record_handshake, 1);
  put(record, hello.version == ssl30 ? ssl30 : tls10, 2);
  return record + counted(message, 2);
}

ServerReply parse_server_reply(std::string_view bytes) {
  std::string message;
  Reader reader(bytes);
  for (;;) {
    const auto type = reader.number(1);
    if (!type) return {};
    if (*type != record_alert && *type != record_handshake)
      return of_kind(ServerReply::Kind::not_tls);
    const auto major = reader.number(1);
    if (!major) return {};
    if (*major != 3) return of_kind(ServerReply::Kind::not_tls);
    const auto minor = reader.number(1);
    const auto size = reader.number(2);
    if (!minor || !size) return {};
    // RFC 8446 section 5.1: no empty fragments; an alert is two bytes.
    if (*size == 0 || *size > most_record || (*type == record_alert && *size != 2))
      return of_kind(ServerReply::Kind::not_tls);
    const auto content = reader.take(*size);
    if (!content) return {};
    if (*type == record_alert) {
      ServerReply reply =
          of_kind(message.empty() ? ServerReply::Kind::alert : ServerReply::Kind::not_tls);
      reply.alert = static_cast<std::uint8_t>((*content)[1]);
      return reply;
    }
    message += *content;
    const ServerReply reply = read_message(message);
    if (reply.kind != ServerReply::Kind::incomplete) return reply;
    if (message.size() > most_message + 4) return of_kind(ServerReply::Kind::not_tls);
  }
}

}  // namespace moat::doctor
