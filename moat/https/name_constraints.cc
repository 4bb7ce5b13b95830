// SPDX-License-Identifier: Apache-2.0
#include "moat/https/internal/name_constraints.h"

#include <algorithm>

#include "moat/base/ip.h"
#include "moat/https/local_ca.h"

namespace moat::https {
namespace {

using OwnedConstraints = Owned<NAME_CONSTRAINTS, NAME_CONSTRAINTS_free>;

struct Permitted {
  std::vector<std::string> dns;
  std::vector<std::string> networks;  // address and mask, 8 or 32 bytes
};

std::string bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

// Critical constraints, or none.
std::optional<Permitted> read_constraints(const X509* ca) {
  int critical = 0;
  const OwnedConstraints constraints(static_cast<NAME_CONSTRAINTS*>(
      X509_get_ext_d2i(ca, NID_name_constraints, &critical, nullptr)));
  if (!constraints || critical != 1) return std::nullopt;
  Permitted permitted;
  for (int i = 0; i < sk_GENERAL_SUBTREE_num(constraints->permittedSubtrees); ++i) {
    int type = 0;
    const void* const value = GENERAL_NAME_get0_value(
        sk_GENERAL_SUBTREE_value(constraints->permittedSubtrees, i)->base, &type);
    if (type == GEN_DNS) permitted.dns.push_back(bytes_of(static_cast<const ASN1_STRING*>(value)));
    if (type == GEN_IPADD)
      permitted.networks.push_back(bytes_of(static_cast<const ASN1_STRING*>(value)));
  }
  return permitted;
}

bool narrow(const Permitted& permitted) {
  const auto narrow_name = [](const std::string& base) {
    const std::size_t dot = base.find('.');
    return base == "localhost" || (dot != std::string::npos && dot > 0);
  };
  // At least the first eight bits are fixed.
  const auto narrow_network = [](const std::string& network) {
    const std::size_t half = network.size() / 2;
    return (network.size() == 8 || network.size() == 32) &&
           static_cast<unsigned char>(network[half]) == 0xff;
  };
  return !permitted.dns.empty() && !permitted.networks.empty() &&
         std::all_of(permitted.dns.begin(), permitted.dns.end(), narrow_name) &&
         std::all_of(permitted.networks.begin(), permitted.networks.end(), narrow_network);
}

bool within(std::string_view name, std::string_view base) {
  if (name.substr(0, 2) == "*.") name.remove_prefix(2);
  return name == base ||
         (name.size() > base.size() + 1 && name.substr(name.size() - base.size()) == base &&
          name[name.size() - base.size() - 1] == '.');
}

bool within(const IpAddress& address, const std::string& network) {
  const std::size_t half = network.size() / 2;
  if (address.is_v4() != (half == 4)) return false;
  const auto& bytes = address.bytes();
  for (std::size_t i = 0; i < half; ++i)
    if (((bytes[16 - half + i] ^ static_cast<unsigned char>(network[i])) &
         static_cast<unsigned char>(network[half + i])) != 0)
      return false;
  return true;
}

bool allows(const Permitted& permitted, const std::string& name) {
  if (const auto address = IpAddress::parse(name))
    return std::any_of(permitted.networks.begin(), permitted.networks.end(),
                       [&](const std::string& network) { return within(*address, network); });
  return std::any_of(permitted.dns.begin(), permitted.dns.end(),
                     [&](const std::string& base) { return within(name, base); });
}

}  // namespace

std::string constraints_for(const std::vector<std::string>& dns,
                            const std::vector<std::string>& addresses) {
  // Mail addresses and URIs too, or a stolen key could sign those. "localhost" holds all below it.
  std::string list =
      "critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,"
      "permitted;IP:::1/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,"
      "permitted;email:localhost,permitted;URI:localhost";
  for (const std::string& name : dns) {
    const std::string_view base =
        name.substr(0, 2) == "*." ? std::string_view(name).substr(2) : std::string_view(name);
    if (!within(base, "localhost")) list.append(",permitted;DNS:").append(base);
  }
  for (const std::string& text : addresses) {
    const auto address = IpAddress::parse(text);
    if (!address || address->is_loopback()) continue;
    list += ",permitted;IP:" + text;
    list += address->is_v4() ? "/255.255.255.255" : "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  }
  return list;
}

bool permits(X509* ca, const std::vector<std::string>& names) {
  if (X509_check_ca(ca) != 1) return false;
  const std::optional<Permitted> permitted = read_constraints(ca);
  return permitted && narrow(*permitted) &&
         std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return allows(*permitted, name); });
}

bool is_constrained_root(std::string_view certificate_pem) {
  const PemCertificates read = read_certificates(certificate_pem);
  return read.certificates.size() == 1 && X509_self_signed(read.certificates[0].get(), 1) == 1 &&
         permits(read.certificates[0].get(), {});
}

}  // namespace moat::https
