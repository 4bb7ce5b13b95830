// SPDX-License-Identifier: Apache-2.0
// Facts of the IANA registry "TLS Cipher Suites" and "TLS Supported Groups".
#include <algorithm>
#include <array>

#include "moat/doctor/hello.h"

namespace moat::doctor {
namespace {

struct Suite {
  std::uint16_t code;
  SuiteKind kind;
  const char* name;
};

constexpr SuiteKind good = SuiteKind::good, ffdhe = SuiteKind::finite_field, cbc = SuiteKind::cbc,
                    fixed = SuiteKind::no_forward_secrecy, broken = SuiteKind::broken;

constexpr Suite suites[] = {
    {0xc02b, good, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xc02c, good, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xc02f, good, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xc030, good, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xcca8, good, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xcca9, good, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xc0ac, good, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
    {0xc0ad, good, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"},
    {0x009e, ffdhe, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009f, ffdhe, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xccaa, ffdhe, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xc09e, ffdhe, "TLS_DHE_RSA_WITH_AES_128_CCM"},
    {0xc09f, ffdhe, "TLS_DHE_RSA_WITH_AES_256_CCM"},
    {0xc009, cbc, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xc00a, cbc, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xc013, cbc, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {0xc014, cbc, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    {0xc023, cbc, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {0xc024, cbc, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    {0xc027, cbc, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xc028, cbc, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    {0xc072, cbc, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256"},
    {0xc073, cbc, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384"},
    {0xc076, cbc, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256"},
    {0xc077, cbc, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384"},
    {0x0033, cbc, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
    {0x0039, cbc, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
    {0x0067, cbc, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0x006b, cbc, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
    {0x0045, cbc, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"},
    {0x0088, cbc, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"},
    {0x009a, cbc, "TLS_DHE_RSA_WITH_SEED_CBC_SHA"},
    {0x002f, fixed, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, fixed, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {0x003c, fixed, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    {0x003d, fixed, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {0x009c, fixed, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009d, fixed, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0xc09c, fixed, "TLS_RSA_WITH_AES_128_CCM"},
    {0xc09d, fixed, "TLS_RSA_WITH_AES_256_CCM"},
    {0x0041, fixed, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"},
    {0x0084, fixed, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"},
    {0x0096, fixed, "TLS_RSA_WITH_SEED_CBC_SHA"},
    {0x0007, fixed, "TLS_RSA_WITH_IDEA_CBC_SHA"},
    {0xc004, fixed, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xc005, fixed, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xc00e, fixed, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA"},
    {0xc00f, fixed, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA"},
    {0x000a, broken, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x0016, broken, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0xc008, broken, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"},
    {0xc012, broken, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x0001, broken, "TLS_RSA_WITH_NULL_MD5"},
    {0x0002, broken, "TLS_RSA_WITH_NULL_SHA"},
    {0x003b, broken, "TLS_RSA_WITH_NULL_SHA256"},
    {0x0003, broken, "TLS_RSA_EXPORT_WITH_RC4_40_MD5"},
    {0x0004, broken, "TLS_RSA_WITH_RC4_128_MD5"},
    {0x0005, broken, "TLS_RSA_WITH_RC4_128_SHA"},
    {0x0006, broken, "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5"},
    {0x0008, broken, "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA"},
    {0x0009, broken, "TLS_RSA_WITH_DES_CBC_SHA"},
    {0x0014, broken, "TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA"},
    {0x0015, broken, "TLS_DHE_RSA_WITH_DES_CBC_SHA"},
    {0x0017, broken, "TLS_DH_anon_EXPORT_WITH_RC4_40_MD5"},
    {0x0018, broken, "TLS_DH_anon_WITH_RC4_128_MD5"},
    {0x001b, broken, "TLS_DH_anon_WITH_3DES_EDE_CBC_SHA"},
    {0x0034, broken, "TLS_DH_anon_WITH_AES_128_CBC_SHA"},
    {0x003a, broken, "TLS_DH_anon_WITH_AES_256_CBC_SHA"},
    {0x006c, broken, "TLS_DH_anon_WITH_AES_128_CBC_SHA256"},
    {0x006d, broken, "TLS_DH_anon_WITH_AES_256_CBC_SHA256"},
    {0x00a6, broken, "TLS_DH_anon_WITH_AES_128_GCM_SHA256"},
    {0x00a7, broken, "TLS_DH_anon_WITH_AES_256_GCM_SHA384"},
    {0xc006, broken, "TLS_ECDHE_ECDSA_WITH_NULL_SHA"},
    {0xc007, broken, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"},
    {0xc010, broken, "TLS_ECDHE_RSA_WITH_NULL_SHA"},
    {0xc011, broken, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"},
    {0xc015, broken, "TLS_ECDH_anon_WITH_NULL_SHA"},
    {0xc016, broken, "TLS_ECDH_anon_WITH_RC4_128_SHA"},
    {0xc017, broken, "TLS_ECDH_anon_WITH_3DES_EDE_CBC_SHA"},
    {0xc018, broken, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"},
    {0xc019, broken, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"},
};

struct Group {
  std::uint16_t code;
  const char* name;
};
constexpr Group groups[] = {
    {x25519mlkem768, "X25519MLKEM768"},
    {0x11eb, "SecP256r1MLKEM768"},
    {0x11ed, "SecP384r1MLKEM1024"},
    {29, "X25519"},
    {23, "P-256"},
    {24, "P-384"},
    {25, "P-521"},
    {30, "X448"},
    {256, "ffdhe2048"},
    {257, "ffdhe3072"},
    {258, "ffdhe4096"},
};

constexpr Group suites_13[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256"},       {0x1302, "TLS_AES_256_GCM_SHA384"},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256"}, {0x1304, "TLS_AES_128_CCM_SHA256"},
    {0x1305, "TLS_AES_128_CCM_8_SHA256"},
};

template <class Table>
auto find(const Table& table, std::uint16_t code) {
  return std::find_if(std::begin(table), std::end(table),
                      [code](const auto& entry) { return entry.code == code; });
}

template <class Table>
std::vector<std::uint16_t> codes(const Table& table) {
  std::vector<std::uint16_t> out;
  for (const auto& entry : table) out.push_back(entry.code);
  return out;
}

std::string number(std::uint16_t code) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out = "0x0000";
  for (std::size_t i = 0; i < 4; ++i) out[5 - i] = digits[code >> (4 * i) & 15];
  return out;
}

}  // namespace

std::string suite_name(std::uint16_t suite) {
  if (const auto* found = find(suites, suite); found != std::end(suites)) return found->name;
  if (const auto* found = find(suites_13, suite); found != std::end(suites_13)) return found->name;
  return number(suite);
}

std::string group_name(std::uint16_t group) {
  const auto* const found = find(groups, group);
  return found == std::end(groups) ? number(group) : found->name;
}

SuiteKind suite_kind(std::uint16_t suite) {
  const auto* const found = find(suites, suite);
  return found == std::end(suites) ? SuiteKind::broken : found->kind;
}

const std::vector<std::uint16_t>& known_suites() {
  static const std::vector<std::uint16_t> all = codes(suites);
  return all;
}

const std::vector<std::uint16_t>& known_groups() {
  static const std::vector<std::uint16_t> all = codes(groups);
  return all;
}

}  // namespace moat::doctor
