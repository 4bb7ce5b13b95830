// SPDX-License-Identifier: Apache-2.0
#include "moat/https/client_certificate.h"

#include <openssl/err.h>

#include <cstdint>
#include <cstdlib>
#include <span>

#include "moat/https/internal/clients.h"

namespace {

// Safe as the value of a header field, and within its limit.
void check(const std::string& text, std::size_t most) {
  if (text.size() > most) std::abort();
  for (const char c : text)
    if (c < ' ' || c >= 0x7f) std::abort();
  if (!text.empty() && (text.front() == ' ' || text.back() == ' ')) std::abort();
}

void check_names(const std::string& names) {
  if (names.find_first_of(" \"\\") != names.npos) std::abort();
}

}  // namespace

// A client's certificate in DER, whatever its texts are; and the same bytes as the PEM of
// authorities and of lists.
void fuzz(std::span<const std::uint8_t> input) {
  using namespace moat::https;
  if (input.size() > 65536) return;
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  static_cast<void>(ClientAuthorities::create(text, text));
  static_cast<void>(ClientAuthorities::create(text));
  const unsigned char* at = input.data();
  const OwnedX509 certificate(d2i_X509(nullptr, &at, static_cast<long>(input.size())));
  if (certificate) {
    const ClientTexts texts = texts_of(certificate.get());
    check(texts.subject, ClientCertificate::most_subject);
    check(texts.serial, 65);
    if (texts.fingerprint.size() != 64) std::abort();
    check(texts.dns_names + texts.emails + texts.uris, ClientCertificate::most_names);
    for (const std::string* names : {&texts.dns_names, &texts.emails, &texts.uris})
      check_names(*names);
  }
  ERR_clear_error();
}
