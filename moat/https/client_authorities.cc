// SPDX-License-Identifier: Apache-2.0
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "moat/base/hash.h"
#include "moat/https/internal/clients.h"

namespace moat::https {
namespace {

constexpr std::size_t most_authorities_bytes = 1024 * 1024;  // of PEM
constexpr std::size_t most_lists_bytes = 16 * 1024 * 1024;
// A question (CertificateRequest) names the authorities; no list in a handshake is above 64 KiB.
constexpr std::size_t most_question = 16 * 1024;
constexpr std::size_t most_answer = 16 * 1024;  // of a client's certificates
constexpr int most_between = 4;                 // certificates, of the client's and an authority's
constexpr int least_strength = 112;             // bits; RFC 9325 section 4.5

const int clients_index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);

bool at_end_of_pem() {
  const unsigned long error = ERR_peek_last_error();
  return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
  ~ErrorMark() { ERR_pop_to_mark(); }
};

// Each block of the text has to be what `read` reads. False: one is not, or there is none.
template <class T, class Read>
bool read_all(std::string_view pem, std::size_t most, const Read& read, std::vector<T>& out) {
  if (pem.size() > most) return false;
  const ErrorMark errors;
  const OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  while (bio) {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1)
      return at_end_of_pem() && !out.empty();
    const unsigned char* at = data;
    T one(read(std::string_view(name), &at, size));
    const bool whole = one && at == data + size && header[0] == '\0';
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
    if (!whole) return false;
    out.push_back(std::move(one));
  }
  return false;
}

X509* read_certificate(std::string_view name, const unsigned char** at, long size) {
  return name == PEM_STRING_X509 ? d2i_X509(nullptr, at, size) : nullptr;
}

X509_CRL* read_crl(std::string_view name, const unsigned char** at, long size) {
  return name == PEM_STRING_X509_CRL ? d2i_X509_CRL(nullptr, at, size) : nullptr;
}

std::optional<ClientCaError> check(const std::vector<OwnedX509>& authorities) {
  std::size_t names = 0;
  for (const OwnedX509& one : authorities) {
    if (X509_check_ca(one.get()) != 1) return ClientCaError::not_authority;
    EVP_PKEY* const key = X509_get0_pubkey(one.get());
    if (key == nullptr || EVP_PKEY_get_security_bits(key) < least_strength)
      return ClientCaError::weak_authority;
    const int size = i2d_X509_NAME(X509_get_subject_name(one.get()), nullptr);
    names += static_cast<std::size_t>(std::max(size, 0)) + 2;
  }
  if (names > most_question) return ClientCaError::too_many;
  return std::nullopt;
}

// What a list of revoked certificates cannot be asked of: the authority that was named, which is
// trusted as it is. One above it may not be known here.
bool is_named_authority(X509_STORE_CTX* context, int depth) {
  return depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(context)) - 1;
}

int on_verify(int good, X509_STORE_CTX* context) {
  const int depth = X509_STORE_CTX_get_error_depth(context);
  if (good == 0) {
    if (X509_STORE_CTX_get_error(context) != X509_V_ERR_UNABLE_TO_GET_CRL ||
        !is_named_authority(context, depth))
      return 0;
    X509_STORE_CTX_set_error(context, X509_V_OK);
    return 1;
  }
  // OpenSSL takes a certificate without any extended key usage for one of all purposes (RFC 5280
  // section 4.2.1.12 lets it). An authority of servers and clients would make each server a client.
  if (depth == 0 &&
      X509_get_extended_key_usage(X509_STORE_CTX_get_current_cert(context)) == UINT32_MAX) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_INVALID_PURPOSE);
    return 0;
  }
  return 1;
}

void set_rules(X509_VERIFY_PARAM* rules, bool lists) {
  unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;  // what was named is trusted as it is
  if (lists) flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
  X509_VERIFY_PARAM_set_flags(rules, flags);
  X509_VERIFY_PARAM_set_depth(rules, most_between);
  X509_VERIFY_PARAM_set_auth_level(rules, 2);  // 112 bits
}

}  // namespace

ClientAuthorities::ClientAuthorities(std::unique_ptr<State> state) : state_(std::move(state)) {}
ClientAuthorities::~ClientAuthorities() = default;
std::size_t ClientAuthorities::size() const { return state_->certificates.size(); }
bool ClientAuthorities::has_lists() const { return !state_->lists.empty(); }
const std::string& ClientAuthorities::digest() const { return state_->digest; }

