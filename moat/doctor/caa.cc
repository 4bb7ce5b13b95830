// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/internal/caa.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "moat/base/encoding.h"

namespace moat::doctor::internal {
namespace {

struct KnownCa {
  std::string_view organization;  // how the O of its certificates begins
  std::string_view domain;        // by which it looks for itself in CAA records
};

// From the CAs' certification practice statements and the CCADB's list of CAA identifiers.
constexpr KnownCa known[] = {
    {"Let's Encrypt", "letsencrypt.org"},
    {"Internet Security Research Group", "letsencrypt.org"},
    {"Google Trust Services", "pki.goog"},
    {"DigiCert", "digicert.com"},
    {"Sectigo", "sectigo.com"},
    {"ZeroSSL", "sectigo.com"},
    {"GlobalSign", "globalsign.com"},
    {"Amazon", "amazon.com"},
    {"Amazon", "amazontrust.com"},
    {"Amazon", "awstrust.com"},
    {"Amazon", "amazonaws.com"},
    {"Microsoft Corporation", "microsoft.com"},
    {"Actalis", "actalis.it"},
    {"Buypass", "buypass.com"},
    {"SSL Corp", "ssl.com"},
    {"GoDaddy.com", "godaddy.com"},
    {"GoDaddy.com", "starfieldtech.com"},
    {"Starfield Technologies", "starfieldtech.com"},
    {"Entrust", "entrust.net"},
    {"HARICA", "harica.gr"},
    {"Hellenic Academic and Research Institutions CA", "harica.gr"},
    {"Certainly", "certainly.com"},
    {"IdenTrust", "identrust.com"},
    {"SwissSign", "swisssign.com"},
};

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Whether one certificate name stands for the host by itself and not as a wildcard.
bool named_itself(const CertificateFacts& certificate, std::string_view host) {
  return std::any_of(certificate.names.begin(), certificate.names.end(),
                     [host](const std::string& name) { return ascii_iequals(name, host); });
}

constexpr std::size_t most_records = 20;

class DnsReader final {
 public:
  explicit DnsReader(std::string_view message) : rest_(message) {}
  std::optional<unsigned> number() {
    const auto two = take(2);
    if (!two) return std::nullopt;
    return static_cast<unsigned>(static_cast<unsigned char>((*two)[0])) << 8 |
           static_cast<unsigned char>((*two)[1]);
  }
  std::optional<std::string_view> take(std::size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }
  // RFC 1035 section 4.1.4: labels up to an empty one or a pointer, which is not followed.
  bool skip_name() {
    for (;;) {
      const auto size = take(1);
      if (!size) return false;
      const auto length = static_cast<unsigned char>(size->front());
      if (length == 0) return true;
      if ((length & 0xc0) == 0xc0) return take(1).has_value();
      if ((length & 0xc0) != 0 || !take(length)) return false;
    }
  }

 private:
  std::string_view rest_;
};

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

std::optional<CaaRecord> parse_caa(std::string_view data) {
  if (data.size() < 3) return std::nullopt;
  const auto flags = static_cast<unsigned char>(data[0]);
  const std::size_t tag_size = static_cast<unsigned char>(data[1]);
  if (tag_size == 0 || data.size() - 2 < tag_size) return std::nullopt;
  const std::string_view tag = data.substr(2, tag_size);
  const bool plain = std::all_of(tag.begin(), tag.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  if (!plain) return std::nullopt;
  return CaaRecord{(flags & 0x80) != 0, ascii_lower(tag), std::string(data.substr(2 + tag_size))};
}

std::vector<CaaRecord> read_caa_answer(std::string_view message) {
  DnsReader reader(message);
  const auto start = reader.take(4);  // identifier and flags
  const auto questions = reader.number();
  const auto answers = reader.number();
  if (!start || !questions || !answers || !reader.take(4)) return {};
  for (unsigned i = 0; i < *questions; ++i)
    if (!reader.skip_name() || !reader.take(4)) return {};
  std::vector<CaaRecord> out;
  for (unsigned i = 0; i < *answers && out.size() < most_records; ++i) {
    const bool named = reader.skip_name();
    const auto type = reader.number();
    const auto rest = reader.take(6);  // class and life
    const auto size = reader.number();
    const auto data = size ? reader.take(*size) : std::nullopt;
    if (!named || !type || !rest || !data) return {};
    if (*type != caa_type) continue;  // an alias on the way
    if (auto record = parse_caa(*data)) out.push_back(std::move(*record));
  }
  return out;
}

CaaVerdict judge_caa(const Caa& caa, const CertificateFacts& certificate, std::string_view host) {
  static constexpr std::array<std::string_view, 7> tags = {
      "issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"};
  std::vector<std::string_view> issue, wild;
  for (const CaaRecord& record : caa.records) {
    // RFC 8659 section 4.1: a critical one that is not understood forbids.
    if (record.critical && std::find(tags.begin(), tags.end(), record.tag) == tags.end())
      return CaaVerdict::forbids;
    const std::string_view value = record.value;
    const std::string_view domain = trim(value.substr(0, std::min(value.find(';'), value.size())));
    if (record.tag == "issue") issue.push_back(domain);
    if (record.tag == "issuewild") wild.push_back(domain);
  }
  // Section 4.3: for wildcards the second kind, where there is any, counts instead of the first.
  const auto& relevant = !wild.empty() && !named_itself(certificate, host) ? wild : issue;
  if (relevant.empty()) return CaaVerdict::unrestricted;
  bool known_ca = false;
  for (const KnownCa& ca : known) {
    if (!starts_with(certificate.issuer_organization, ca.organization)) continue;
    known_ca = true;
    for (const std::string_view domain : relevant)
      if (ascii_iequals(domain, ca.domain)) return CaaVerdict::permits;
  }
  // "issue ;" names nobody, whoever the CA is.
  const bool nobody = std::all_of(relevant.begin(), relevant.end(),
                                  [](std::string_view domain) { return domain.empty(); });
  return known_ca || nobody ? CaaVerdict::forbids : CaaVerdict::unclear;
}

}  // namespace moat::doctor::internal
