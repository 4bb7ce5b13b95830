// SPDX-License-Identifier: Apache-2.0
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <utility>

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

constexpr std::string_view saved_mark = "moat ticket keys 1\n";
constexpr std::size_t saved_size = 16 + 32 + 32 + 8;

template <std::size_t N>
void append(std::string& out, const std::array<unsigned char, N>& bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), N);
}

TicketKey read_saved(std::string_view bytes) {
  TicketKey key;
  std::memcpy(key.name.data(), bytes.data(), 16);
  std::memcpy(key.cipher.data(), bytes.data() + 16, 32);
  std::memcpy(key.mac.data(), bytes.data() + 48, 32);
  std::uint64_t made = 0;
  for (const char byte : bytes.substr(80)) made = made << 8 | static_cast<unsigned char>(byte);
  // What was made "later than ever" is thrown away with what is too far ahead.
  made = std::min(made, static_cast<std::uint64_t>(Time::max().time_since_epoch().count()) / 2);
  key.made = Time(Time::duration(static_cast<std::int64_t>(made)));
  return key;
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

void TicketKeys::State::rotate(Time now, std::chrono::minutes before) {
  const auto dead = [now](const TicketKey& key) {
    return key.made + key_life <= now || key.made > now + rotation;
  };
  keys.erase(std::remove_if(keys.begin(), keys.end(), dead), keys.end());
  if (!keys.empty() && now < keys.front().made + rotation - before) return;
  TicketKey fresh;
  random.fill(fresh.name);
  random.fill(fresh.cipher);
  random.fill(fresh.mac);
  fresh.made = now;
  if (keys.size() == most) keys.pop_back();
  keys.insert(keys.begin(), fresh);
}

TicketKeys::TicketKeys(const Clock& clock, Random& random)
    : state_(std::make_unique<State>(clock, random)) {
  state_->keys.reserve(State::most);  // no reallocation leaves bytes behind
}
TicketKeys::~TicketKeys() = default;

void TicketKeys::rotate() { rotate_early(std::chrono::minutes{0}); }
void TicketKeys::rotate_early(std::chrono::minutes before) {
  const std::lock_guard lock(state_->mutex);
  state_->rotate(state_->clock.now(), before);
}
void TicketKeys::revoke_all() {
  const std::lock_guard lock(state_->mutex);
  state_->keys.clear();
  state_->forgotten = state_->clock.now();
}
std::size_t TicketKeys::size() const {
  const std::lock_guard lock(state_->mutex);
  return state_->keys.size();
}

// A key is its name, both secrets and the microsecond when it was made, in network order.
Secret TicketKeys::save() const {
  const std::lock_guard lock(state_->mutex);
  std::string out(saved_mark);
  out.reserve(saved_mark.size() + State::most * saved_size);  // grown no more: no copy stays
  for (const TicketKey& key : state_->keys) {
    append(out, key.name);
    append(out, key.cipher);
    append(out, key.mac);
    const auto made = static_cast<std::uint64_t>(key.made.time_since_epoch().count());
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(made >> shift));
  }
  return Secret::take(out);
}

bool TicketKeys::merge(const Secret& saved) {
  std::string_view rest = saved.reveal();
  if (rest.substr(0, saved_mark.size()) != saved_mark) return false;
  rest.remove_prefix(saved_mark.size());
  if (rest.size() % saved_size != 0 || rest.size() / saved_size > State::most) return false;
  const std::lock_guard lock(state_->mutex);
  std::vector<TicketKey>& keys = state_->keys;
  for (; !rest.empty(); rest.remove_prefix(saved_size)) {
    const TicketKey key = read_saved(rest.substr(0, saved_size));
    const bool known = std::any_of(keys.begin(), keys.end(),
                                   [&](const TicketKey& own) { return own.name == key.name; });
    if (known || (state_->forgotten && key.made <= *state_->forgotten)) continue;
    const auto at = std::find_if(keys.begin(), keys.end(), [&](const TicketKey& own) {
      return std::pair(own.made, own.name) < std::pair(key.made, key.name);
    });
    if (keys.size() < State::most) {
      keys.insert(at, key);
    } else if (at != keys.end()) {
      std::move_backward(at, keys.end() - 1, keys.end());
      *at = key;
    }
  }
  const Time now = state_->clock.now();
  if (!keys.empty()) state_->rotate(now);
  return true;
}

bool use_ticket_keys(SSL_CTX* context, const TicketKeys& keys) {
  return SSL_CTX_set_ex_data(context, keys_index, &keys.state()) == 1 &&
         SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket_key) == 1 &&
         SSL_CTX_set_session_ticket_cb(context, on_issue, on_open, &keys.state()) == 1;
}

}  // namespace moat::https