Result<std::shared_ptr<const ClientAuthorities>, ClientCaError> ClientAuthorities::create(
    std::string_view authorities, std::string_view revoked) {
  auto state = std::make_unique<State>();
  if (!read_all(authorities, most_authorities_bytes, read_certificate, state->certificates))
    return Error{ClientCaError::no_authorities};
  if (const auto error = check(state->certificates)) return Error{*error};
  if (!revoked.empty() && !read_all(revoked, most_lists_bytes, read_crl, state->lists))
    return Error{ClientCaError::bad_crl};
  state->store.reset(X509_STORE_new());
  X509_STORE* const store = state->store.get();
  if (store == nullptr) return Error{ClientCaError::library};
  for (const OwnedX509& one : state->certificates) {
    if (X509_STORE_add_cert(store, one.get()) != 1) return Error{ClientCaError::library};
  }
  for (const OwnedCrl& one : state->lists) {
    if (X509_STORE_add_crl(store, one.get()) != 1) return Error{ClientCaError::library};
  }
  set_rules(X509_STORE_get0_param(store), !state->lists.empty());
  const Digest both[] = {sha256(authorities), sha256(revoked)};
  state->digest = as_bytes(sha256(std::string(as_bytes(both[0])).append(as_bytes(both[1]))));
  return std::shared_ptr<const ClientAuthorities>(new ClientAuthorities(std::move(state)));
}

bool ask_clients(SSL_CTX* context, const ClientAuthorities& clients) {
  const ClientAuthorities::State& state = clients.state();
  for (const OwnedX509& one : state.certificates) {
    if (SSL_CTX_add_client_CA(context, one.get()) != 1) return false;
  }
  // Not SSL_VERIFY_FAIL_IF_NO_PEER_CERT: a route decides whether one is needed.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verify);
  SSL_CTX_set_verify_depth(context, most_between);
  SSL_CTX_set_max_cert_list(context, most_answer);
  set_rules(SSL_CTX_get0_param(context), !state.lists.empty());
  return SSL_CTX_set1_verify_cert_store(context, state.store.get()) == 1 &&
         SSL_CTX_set_ex_data(context, clients_index, const_cast<ClientAuthorities*>(&clients)) == 1;
}

const ClientAuthorities* clients_of(SSL* connection) {
  return static_cast<const ClientAuthorities*>(
      SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), clients_index));
}

bool ClientAuthorities::State::verify(X509* leaf, STACK_OF(X509) * others, Time now,
                                      Time& until) const {
  const ErrorMark errors;
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), store.get(), leaf, others) != 1 ||
      X509_STORE_CTX_set_default(context.get(), "ssl_client") != 1)
    return false;
  X509_VERIFY_PARAM* const rules = X509_STORE_CTX_get0_param(context.get());
  set_rules(rules, !lists.empty());
  X509_VERIFY_PARAM_set_time(rules, static_cast<std::time_t>(unix_seconds(now)));
  X509_STORE_CTX_set_verify_cb(context.get(), on_verify);
  if (X509_verify_cert(context.get()) != 1) return false;
  until = end_of(X509_STORE_CTX_get0_chain(context.get()));
  return true;
}

// Of several lists of one authority the newest counts.
Time ClientAuthorities::State::end_of(const STACK_OF(X509) * chain) const {
  Time end = Time::max();
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    X509* const one = sk_X509_value(chain, i);
    end = std::min(end, time_of(X509_get0_notAfter(one)).value_or(Time::min()));
    Time newest = Time::min();
    for (const OwnedCrl& list : lists) {
      if (X509_NAME_cmp(X509_CRL_get_issuer(list.get()), X509_get_issuer_name(one)) != 0) continue;
      newest =
          std::max(newest, time_of(X509_CRL_get0_nextUpdate(list.get())).value_or(Time::max()));
    }
    if (newest != Time::min()) end = std::min(end, newest);
  }
  return end;
}

std::string_view to_string(ClientCaError error) {
  switch (error) {
    case ClientCaError::no_authorities:
      return "no certificate, or something that is none";
    case ClientCaError::not_authority:
      return "a certificate that may not sign others (basicConstraints CA:TRUE): name the "
             "authority of the clients, not a client";
    case ClientCaError::weak_authority:
      return "an authority's key is weak: RSA below 2048 bits or the like";
    case ClientCaError::too_many:
      return "too many authorities: their names are above 16 KiB";
    case ClientCaError::bad_crl:
      return "no list of revoked certificates in PEM (X509 CRL), or something that is none";
    case ClientCaError::library:
      return "OpenSSL failed";
  }
  return "unknown";
}

}  // namespace moat::https
