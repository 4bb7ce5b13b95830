// SPDX-License-Identifier: Apache-2.0
#include "moat/https/tls.h"

#include <openssl/err.h>

#include <algorithm>

#include "moat/base/hash.h"
#include "moat/https/internal/clients.h"
#include "moat/https/internal/openssl.h"

namespace moat::https {
namespace {

// AEAD with forward secrecy only (RFC 9325 section 4.2), the strongest
// first. TLS_AES_128_GCM_SHA256 stays because TLS 1.3 makes it mandatory.
constexpr char suites_13[] =
    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
constexpr char suites_12[] =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
// RFC 9155: no SHA-1; and nothing with SHA-224, which no client needs.
constexpr char signatures[] =
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
    "RSA+SHA256:RSA+SHA384:RSA+SHA512";
constexpr const char* groups_wanted[] = {"X25519MLKEM768", "X25519", "P-256", "P-384"};

constexpr std::uint64_t options_on =
    SSL_OP_NO_COMPRESSION              // CRIME; RFC 9325 section 3.3
    | SSL_OP_NO_RENEGOTIATION          // RFC 9325 section 3.5: nobody needs it, attackers do
    | SSL_OP_CIPHER_SERVER_PREFERENCE  // our order of suites, strongest first
    | SSL_OP_PRIORITIZE_CHACHA         // unless the client leads with ChaCha: it has no AES unit
    | SSL_OP_CLEANSE_PLAINTEXT;        // passwords do not stay in record buffers
// What a system-wide openssl.cnf may have turned on.
constexpr std::uint64_t options_off =
    SSL_OP_NO_TICKET                            // tickets are how we resume, without memory
    | SSL_OP_ALLOW_NO_DHE_KEX                   // psk_ke: resumption without forward secrecy
    | SSL_OP_NO_EXTENDED_MASTER_SECRET          // RFC 7627, against triple handshakes
    | SSL_OP_NO_ANTI_REPLAY                     // of no use without 0-RTT
    | SSL_OP_ALLOW_CLIENT_RENEGOTIATION         // see above
    | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION  // RFC 5746
    | SSL_OP_LEGACY_SERVER_CONNECT              // RFC 5746, the client's side
    | SSL_OP_IGNORE_UNEXPECTED_EOF;             // an end without close_notify is a truncation

std::string join(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) {
    if (!all.empty()) all += ':';
    all += part;
  }
  return all;
}

}  // namespace

// OpenSSL refuses a list of groups whole where it does not know one of them: ask for each.
std::vector<std::string> set_groups(SSL_CTX* context) {
  std::vector<std::string> known;
  for (const char* const group : groups_wanted)
    if (SSL_CTX_set1_groups_list(context, group) == 1) known.emplace_back(group);
  ERR_clear_error();
  if (!known.empty() && SSL_CTX_set1_groups_list(context, join(known).c_str()) != 1) return {};
  return known;
}

bool set_suites(SSL_CTX* context, TlsPolicy::Versions versions) {
  const int least = versions == TlsPolicy::Versions::modern ? TLS1_3_VERSION : TLS1_2_VERSION;
  return SSL_CTX_set_min_proto_version(context, least) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_ciphersuites(context, suites_13) == 1 &&
         SSL_CTX_set_cipher_list(context, suites_12) == 1 &&
         SSL_CTX_set1_sigalgs_list(context, signatures) == 1;
}

// CVE-2024-4741: in these SSL_free_buffers behind half a record is a use after free.
bool may_free_buffers(unsigned long library) {
  const unsigned long line = library >> 20;  // 0x300: 3.0
  const unsigned long patch = library >> 4 & 0xff;
  if (line == 0x300) return patch >= 14;
  if (line == 0x301) return patch >= 6;
  if (line == 0x302) return patch >= 2;
  if (line == 0x303) return patch >= 1;
  return true;
}

