// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "moat/doctor/internal/caa.h"
#include "moat/doctor/internal/judge.h"

namespace moat::doctor::internal {
namespace {

// RFC 6890: what no stranger reaches.
bool is_private(const IpAddress& address) {
  static const std::array<Cidr, 9> networks = [] {
    const char* const texts[] = {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10",
                                 "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
                                 "::/128",         "fc00::/7",      "fe80::/10"};
    std::array<Cidr, 9> out;
    std::transform(std::begin(texts), std::end(texts), out.begin(),
                   [](const char* text) { return *Cidr::parse(text); });
    return out;
  }();
  return address.is_loopback() ||
         std::any_of(networks.begin(), networks.end(),
                     [&](const Cidr& network) { return network.contains(address); });
}

std::string print(const Contact& contact) { return contact.address.to_string(); }

void judge_caa_records(const TlsFacts& facts, Findings& out) {
  const Caa& caa = facts.caa;
  const auto print_record = [](const CaaRecord& record) {
    return shown(record.tag, 20) + " \"" + shown(record.value, 80) + "\"";
  };
  const std::string records = shown(caa.at) + ": " + list(caa.records, print_record);
  switch (caa.state) {
    case Caa::State::not_asked:
      return;
    case Caa::State::failed:
      out.push_back(finding("dns.caa_failed", {}));
      return;
    case Caa::State::none:
      out.push_back(finding("dns.caa_missing", {}));
      return;
    case Caa::State::found:
      break;
  }
  const bool known = facts.chain.trust == Trust::trusted && !facts.chain.sent.empty();
  if (!known) {
    out.push_back(finding("dns.caa_unclear", records));
    return;
  }
  const CertificateFacts& leaf = facts.chain.sent.front();
  const std::string both = records + "; issued by " + shown(leaf.issuer);
  switch (judge_caa(caa, leaf, facts.target.host)) {
    case CaaVerdict::unrestricted:
      out.push_back(finding("dns.caa_missing", records + ", which names no CA"));
      break;
    case CaaVerdict::permits:
      out.push_back(finding("dns.caa_permits", both));
      break;
    case CaaVerdict::forbids:
      out.push_back(finding("dns.caa_forbids", both));
      break;
    case CaaVerdict::unclear:
      out.push_back(finding("dns.caa_unclear", both));
      break;
  }
}

std::string time_class(std::chrono::milliseconds time) {
  if (time.count() < 10) return "under 10 ms";
  if (time.count() < 50) return "under 50 ms";
  if (time.count() < 200) return "under 200 ms";
  if (time.count() < 1000) return "under 1 s";
  return "1 s or more";
}

std::string_view why_closed(Reach reach) {
  switch (reach) {
    case Reach::untried:
      return "not tried";
    case Reach::open:
      return "open";
    case Reach::refused:
      return "refused";
    case Reach::timed_out:
      return "no answer in time";
    case Reach::no_route:
      return "no way there from this machine";
    case Reach::failed:
      return "failed";
  }
  return "failed";
}

}  // namespace

void judge_dns(const TlsFacts& facts, Findings& out) {
  if (!facts.unresolved.empty()) {
    out.push_back(finding("dns.unresolved", facts.unresolved));
    return;
  }
  const bool asked = !facts.target.literal() && !facts.target.address;
  if (asked) out.push_back(finding("dns.resolved", list(facts.contacts, print)));
  const auto is_v4 = [](const Contact& contact) { return contact.address.is_v4(); };
  const bool any_v4 = std::any_of(facts.contacts.begin(), facts.contacts.end(), is_v4);
  const bool any_v6 = !std::all_of(facts.contacts.begin(), facts.contacts.end(), is_v4);
  if (asked && !facts.target.is_local()) {
    if (!any_v6) out.push_back(finding("dns.no_ipv6", {}));
    if (!any_v4) out.push_back(finding("dns.no_ipv4", {}));
  }
  std::vector<Contact> unreachable;
  for (const Contact& contact : facts.contacts)
    if (is_private(contact.address)) unreachable.push_back(contact);
  if (!unreachable.empty() && !facts.target.is_local())
    out.push_back(finding("dns.private_address", list(unreachable, print)));
  judge_caa_records(facts, out);
}

void judge_ports(const TlsFacts& facts, Findings& out) {
  if (facts.contacts.empty()) return;
  const std::string port = " port " + std::to_string(facts.target.port) + " ";
  const auto print_https = [&port](const Contact& contact) {
    std::string text = contact.address.to_string() + port + std::string(why_closed(contact.https));
    if (contact.https == Reach::open) text += " (" + time_class(contact.https_time) + ")";
    return text;
  };
  std::vector<Contact> open, dead, untested;
  for (const Contact& contact : facts.contacts) {
    if (contact.https == Reach::open) {
      open.push_back(contact);
    } else if (contact.https == Reach::no_route || contact.https == Reach::untried) {
      untested.push_back(contact);
    } else {
      dead.push_back(contact);
    }
  }
  if (open.empty()) {
    out.push_back(finding("ports.https_closed", list(facts.contacts, print_https)));
  } else {
    out.push_back(finding("ports.https_open", list(open, print_https)));
    if (!dead.empty()) out.push_back(finding("ports.address_dead", list(dead, print_https)));
    if (!untested.empty())
      out.push_back(finding("ports.address_untested", list(untested, print_https)));
  }
  if (!facts.target.http_port) {
    out.push_back(finding("ports.http_skipped", {}));
    return;
  }
  const std::string http = " port " + std::to_string(*facts.target.http_port) + " ";
  const auto print_http = [&http](const Contact& contact) {
    return contact.address.to_string() + http + std::string(why_closed(contact.http));
  };
  const bool any = std::any_of(facts.contacts.begin(), facts.contacts.end(),
                               [](const Contact& c) { return c.http == Reach::open; });
  out.push_back(
      finding(any ? "ports.http_open" : "ports.http_closed", list(facts.contacts, print_http)));
}

}  // namespace moat::doctor::internal
