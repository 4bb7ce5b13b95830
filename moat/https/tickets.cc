// SPDX-License-Identifier: Apache-2.0
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "moat/base/encoding.h"
#include "moat/https/internal/clients.h"
#include "moat/https/internal/openssl.h"
#include "moat/https/tls.h"

namespace moat::https {
namespace {

// Clocks of one machine may be set back a little.
constexpr std::chrono::minutes clock_slack{5};

const int keys_index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);

TicketKeys::State* keys_of(SSL* connection) {
  return static_cast<TicketKeys::State*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), keys_index));
}

bool prepare(const TicketKey& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher,
             EVP_MAC_CTX* mac, bool seal) {
  TicketKey copy = key;  // OSSL_PARAM wants mutable bytes
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, copy.mac.data(), copy.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, copy.cipher.data(), iv,
                           seal ? 1 : 0) == 1 &&
         EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

// OpenSSL's format (RFC 5077 section 4, encrypt then MAC); ours are the keys and their lives.
int ticket_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
               EVP_MAC_CTX* mac, int seal) {
  TicketKeys::State* const state = keys_of(connection);
  if (state == nullptr) return -1;
  const std::lock_guard lock(state->mutex);
  state->rotate(state->clock.now());
  if (seal != 0) {
    const TicketKey& key = state->keys.front();
    std::memcpy(name, key.name.data(), key.name.size());
    state->random.fill({iv, static_cast<std::size_t>(EVP_CIPHER_get_iv_length(EVP_aes_256_cbc()))});
    return prepare(key, iv, cipher, mac, true) ? 1 : -1;
  }
  for (const TicketKey& key : state->keys)
    if (CRYPTO_memcmp(key.name.data(), name, key.name.size()) == 0)
      return prepare(key, iv, cipher, mac, false) ? 1 : -1;
  return 0;  // unknown or wiped: a full handshake
}

// The time of the full handshake travels inside the ticket, through every resumption, and OpenSSL's
// own time of the session, which each resumption renews, beside it.
int on_issue(SSL* connection, void* argument) {
  SSL_SESSION* const session = SSL_get_session(connection);
  if (session == nullptr) return 0;
  if (ticket_note(session)) return 1;
  const auto* const state = static_cast<TicketKeys::State*>(argument);
  Time until = Time::max();
  const ClientAuthorities* const clients = clients_of(connection);
  STACK_OF(X509)* const chain = SSL_get0_verified_chain(connection);
  if (clients != nullptr && chain != nullptr) until = clients->state().end_of(chain);
  const TicketNote note{unix_seconds(state->clock.now()), unix_seconds(until)};
  return SSL_SESSION_set1_ticket_appdata(session, &note, sizeof note);
}

// The name that the ClientHello at hand asks for; empty where there is none.
std::string_view offered_name(SSL* connection) {
  const unsigned char* data = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(connection, TLSEXT_TYPE_server_name, &data, &size) != 1) return {};
  // RFC 6066 section 3: the list's length in two bytes, the type in one, the name's length in two.
  if (size < 5 || data[2] != TLSEXT_NAMETYPE_host_name) return {};
  const std::size_t length = static_cast<std::size_t>(data[3]) << 8 | data[4];
  if (length > size - 5) return {};
  return {reinterpret_cast<const char*>(data) + 5, length};
}

// RFC 6066 section 3: a session is not resumed under another name. OpenSSL leaves that to us.
bool same_name(SSL* connection, const SSL_SESSION* session) {
  const char* const name = SSL_SESSION_get0_hostname(session);
  return ascii_iequals(offered_name(connection), name == nullptr ? "" : name);
}

SSL_TICKET_RETURN on_open(SSL* connection, SSL_SESSION* session, const unsigned char*, std::size_t,
                          SSL_TICKET_STATUS status, void* argument) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  const std::optional<TicketNote> note = ticket_note(session);
  if (!note || !same_name(connection, session)) return SSL_TICKET_RETURN_IGNORE_RENEW;
  const auto* const state = static_cast<TicketKeys::State*>(argument);
  const Time now = state->clock.now();
  const auto age = now - from_unix_seconds(note->began);
  if (age >= TicketKeys::ticket_life || age < -clock_slack) return SSL_TICKET_RETURN_IGNORE_RENEW;
  // A client's certificate that has ended meanwhile is to be refused by a full handshake.
  if (SSL_SESSION_get0_peer(session) != nullptr && unix_seconds(now) >= note->until)
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace

std::optional<TicketNote> ticket_note(SSL_SESSION* session) {
  void* data = nullptr;
  std::size_t size = 0;
  TicketNote note{};
  if (SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || size != sizeof note)
    return std::nullopt;
  std::memcpy(&note, data, sizeof note);
  return note;
}

TicketKey::~TicketKey() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

void TicketKeys::State::rotate(Time now) {
  const auto dead = [now](const TicketKey& key) {
    return key.made + key_life <= now || key.made > now + rotation;
  };
  keys.erase(std::remove_if(keys.begin(), keys.end(), dead), keys.end());
  if (!keys.empty() && now < keys.front().made + rotation) return;
  TicketKey fresh;
  random.fill(fresh.name);
  random.fill(fresh.cipher);
  random.fill(fresh.mac);
  fresh.made = now;
  keys.insert(keys.begin(), fresh);
}

TicketKeys::TicketKeys(const Clock& clock, Random& random)
    : state_(std::make_unique<State>(clock, random)) {
  state_->keys.reserve(4);  // no reallocation leaves bytes behind
}
TicketKeys::~TicketKeys() = default;

void TicketKeys::rotate() {
  const std::lock_guard lock(state_->mutex);
  state_->rotate(state_->clock.now());
}
void TicketKeys::revoke_all() {
  const std::lock_guard lock(state_->mutex);
  state_->keys.clear();
}
std::size_t TicketKeys::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->keys.size();
}

bool use_ticket_keys(SSL_CTX* context, const TicketKeys& keys) {
  return SSL_CTX_set_ex_data(context, keys_index, &keys.state()) == 1 &&
         SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key) == 1 &&
         SSL_CTX_set_session_ticket_cb(context, on_issue, on_open, &keys.state()) == 1;
}

}  // namespace moat::https
