// SPDX-License-Identifier: Apache-2.0
#include "moat/https/local_ca.h"

#include <openssl/err.h>

#include <algorithm>

#include "moat/base/encoding.h"
#include "moat/base/ip.h"
#include "moat/https/internal/issue.h"
#include "moat/https/internal/name_constraints.h"

namespace moat::https {
namespace {

using std::chrono::days;

constexpr days root_life{3652};
constexpr days root_margin{365};  // a root is replaced a year before its end
constexpr days intermediate_life{30};
constexpr days leaf_life{7};
// Clocks of guests and phones lag; a certificate from the future is refused.
constexpr std::chrono::hours back_dated{1};

Blueprint blueprint(std::string common_name, Time now, days life) {
  return {std::move(common_name), now - back_dated, now - back_dated + life, {}};
}

// Tells the roots of several machines apart, in a trust store's list.
std::string root_name() { return "Moat local CA " + hex_encode(system_random().bytes(4)); }

Pair make_root(const std::string& constraints, Time now) {
  Blueprint b = blueprint(root_name(), now, root_life);
  b.extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:1"},
                  {NID_key_usage, "critical,keyCertSign,cRLSign"},
                  {NID_ext_key_usage, "serverAuth"},
                  {NID_name_constraints, constraints},
                  {NID_subject_key_identifier, "hash"}};
  return issue(b, nullptr);
}

Pair make_intermediate(const Pair& root, const std::string& constraints, Time now) {
  Blueprint b = blueprint("Moat local intermediate", now, intermediate_life);
  b.extensions = {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
                  {NID_key_usage, "critical,keyCertSign,cRLSign"},
                  {NID_ext_key_usage, "serverAuth"},
                  {NID_name_constraints, constraints},
                  {NID_subject_key_identifier, "hash"},
                  {NID_authority_key_identifier, "keyid:always"}};
  return issue(b, &root);
}

std::vector<Extension> server_extensions(const std::string& names) {
  return {{NID_basic_constraints, "critical,CA:FALSE"},
          {NID_key_usage, "critical,digitalSignature"},
          {NID_ext_key_usage, "serverAuth"},
          {NID_subject_key_identifier, "hash"},
          {NID_subject_alt_name, names}};
}

Pair make_leaf(const Pair& intermediate, const std::string& names, Time now) {
  Blueprint b = blueprint("Moat local server", now, leaf_life);
  b.extensions = server_extensions(names);
  b.extensions.push_back({NID_authority_key_identifier, "keyid:always"});
  return issue(b, &intermediate);
}

bool due(X509* certificate, Time now) {
  const auto begin = time_of(X509_get0_notBefore(certificate));
  const auto end = time_of(X509_get0_notAfter(certificate));
  return !begin || !end || now < *begin || needs_renewal(*begin, *end, now);
}

bool signed_by(X509* certificate, const Pair& issuer) {
  return X509_check_issued(issuer.certificate.get(), certificate) == X509_V_OK &&
         X509_verify(certificate, issuer.key.get()) == 1;
}

bool sound_root(const Pair& root, const std::vector<std::string>& names, Time now) {
  if (!root || !signed_by(root.certificate.get(), root)) return false;
  // A root that begins in the future is kept: the clock is wrong, and the root trusted somewhere.
  const auto end = time_of(X509_get0_notAfter(root.certificate.get()));
  return end && *end - now > root_margin && permits(root.certificate.get(), names);
}

bool sound_intermediate(const Pair& intermediate, const Pair& root,
                        const std::vector<std::string>& names, Time now) {
  return intermediate && signed_by(intermediate.certificate.get(), root) &&
         permits(intermediate.certificate.get(), names) &&
         !due(intermediate.certificate.get(), now);
}

bool sound_leaf(const Issued& issued, const Pair& intermediate, std::vector<std::string> names,
                Time now) {
  const Pair leaf = read_pair(issued);
  if (!leaf || !signed_by(leaf.certificate.get(), intermediate) || due(leaf.certificate.get(), now))
    return false;
  const PemCertificates chain = read_certificates(issued.certificate);
  if (chain.certificates.size() != 2 ||
      X509_cmp(chain.certificates[1].get(), intermediate.certificate.get()) != 0)
    return false;
  std::vector<std::string> present = names_of(leaf.certificate.get()).all;
  std::sort(present.begin(), present.end());
  std::sort(names.begin(), names.end());
  return present == names;
}

std::vector<std::string> together(const std::vector<std::string>& a,
                                  const std::vector<std::string>& b) {
  std::vector<std::string> all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

void add_once(std::vector<std::string>& list, std::string value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(std::move(value));
}

struct ErrorMark {
  ErrorMark() { ERR_set_mark(); }
  ErrorMark(const ErrorMark&) = delete;
  ErrorMark& operator=(const ErrorMark&) = delete;
  ~ErrorMark() { ERR_pop_to_mark(); }
};

}  // namespace

Result<LocalCa, LocalCaError> LocalCa::create(const std::vector<std::string>& names) {
  LocalCa ca;
  // No "*.localhost": Firefox takes a wildcard over one label for a broken certificate, and refuses
  // all of it; Chromium ignores it.
  ca.dns_ = {"localhost"};
  ca.ips_ = {"127.0.0.1", "::1"};
  for (const std::string& text : names) {
    if (const auto address = IpAddress::parse(text)) {
      add_once(ca.ips_, address->to_string());
      continue;
    }
    std::string name = checked_dns_name(text);
    if (name.empty()) return Error{LocalCaError::bad_name};
    const bool wildcard = name[0] == '*';
    const std::string base = wildcard ? name.substr(2) : name;
    if (base.find('.') == std::string::npos && (wildcard || base != "localhost"))
      return Error{LocalCaError::too_wide};
    add_once(ca.dns_, std::move(name));
  }
  return ca;
}

Result<LocalCaState, LocalCaError> LocalCa::make(Time now) const {
  LocalCaState state;
  MOAT_TRY(const Renewed renewed, renew(state, now));
  static_cast<void>(renewed);
  return state;
}

Result<LocalCa::Renewed, LocalCaError> LocalCa::renew(LocalCaState& state, Time now) const {
  const ErrorMark errors;
  const std::vector<std::string> names = together(dns_, ips_);
  const std::string constraints = constraints_for(dns_, ips_);
  LocalCaState next;
  Renewed renewed = Renewed::nothing;

  Pair root = read_pair(state.root);
  if (!sound_root(root, names, now)) {
    root = make_root(constraints, now);
    if (!root) return Error{LocalCaError::library};
    next.root = to_pem(root);
    renewed = Renewed::all;
  }
  Pair intermediate = read_pair(state.intermediate);
  if (renewed != Renewed::nothing || !sound_intermediate(intermediate, root, names, now)) {
    intermediate = make_intermediate(root, constraints, now);
    if (!intermediate) return Error{LocalCaError::library};
    next.intermediate = to_pem(intermediate);
    if (renewed == Renewed::nothing) renewed = Renewed::intermediate_and_leaf;
  }
  if (renewed != Renewed::nothing || !sound_leaf(state.leaf, intermediate, names, now)) {
    const Pair leaf = make_leaf(intermediate, alternative_names(dns_, ips_), now);
    if (!leaf) return Error{LocalCaError::library};
    next.leaf = to_pem(leaf);
    next.leaf.certificate += to_pem(intermediate).certificate;
    if (renewed == Renewed::nothing) renewed = Renewed::leaf;
  }
  // All or nothing: the state changes only now.
  if (renewed == Renewed::all) state.root = std::move(next.root);
  if (renewed == Renewed::all || renewed == Renewed::intermediate_and_leaf)
    state.intermediate = std::move(next.intermediate);
  if (renewed != Renewed::nothing) state.leaf = std::move(next.leaf);
  return renewed;
}

Result<Issued, LocalCaError> self_signed(std::string_view name, Time now) {
  const auto address = IpAddress::parse(name);
  const std::string dns = address ? std::string() : checked_dns_name(name);
  if (!address && dns.empty()) return Error{LocalCaError::bad_name};
  Blueprint b = blueprint("Moat, waiting for a certificate", now, leaf_life);
  b.extensions = server_extensions(address ? "IP:" + address->to_string() : "DNS:" + dns);
  const Pair pair = issue(b, nullptr);
  if (!pair) return Error{LocalCaError::library};
  return to_pem(pair);
}

Result<Issued, LocalCaError> acme_challenge(std::string_view name,
                                            std::string_view key_authorization_digest, Time now) {
  const auto address = IpAddress::parse(name);
  const std::string dns = address ? std::string() : checked_dns_name(name);
  if ((!address && (dns.empty() || dns[0] == '*')) || key_authorization_digest.size() != 32)
    return Error{LocalCaError::bad_name};
  Blueprint b = blueprint("ACME challenge", now, days{1});
  b.extensions = server_extensions(address ? "IP:" + address->to_string() : "DNS:" + dns);
  const Pair pair = issue(b, nullptr);
  // acmeIdentifier: an OCTET STRING of 32 bytes, critical.
  std::string der("\x04\x20", 2);
  der += key_authorization_digest;
  if (!pair || !add_critical_octets(pair, "1.3.6.1.5.5.7.1.31", der))
    return Error{LocalCaError::library};
  return to_pem(pair);
}

std::string certificate_fingerprint(std::string_view certificate_pem) {
  const PemCertificates read = read_certificates(certificate_pem);
  return read.certificates.empty() ? std::string() : fingerprint_of(read.certificates[0].get());
}

std::string_view to_string(LocalCaError error) {
  switch (error) {
    case LocalCaError::bad_name:
      return "neither a DNS name nor an IP address";
    case LocalCaError::too_wide:
      return "a name of one label would open the local CA to all names below it";
    case LocalCaError::bad_state:
      return "a certificate or key of the local CA cannot be read";
    case LocalCaError::library:
      return "OpenSSL failed to make a certificate";
  }
  return "unknown";
}

}  // namespace moat::https