void set_modes(SSL_CTX* context, unsigned long library) {
  SSL_CTX_clear_options(context, options_off);
  SSL_CTX_set_options(context, options_on);
  // 112 bits at least, whatever openssl.cnf says; RFC 9325 section 4.
  SSL_CTX_set_security_level(context, 2);
  // Partial writes and a buffer that may move: what a non-blocking caller needs. Buffers of idle
  // connections are for the caller to free (SSL_free_buffers): SSL_MODE_RELEASE_BUFFERS would do
  // it, and wipe 17 KiB, after each record.
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (!may_free_buffers(library)) SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // one read for all records there are
  // No session is kept here, so nobody can fill a cache: tickets carry them.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, std::chrono::seconds(TicketKeys::ticket_life).count());
  SSL_CTX_set_max_early_data(context, 0);  // RFC 9325 section 3.10: no 0-RTT
  SSL_CTX_set_recv_max_early_data(context, 0);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);  // but see ask_clients
}

struct ServerContext::State {
  OwnedSslCtx context;
  std::vector<std::string> groups;
};

namespace {

// Connections outlive the ServerContext that made them, and their callbacks want the store and the
// keys: so these belong to the SSL_CTX, and die with it.
struct Shared {
  std::shared_ptr<const CertificateStore> certificates;
  std::shared_ptr<const TicketKeys> tickets;
  std::string protocols;                             // as on the wire: a length byte before each
  std::shared_ptr<const ClientAuthorities> clients;  // null: no client is asked
};

void free_shared(void*, void* shared, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Shared*>(shared);
}
const int shared_index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_shared);
// Set on a connection whose ClientHello asks for acme-tls/1 and nothing else.
const int acme_index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
char acme_mark;

const Shared& shared_of(SSL* connection) {
  return *static_cast<const Shared*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), shared_index));
}

std::string_view server_name(SSL* connection) {
  const char* const name = SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? std::string_view() : name;
}

bool is_acme(SSL* connection) { return SSL_get_ex_data(connection, acme_index) != nullptr; }

// RFC 8737 section 3: the client of a challenge names this one protocol. It has to be known before
// the certificate is chosen, and OpenSSL chooses the protocol after it.
int on_hello(SSL* connection, int*, void*) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  // A second ClientHello, after a HelloRetryRequest, starts over.
  if (SSL_get_ex_data(connection, acme_index) != nullptr)
    SSL_set_ex_data(connection, acme_index, nullptr);
  if (SSL_client_hello_get0_ext(connection, TLSEXT_TYPE_application_layer_protocol_negotiation,
                                &data, &size) != 1)
    return SSL_CLIENT_HELLO_SUCCESS;
  // The list's length in two bytes, the name's in one, the name.
  const std::string_view offered(reinterpret_cast<const char*>(data), size);
  if (offered.size() == 3 + acme_protocol.size() && offered.substr(3) == acme_protocol)
    SSL_set_ex_data(connection, acme_index, &acme_mark);
  return SSL_CLIENT_HELLO_SUCCESS;
}

// Called for every ClientHello, also where it names no server.
int on_server_name(SSL* connection, int* alert, void*) {
  const std::string_view name = server_name(connection);
  if (is_acme(connection) || shared_of(connection).certificates->find(name))
    return name.empty() ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;  // RFC 9325 section 3.7
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int on_certificate(SSL* connection, void*) {
  const CertificateStore& store = *shared_of(connection).certificates;
  const std::string_view name = server_name(connection);
  std::vector<std::shared_ptr<const Certificate>> certificates;
  if (is_acme(connection)) {
    SSL_set_verify(connection, SSL_VERIFY_NONE, nullptr);
    if (auto challenge = store.find_challenge(name)) certificates.push_back(std::move(challenge));
  } else {
    certificates = store.find_all(name);
  }
  for (const auto& certificate : certificates) {
    const Certificate::State& state = certificate->state();
    if (SSL_use_cert_and_key(connection, state.leaf.get(), state.key.get(), state.chain.get(), 1) !=
        1)
      return 0;
  }
  return certificates.empty() ? 0 : 1;
}

int on_protocols(SSL* connection, const unsigned char** out, unsigned char* out_size,
                 const unsigned char* offered, unsigned offered_size, void*) {
  const Shared& shared = shared_of(connection);
  if (is_acme(connection)) {
    if (!shared.certificates->find_challenge(server_name(connection)))
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = offered + 1;
    *out_size = static_cast<unsigned char>(acme_protocol.size());
    return SSL_TLSEXT_ERR_OK;
  }
  const auto* const ours = reinterpret_cast<const unsigned char*>(shared.protocols.data());
  const unsigned char* end = offered + offered_size;
  for (std::size_t i = 0; i < shared.protocols.size(); i += std::size_t{1} + ours[i])
    for (const unsigned char* at = offered; at < end && *at < end - at; at += 1 + *at)
      if (*at == ours[i] && std::equal(at + 1, at + 1 + *at, ours + i + 1)) {
        *out = at + 1;
        *out_size = *at;
        return SSL_TLSEXT_ERR_OK;
      }
  return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol, RFC 7301 section 3.2
}

std::optional<std::string> wire_protocols(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255 || protocol == acme_protocol) return std::nullopt;
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

// A session carries what its client has proved. Under other authorities it might not be proved any
// more: so it is of another kind, and not resumed.
bool set_session_kind(SSL_CTX* context, const ClientAuthorities* clients) {
  const Digest kind = sha256("moat" + (clients == nullptr ? std::string() : clients->digest()));
  static_assert(sizeof kind <= SSL_MAX_SID_CTX_LENGTH);
  return SSL_CTX_set_session_id_context(context, kind.data(), kind.size()) == 1;
}

bool set_callbacks(SSL_CTX* context, const TicketKeys& tickets) {
  SSL_CTX_set_client_hello_cb(context, on_hello, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, on_server_name);
  SSL_CTX_set_cert_cb(context, on_certificate, nullptr);
  SSL_CTX_set_alpn_select_cb(context, on_protocols, nullptr);
  return use_ticket_keys(context, tickets);
}

}  // namespace

