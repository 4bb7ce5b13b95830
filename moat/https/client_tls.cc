// SPDX-License-Identifier: Apache-2.0
#include "moat/https/client_tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <mutex>

#include "moat/base/ip.h"
#include "moat/https/internal/issue.h"
#include "moat/https/internal/openssl.h"

namespace moat::https {
namespace {

constexpr std::size_t most_roots = 1024 * 1024;  // bytes of PEM

using OwnedSession = Owned<SSL_SESSION, SSL_SESSION_free>;

// The newest session that the server gave. Connections outlive the ClientContext, so this belongs
// to the SSL_CTX.
struct Sessions {
  std::mutex mutex;
  OwnedSession newest;
};

void free_sessions(void*, void* sessions, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<Sessions*>(sessions);
}
const int sessions_index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_sessions);

Sessions& sessions_of(SSL_CTX* context) {
  return *static_cast<Sessions*>(SSL_CTX_get_ex_data(context, sessions_index));
}

int on_session(SSL* connection, SSL_SESSION* session) {
  Sessions& sessions = sessions_of(SSL_get_SSL_CTX(connection));
  // A copy: OpenSSL spoils its own where a connection is cut without a farewell.
  OwnedSession copy(SSL_SESSION_dup(session));
  const std::lock_guard lock(sessions.mutex);
  sessions.newest = std::move(copy);
  return 0;
}

// Each certificate of the text; false where there is none, or something else.
bool add_roots(SSL_CTX* context, std::string_view pem) {
  if (pem.size() > most_roots) return false;
  const OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  std::size_t count = 0;
  if (!bio || store == nullptr) return false;
  for (;; ++count) {
    const OwnedX509 certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return false;
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return at_end && count > 0;
}

}  // namespace

struct ClientContext::State {
  OwnedSslCtx context;
  std::string name;
  bool is_address = false;
};

Result<ClientContext, ClientTlsError> ClientContext::create(const ClientPolicy& policy) {
  auto state = std::make_unique<State>();
  state->is_address = IpAddress::parse(policy.name).has_value();
  state->name = state->is_address ? policy.name : checked_dns_name(policy.name);
  if (state->name.empty() || state->name.front() == '*') return Error{ClientTlsError::bad_name};
  ERR_clear_error();
  state->context.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = state->context.get();
  auto sessions = std::make_unique<Sessions>();
  if (context == nullptr || SSL_CTX_set_ex_data(context, sessions_index, sessions.get()) != 1)
    return Error{ClientTlsError::library};
  static_cast<void>(sessions.release());  // the context's now
  if (!set_suites(context, TlsPolicy::Versions::tls12_and_13) || set_groups(context).empty())
    return Error{ClientTlsError::library};
  set_modes(context);
  // OpenSSL keeps none; on_session keeps one.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_session);
  static constexpr unsigned char http11[] = "\x08http/1.1";
  if (SSL_CTX_set_alpn_protos(context, http11, sizeof http11 - 1) != 0)
    return Error{ClientTlsError::library};
  if (policy.own) {
    const Certificate::State& own = policy.own->state();
    if (SSL_CTX_use_cert_and_key(context, own.leaf.get(), own.key.get(), own.chain.get(), 1) != 1)
      return Error{ClientTlsError::library};
  }
  if (policy.allow_unverified) return ClientContext(std::move(state));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (policy.roots.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) return Error{ClientTlsError::library};
  } else {
    if (!add_roots(context, policy.roots)) return Error{ClientTlsError::no_roots};
    // What was named is trusted as it is: an intermediate, or the server's own certificate.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  }
  return ClientContext(std::move(state));
}

ClientContext::ClientContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientContext::ClientContext(ClientContext&&) noexcept = default;
ClientContext& ClientContext::operator=(ClientContext&&) noexcept = default;
ClientContext::~ClientContext() = default;

ssl_ctx_st* ClientContext::native() const { return state_->context.get(); }

bool ClientContext::prepare(ssl_st* connection) const {
  const State& state = *state_;
  X509_VERIFY_PARAM* const expected = SSL_get0_param(connection);
  // RFC 9525 section 6.3: a wildcard is a whole label.
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (state.is_address) {
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, state.name.c_str()) != 1) return false;
  } else if (X509_VERIFY_PARAM_set1_host(expected, state.name.c_str(), state.name.size()) != 1 ||
             SSL_set_tlsext_host_name(connection, state.name.c_str()) != 1) {
    return false;
  }
  OwnedSession session;
  {
    Sessions& sessions = sessions_of(SSL_get_SSL_CTX(connection));
    const std::lock_guard lock(sessions.mutex);
    session = std::move(sessions.newest);  // RFC 8446 appendix C.4: a ticket is used once
  }
  if (session) SSL_set_session(connection, session.get());
  return true;
}

std::string_view to_string(ClientTlsError error) {
  switch (error) {
    case ClientTlsError::bad_name:
      return "neither a DNS name nor an IP address";
    case ClientTlsError::no_roots:
      return "no certificate, or something that is none";
    case ClientTlsError::library:
      return "OpenSSL failed to make a context";
  }
  return "unknown";
}

std::string why_refused(ssl_st* connection, unsigned long error) {
  const long verified = SSL_get_verify_result(connection);
  const bool judged = (SSL_get_verify_mode(connection) & SSL_VERIFY_PEER) != 0;
  if (judged && verified != X509_V_OK) {
    switch (verified) {
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return "certificate is for another name";
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return "certificate has expired";
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return "certificate is not valid yet";
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "certificate is from an unknown authority";
      default:
        return std::string("certificate: ") + X509_verify_cert_error_string(verified);
    }
  }
  if (error == 0 || ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return "closed during the TLS handshake";
  switch (ERR_GET_REASON(error)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
      return "does not speak TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "speaks no TLS 1.2 or 1.3";
    default: {
      const char* const text = ERR_reason_error_string(error);
      return std::string("TLS handshake: ") + (text == nullptr ? "failed" : text);
    }
  }
}

}  // namespace moat::https
