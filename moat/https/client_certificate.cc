// SPDX-License-Identifier: Apache-2.0
#include "moat/https/client_certificate.h"

#include <algorithm>
#include <initializer_list>

#include "moat/base/encoding.h"
#include "moat/https/internal/clients.h"

namespace moat::https {
namespace {

bool is_visible(char c) { return c >= ' ' && c < 0x7f; }

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

// RFC 2253 section 2.4 escapes what would end a part; OpenSSL's flags escape control characters and
// all above ASCII too. Never cut short: what is left might be somebody else's.
std::string subject_of(X509* certificate) {
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (!bio ||
      X509_NAME_print_ex(bio.get(), X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) < 0)
    return {};
  std::string text = text_of(bio.get());
  // A space at an end is escaped with a backslash, and a field's value loses its own.
  const bool safe = text.size() <= ClientCertificate::most_subject &&
                    std::all_of(text.begin(), text.end(), is_visible) &&
                    trim(text).size() == text.size();
  return safe ? text : std::string();
}

// RFC 5280 section 4.1.2.2: 20 bytes at most. OpenSSL would break the line behind 35.
std::string serial_of(X509* certificate) {
  const ASN1_INTEGER* const serial = X509_get0_serialNumber(certificate);
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  if (serial == nullptr || !bio || ASN1_STRING_length(serial) > 32 ||
      i2a_ASN1_INTEGER(bio.get(), serial) < 0)
    return {};
  return text_of(bio.get());
}

void append_name(std::string_view name, std::string& list) {
  constexpr char digits[] = "0123456789ABCDEF";
  if (!list.empty()) list += ',';
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_visible(c) && c != ' ' && c != '%' && c != ',' && c != '"' && c != '\\') {
      list += c;
    } else {
      list.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
}

void read_names(X509* certificate, ClientTexts& texts) {
  const OwnedNames list(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; list && i < sk_GENERAL_NAME_num(list.get()); ++i) {
    int type = 0;
    const auto* text = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(list.get(), i), &type));
    std::string* const kind = type == GEN_DNS     ? &texts.dns_names
                              : type == GEN_EMAIL ? &texts.emails
                              : type == GEN_URI   ? &texts.uris
                                                  : nullptr;
    if (kind == nullptr || ASN1_STRING_length(text) == 0) continue;
    append_name({reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                 static_cast<std::size_t>(ASN1_STRING_length(text))},
                *kind);
    if (texts.dns_names.size() + texts.emails.size() + texts.uris.size() <=
        ClientCertificate::most_names)
      continue;
    // A part of a list is another list.
    for (std::string* const names : {&texts.dns_names, &texts.emails, &texts.uris}) names->clear();
    return;
  }
}

}  // namespace

ClientTexts texts_of(X509* certificate) {
  ClientTexts texts;
  texts.subject = subject_of(certificate);
  texts.fingerprint = fingerprint_of(certificate);
  texts.serial = serial_of(certificate);
  read_names(certificate, texts);
  return texts;
}

struct ClientCertificate::State {
  OwnedX509 leaf;
  OwnedChain others;  // that the client sent along; null in a resumed handshake
  ClientTexts texts;
  // What was found last, by whom, and until when that holds.
  std::string digest;
  bool good = false;
  Time until = Time::min();
};

ClientCertificate::ClientCertificate(ssl_st* connection) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.leaf.reset(SSL_get1_peer_certificate(connection));
  if (!state.leaf) return;  // nobody: good for nothing
  STACK_OF(X509)* const sent = SSL_get_peer_cert_chain(connection);
  if (sent != nullptr) state.others.reset(X509_chain_up_ref(sent));
  state.texts = texts_of(state.leaf.get());
  const ClientAuthorities* const clients = clients_of(connection);
  if (clients == nullptr) return;
  state.digest = clients->digest();
  state.good = true;
  if (SSL_session_reused(connection) == 1) {
    const auto note = ticket_note(SSL_get_session(connection));
    if (note) state.until = from_unix_seconds(note->until);
  } else if (STACK_OF(X509)* const chain = SSL_get0_verified_chain(connection)) {
    state.until = clients->state().end_of(chain);
  }
}

ClientCertificate::~ClientCertificate() = default;
const std::string& ClientCertificate::subject() const { return state_->texts.subject; }
const std::string& ClientCertificate::fingerprint() const { return state_->texts.fingerprint; }
const std::string& ClientCertificate::serial() const { return state_->texts.serial; }
const std::string& ClientCertificate::dns_names() const { return state_->texts.dns_names; }
const std::string& ClientCertificate::emails() const { return state_->texts.emails; }
const std::string& ClientCertificate::uris() const { return state_->texts.uris; }

bool ClientCertificate::is_good(const ClientAuthorities& authorities, Time now) {
  State& state = *state_;
  const bool same = state.digest == authorities.digest();
  if (same && (!state.good || now < state.until)) return state.good;
  state.digest = authorities.digest();
  state.good = state.leaf &&
               authorities.state().verify(state.leaf.get(), state.others.get(), now, state.until);
  return state.good;
}

std::shared_ptr<ClientCertificate> verified_client(ssl_st* connection) {
  if ((SSL_get_verify_mode(connection) & SSL_VERIFY_PEER) == 0 ||
      SSL_get_verify_result(connection) != X509_V_OK ||
      SSL_get0_peer_certificate(connection) == nullptr)
    return nullptr;
  return std::make_shared<ClientCertificate>(connection);
}

std::string why_client_refused(ssl_st* connection) {
  const long verified = SSL_get_verify_result(connection);
  if ((SSL_get_verify_mode(connection) & SSL_VERIFY_PEER) == 0 || verified == X509_V_OK) return {};
  if (verified == X509_V_ERR_INVALID_PURPOSE)
    return "it is not for clients (extended key usage clientAuth)";
  return X509_verify_cert_error_string(verified);
}

}  // namespace moat::https
