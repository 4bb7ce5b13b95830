// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/tls_client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "moat/doctor/hello.h"

namespace moat::doctor::internal {
namespace {

constexpr long most_chain = 65536;  // bytes of certificates
constexpr std::size_t most_first = 1024;

// The server wants a certificate: there is none, and that it wants one is worth knowing.
int on_client_certificate(SSL* connection, X509**, EVP_PKEY**) {
  *static_cast<bool*>(SSL_get_app_data(connection)) = true;
  return 0;
}

bool set_up(SSL_CTX* context, const TlsWish& wish) {
  std::string protocols;
  for (const std::string& protocol : wish.protocols)
    protocols += static_cast<char>(protocol.size()) + protocol;
  // Everything with a certificate, however weak, whatever openssl.cnf says.
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_max_cert_list(context, most_chain);
  SSL_CTX_set_client_cert_cb(context, on_client_certificate);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, 0) == 1 &&
         SSL_CTX_set_cipher_list(context, "ALL:!aNULL:!eNULL:@SECLEVEL=0") == 1 &&
         SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp) == 1 &&
         SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                                 static_cast<unsigned>(protocols.size())) == 0;
}

}  // namespace

TlsClient::TlsClient(Socket& socket, const TlsWish& wish, Tick deadline)
    : socket_(socket), deadline_(deadline), context_(SSL_CTX_new(TLS_client_method())) {
  if (context_ == nullptr || !set_up(context_, wish)) return;
  SSL* const ssl = SSL_new(context_);
  in_ = BIO_new(BIO_s_mem());
  out_ = BIO_new(BIO_s_mem());
  const bool named =
      wish.server_name.empty() ||
      (ssl != nullptr && SSL_set_tlsext_host_name(ssl, wish.server_name.c_str()) == 1);
  if (ssl == nullptr || in_ == nullptr || out_ == nullptr || !named) {
    BIO_free(in_);
    BIO_free(out_);
    SSL_free(ssl);
    return;
  }
  SSL_set_bio(ssl, in_, out_);
  SSL_set_app_data(ssl, &asked_who_);
  SSL_set_connect_state(ssl);
  ssl_ = ssl;
}

TlsClient::~TlsClient() {
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  ERR_clear_error();
}

bool TlsClient::send_out() {
  std::array<char, 16384> buffer;
  for (;;) {
    const int size = BIO_read(out_, buffer.data(), static_cast<int>(buffer.size()));
    if (size <= 0) return true;
    if (!socket_.send({buffer.data(), static_cast<std::size_t>(size)}, deadline_)) return false;
  }
}

// Runs one of OpenSSL's calls to its end, carrying its bytes to and from the socket. Zero or less:
// it failed, or the connection ended.
template <class Operation>
int TlsClient::drive(Operation operation) {
  std::array<char, 16384> buffer;
  for (;;) {
    ERR_clear_error();
    const int result = operation();
    const int why = SSL_get_error(ssl_, result);
    error_ = ERR_peek_error();
    const bool sent = send_out();
    if (result > 0) return result;
    if (!sent || why != SSL_ERROR_WANT_READ) return -1;
    const Socket::Received got = socket_.receive(buffer.data(), buffer.size(), deadline_);
    late_ = got.trouble == Socket::Trouble::late;
    if (got.size == 0) return 0;
    if (first_.size() < most_first)
      first_.append(buffer.data(), std::min(got.size, most_first - first_.size()));
    const int size = static_cast<int>(got.size);
    if (BIO_write(in_, buffer.data(), size) != size) return -1;
  }
}

HandshakeFacts TlsClient::failed() const {
  HandshakeFacts out;
  out.state = HandshakeFacts::State::failed;
  out.asks_who = asked_who_;
  if (parse_server_reply(first_).kind == ServerReply::Kind::not_tls) {
    out.state = HandshakeFacts::State::not_tls;
    out.trouble = first_.substr(0, 60);
    return out;
  }
  const char* const reason = error_ == 0 ? nullptr : ERR_reason_error_string(error_);
  out.trouble = late_               ? "no answer in time"
                : reason != nullptr ? reason
                                    : "the connection was closed";
  return out;
}

HandshakeFacts TlsClient::handshake() {
  HandshakeFacts out;
  if (ssl_ == nullptr) {
    out.state = HandshakeFacts::State::failed;
    out.trouble = "OpenSSL failed";
    return out;
  }
  if (drive([this] { return SSL_do_handshake(ssl_); }) != 1) return failed();
  out.state = HandshakeFacts::State::done;
  out.asks_who = asked_who_;
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_, &protocol, &size);
  if (protocol != nullptr) out.protocol.assign(reinterpret_cast<const char*>(protocol), size);
  const unsigned char* staple = nullptr;
  out.stapled = SSL_get_tlsext_status_ocsp_resp(ssl_, &staple) > 0;
  return out;
}

std::uint16_t TlsClient::version() const { return static_cast<std::uint16_t>(SSL_version(ssl_)); }

std::vector<std::string> TlsClient::certificates() const {
  std::vector<std::string> out;
  STACK_OF(X509)* const chain = ssl_ == nullptr ? nullptr : SSL_get_peer_cert_chain(ssl_);
  for (int i = 0; chain != nullptr && i < sk_X509_num(chain); ++i) {
    unsigned char* data = nullptr;
    const int size = i2d_X509(sk_X509_value(chain, i), &data);
    if (size <= 0) break;
    out.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    OPENSSL_free(data);
  }
  return out;
}

bool TlsClient::write(std::string_view bytes) {
  const int size = static_cast<int>(bytes.size());
  return drive([&] { return SSL_write(ssl_, bytes.data(), size); }) == size;
}

Socket::Received TlsClient::read(char* buffer, std::size_t size) {
  const int got = drive([&] { return SSL_read(ssl_, buffer, static_cast<int>(size)); });
  if (got > 0) return {static_cast<std::size_t>(got), Socket::Trouble::none};
  return {0, late_ ? Socket::Trouble::late : Socket::Trouble::none};
}

}  // namespace moat::doctor::internal
