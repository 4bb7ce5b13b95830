// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "moat/base/encoding.h"
#include "moat/https/certificate.h"
#include "moat/https/local_ca.h"

namespace {

using namespace moat;

const Time now = from_unix_seconds(1'800'000'000);

const https::LocalCa& ca() {
  static const https::LocalCa made = https::LocalCa::create({"app.test"}).value();
  return made;
}
const https::LocalCaState& state() {
  static const https::LocalCaState made = ca().make(now).value();
  return made;
}

void check(std::string_view chain, const Secret& key) {
  const auto certificate = https::Certificate::from_pem(chain, key, now);
  if (!certificate) {
    if (https::to_string(certificate.error()) == "unknown") std::abort();
    return;
  }
  if (certificate->names().empty() || certificate->fingerprint().size() != 64 ||
      certificate->not_before() > now || certificate->not_after() < now)
    std::abort();
  for (const std::string& name : certificate->names())
    if (name.substr(0, 1) != "*" && !certificate->covers(name)) std::abort();
}

// The leaf's DER with some bytes changed, in PEM again: gets past the signature's encoding and
// nowhere past the signature.
std::string damaged_leaf(std::string_view edits) {
  const std::string& pem = state().leaf.certificate;
  const std::size_t begin = pem.find('\n') + 1;
  std::string text;
  for (const char c : pem.substr(begin, pem.find("-----END") - begin))
    if (c != '\n') text += c;
  std::string der = base64_decode(text).value();
  for (std::size_t i = 0; i + 2 < edits.size(); i += 3) {
    const std::size_t at = std::size_t{static_cast<unsigned char>(edits[i])} << 8 |
                           static_cast<unsigned char>(edits[i + 1]);
    der[at % der.size()] = edits[i + 2];
  }
  text = base64_encode(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t i = 0; i < text.size(); i += 64) out += text.substr(i, 64) + "\n";
  return out + "-----END CERTIFICATE-----\n";
}

}  // namespace

// The first byte chooses what the rest is: a chain, a key, edits of a good certificate, or the
// state of a local CA.
void fuzz(std::span<const std::uint8_t> input) {
  if (input.empty() || input.size() > 20000) return;
  const std::string_view rest(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
  // Renewing makes keys, which is slow: one first byte of 256.
  switch (input[0] == 0xff ? 3 : input[0] % 3) {
    case 0:
      check(rest, state().leaf.key);
      // Only a root that is itself constrained may pass, and ours is not in the corpus.
      static_cast<void>(https::is_constrained_root(rest));
      break;
    case 1:
      check(state().leaf.certificate, Secret::copy_of(rest));
      break;
    case 2: {
      const std::string damaged = damaged_leaf(rest);
      check(damaged + state().intermediate.certificate, state().leaf.key);
      static_cast<void>(https::is_constrained_root(damaged));
      break;
    }
    default: {
      https::LocalCaState broken;
      broken.root = {state().root.certificate, state().root.key.clone()};
      broken.intermediate = {std::string(rest), Secret::copy_of(rest)};
      broken.leaf = {std::string(rest), state().leaf.key.clone()};
      if (!ca().renew(broken, now)) std::abort();
      if (ca().renew(broken, now).value() != https::LocalCa::Renewed::nothing) std::abort();
    }
  }
}