Result<ServerContext, TlsError> ServerContext::create(
    const TlsPolicy& policy, std::shared_ptr<const CertificateStore> certificates,
    std::shared_ptr<const TicketKeys> tickets) {
  auto protocols = wire_protocols(policy.protocols);
  if (!protocols) return Error{TlsError::bad_protocol};
  auto state = std::make_unique<State>();
  state->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = state->context.get();
  if (context == nullptr || !certificates || !tickets) return Error{TlsError::library};
  auto shared = std::make_unique<Shared>(
      Shared{std::move(certificates), std::move(tickets), std::move(*protocols), policy.clients});
  const TicketKeys& keys = *shared->tickets;
  if (SSL_CTX_set_ex_data(context, shared_index, shared.get()) != 1)
    return Error{TlsError::library};
  static_cast<void>(shared.release());  // the context's now
  state->groups = set_groups(context);
  if (state->groups.empty()) return Error{TlsError::no_group};
  if (!set_suites(context, policy.versions)) return Error{TlsError::no_suite};
  set_modes(context);
  if (!set_callbacks(context, keys) || !set_session_kind(context, policy.clients.get()) ||
      (policy.clients != nullptr && !ask_clients(context, *policy.clients)))
    return Error{TlsError::library};
  return ServerContext(std::move(state));
}

ServerContext::ServerContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerContext::ServerContext(ServerContext&&) noexcept = default;
ServerContext& ServerContext::operator=(ServerContext&&) noexcept = default;
ServerContext::~ServerContext() = default;

ssl_ctx_st* ServerContext::native() const { return state_->context.get(); }
std::string describe_groups() {
  const OwnedSslCtx context(SSL_CTX_new(TLS_server_method()));
  const std::vector<std::string> known =
      context ? set_groups(context.get()) : std::vector<std::string>();
  std::string text;
  for (const std::string& group : known) text.append(text.empty() ? "" : ", ").append(group);
  if (!known.empty() && known.front() == groups_wanted[0]) return text;
  return text + "; " + groups_wanted[0] +
         " (against quantum computers) needs OpenSSL 3.5, and this is " +
         OpenSSL_version(OPENSSL_VERSION_STRING);
}

const std::vector<std::string>& ServerContext::groups() const { return state_->groups; }

std::string_view to_string(TlsError error) {
  switch (error) {
    case TlsError::no_group:
      return "OpenSSL has none of the key exchange groups";
    case TlsError::no_suite:
      return "OpenSSL has none of the cipher suites";
    case TlsError::bad_protocol:
      return "an application protocol is empty, too long or reserved";
    case TlsError::library:
      return "OpenSSL failed to make a context";
  }
  return "unknown";
}

}  // namespace moat::https
