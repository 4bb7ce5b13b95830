// SPDX-License-Identifier: Apache-2.0
#include "moat/https/local_ca.h"

#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>

#include <set>

#include "moat/https/internal/testing.h"

namespace moat::https {
namespace {

const Time now = from_unix_seconds(1'800'000'000);
using std::chrono::days;
using std::chrono::hours;

// What `openssl verify -x509_strict -purpose sslserver -verify_hostname` says: X509_V_OK or why
// not.
int verify(const OwnedX509& root, const OwnedX509& intermediate, const OwnedX509& leaf,
           const std::string& host, Time at = now, int purpose = X509_PURPOSE_SSL_SERVER) {
  const Owned<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), root.get());
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  STACK_OF(X509)* const chain = sk_X509_new_null();
  if (intermediate) sk_X509_push(chain, intermediate.get());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), chain);
  X509_STORE_CTX_set_purpose(context.get(), purpose);
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_VERIFY_PARAM_set_time(parameters, unix_seconds(at));
  if (IpAddress::parse(host))
    X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
  else if (!host.empty())
    X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
  X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  sk_X509_free(chain);
  return error;
}

struct Opened {
  Pair root, intermediate;
  OwnedX509 leaf;
};
Opened open(const LocalCaState& state) {
  Opened opened{read_pair(state.root), read_pair(state.intermediate),
                read_pair(state.leaf).certificate};
  EXPECT_TRUE(opened.root && opened.intermediate && opened.leaf);
  return opened;
}
int verify(const Opened& ca, const OwnedX509& leaf, const std::string& host, Time at = now) {
  return verify(ca.root.certificate, ca.intermediate.certificate, leaf, host, at);
}

OwnedX509 forge(const Pair& signer, const std::string& names,
                const std::string& use = "serverAuth") {
  return issue({"forged",
                now,
                now + days{1},
                {{NID_basic_constraints, "critical,CA:FALSE"},
                 {NID_key_usage, "critical,digitalSignature"},
                 {NID_ext_key_usage, use},
                 {NID_subject_key_identifier, "hash"},
                 {NID_authority_key_identifier, "keyid:always"},
                 {NID_subject_alt_name, names}}},
               &signer)
      .certificate;
}

LocalCa ca_for(const std::vector<std::string>& names) { return LocalCa::create(names).value(); }

TEST(LocalCa, ItsLeafIsGoodForThisMachine) {
  const Opened ca = open(ca_for({}).make(now).value());
  for (const char* host : {"localhost", "127.0.0.1", "::1"})
    EXPECT_EQ(verify(ca, ca.leaf, host), X509_V_OK) << host;
  EXPECT_EQ(verify(ca, ca.leaf, "evil.com"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify(ca, ca.leaf, "192.0.2.1"), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST(LocalCa, ItsLeafIsGoodForTheNamesOfTheConfiguration) {
  const Opened ca =
      open(ca_for({"App.Test", "*.app.test", "api.localhost", "192.168.1.7", "fd00::7"})
               .make(now)
               .value());
  for (const char* host :
       {"localhost", "app.test", "www.app.test", "api.localhost", "192.168.1.7", "fd00::7"})
    EXPECT_EQ(verify(ca, ca.leaf, host), X509_V_OK) << host;
  EXPECT_EQ(verify(ca, ca.leaf, "a.b.app.test"), X509_V_ERR_HOSTNAME_MISMATCH);
  EXPECT_EQ(verify(ca, ca.leaf, "192.168.1.8"), X509_V_ERR_IP_ADDRESS_MISMATCH);
}

TEST(LocalCa, AStolenKeySignsNoForeignName) {
  const Opened ca = open(ca_for({"app.test", "192.168.1.7"}).make(now).value());
  for (const char* good : {"DNS:localhost", "DNS:x.localhost", "DNS:app.test", "DNS:x.y.app.test",
                           "IP:127.200.1.1", "IP:192.168.1.7"})
    EXPECT_EQ(verify(ca, forge(ca.intermediate, good), ""), X509_V_OK) << good;
  for (const char* bad :
       {"DNS:evil.com", "DNS:localhost.evil.com", "DNS:evillocalhost", "DNS:notapp.test",
        "DNS:localhost,DNS:evil.com", "IP:8.8.8.8", "IP:126.0.0.1", "IP:2001:db8::1", "IP:::2",
        "IP:192.168.1.8", "email:a@evil.com", "URI:https://evil.com/"})
    EXPECT_EQ(verify(ca, forge(ca.intermediate, bad), ""), X509_V_ERR_PERMITTED_VIOLATION) << bad;
}

TEST(LocalCa, AStolenRootKeySignsNoForeignNameEither) {
  const Opened ca = open(ca_for({}).make(now).value());
  EXPECT_EQ(verify(ca.root.certificate, nullptr, forge(ca.root, "DNS:localhost"), "localhost"),
            X509_V_OK);
  EXPECT_EQ(verify(ca.root.certificate, nullptr, forge(ca.root, "DNS:evil.com"), "evil.com"),
            X509_V_ERR_PERMITTED_VIOLATION);
}

TEST(LocalCa, AStolenKeySignsNoMailNorClients) {
  const Opened ca = open(ca_for({}).make(now).value());
  const OwnedX509 mail = forge(ca.root, "email:root@localhost", "emailProtection");
  EXPECT_EQ(verify(ca.root.certificate, nullptr, mail, "", now, X509_PURPOSE_SMIME_SIGN),
            X509_V_ERR_INVALID_PURPOSE);
  const OwnedX509 client = forge(ca.root, "DNS:localhost", "clientAuth");
  EXPECT_EQ(verify(ca.root.certificate, nullptr, client, "", now, X509_PURPOSE_SSL_CLIENT),
            X509_V_ERR_INVALID_PURPOSE);
}

TEST(LocalCa, ItsIntermediateMakesNoFurtherCa) {
  const Opened ca = open(ca_for({}).make(now).value());
  const Pair below = issue({"below",
                            now,
                            now + days{1},
                            {{NID_basic_constraints, "critical,CA:TRUE"},
                             {NID_key_usage, "critical,keyCertSign"},
                             {NID_subject_key_identifier, "hash"},
                             {NID_authority_key_identifier, "keyid:always"}}},
                           &ca.intermediate);
  const OwnedX509 leaf = forge(below, "DNS:localhost");
  const Owned<X509_STORE, X509_STORE_free> store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), ca.root.certificate.get());
  const Owned<X509_STORE_CTX, X509_STORE_CTX_free> context(X509_STORE_CTX_new());
  STACK_OF(X509)* const chain = sk_X509_new_null();
  sk_X509_push(chain, ca.intermediate.certificate.get());
  sk_X509_push(chain, below.certificate.get());
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), chain);
  X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(context.get()), unix_seconds(now));
  EXPECT_NE(X509_verify_cert(context.get()), 1);
  EXPECT_EQ(X509_STORE_CTX_get_error(context.get()), X509_V_ERR_PATH_LENGTH_EXCEEDED);
  sk_X509_free(chain);
}

// What Chromium and Apple ask of a server's certificate.
TEST(LocalCa, ItsLeafHasWhatBrowsersAskFor) {
  const LocalCaState state = ca_for({"app.test"}).make(now).value();
  const Certificate leaf = testing::certificate_for(state.leaf, now);
  EXPECT_EQ(leaf.names(), (std::vector<std::string>{"localhost", "app.test", "127.0.0.1", "::1"}));
  EXPECT_LE(leaf.not_after() - leaf.not_before(), days{398});
  EXPECT_EQ(leaf.not_after() - leaf.not_before(), days{7});
  EXPECT_LT(leaf.not_before(), now);
  EXPECT_EQ(leaf.key_kind(), KeyKind::p256);
  EXPECT_TRUE(leaf.warnings().empty());
  X509* const x509 = leaf.state().leaf.get();
  EXPECT_EQ(X509_get_extended_key_usage(x509), std::uint32_t{XKU_SSL_SERVER});
  EXPECT_EQ(X509_get_key_usage(x509), std::uint32_t{KU_DIGITAL_SIGNATURE});
  EXPECT_EQ(X509_check_ca(x509), 0);
  EXPECT_EQ(X509_get_signature_nid(x509), NID_ecdsa_with_SHA256);
  EXPECT_NE(X509_get0_subject_key_id(x509), nullptr);
  EXPECT_NE(X509_get0_authority_key_id(x509), nullptr);
}

TEST(LocalCa, SerialNumbersAreLongPositiveAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 20; ++i) {
    const Pair pair = issue({"x", now, now + days{1}, {}}, nullptr);
    const ASN1_INTEGER* const serial = X509_get0_serialNumber(pair.certificate.get());
    EXPECT_EQ(ASN1_STRING_length(serial), 16);
    EXPECT_EQ(ASN1_STRING_type(serial), V_ASN1_INTEGER);
    EXPECT_EQ(ASN1_STRING_get0_data(serial)[0] & 0x80, 0);
    seen.insert({reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)), 16});
  }
  EXPECT_EQ(seen.size(), 20u);
}

TEST(LocalCa, NamesThatAreNoneOrTooWideAreRefused) {
  for (const char* bad :
       {"", ".", "a..test", "-a.test", "a_b.test", "a.test:80", "https://a.test", "a b.test",
        "1.2.3", "1.2.3.4.5", "a.*.test", "**.a.test", "a.test,DNS:evil.com", "a.test\n"})
    EXPECT_EQ(LocalCa::create({bad}).error(), LocalCaError::bad_name) << bad;
  for (const char* wide : {"com", "*.com", "dev", "*.localhost", "mybox"})
    EXPECT_EQ(LocalCa::create({wide}).error(), LocalCaError::too_wide) << wide;
  EXPECT_TRUE(
      LocalCa::create({"localhost", "localhost.", "127.0.0.1", "::1", "a.test", "*.a.test"}));
}

TEST(LocalCa, WhatIsFreshStays) {
  const LocalCa ca = ca_for({"app.test"});
  LocalCaState state = ca.make(now).value();
  const std::string before =
      state.root.certificate + state.intermediate.certificate + state.leaf.certificate;
  EXPECT_EQ(ca.renew(state, now).value(), LocalCa::Renewed::nothing);
  EXPECT_EQ(ca.renew(state, now + days{3}).value(), LocalCa::Renewed::nothing);
  EXPECT_EQ(state.root.certificate + state.intermediate.certificate + state.leaf.certificate,
            before);
}

TEST(LocalCa, TheLeafIsRenewedAtHalfItsLifeAndTheIntermediateAtAThird) {
  const LocalCa ca = ca_for({});
  LocalCaState state = ca.make(now).value();
  const std::string root = state.root.certificate;
  const std::string intermediate = state.intermediate.certificate;
  const Time leaf_due = now - hours{1} + hours{84};
  EXPECT_EQ(ca.renew(state, leaf_due - std::chrono::seconds{1}).value(), LocalCa::Renewed::nothing);
  EXPECT_EQ(ca.renew(state, leaf_due).value(), LocalCa::Renewed::leaf);
  EXPECT_EQ(state.intermediate.certificate, intermediate);
  EXPECT_EQ(ca.renew(state, now - hours{1} + days{20}).value(),
            LocalCa::Renewed::intermediate_and_leaf);
  EXPECT_NE(state.intermediate.certificate, intermediate);
  EXPECT_EQ(state.root.certificate, root);
  const Opened opened = open(state);
  EXPECT_EQ(verify(opened, opened.leaf, "localhost", now + days{20}), X509_V_OK);
}

// However rarely it runs, what it shows is good for as long as the leaf says.
TEST(LocalCa, TheChainIsGoodAllThroughTenYears) {
  const LocalCa ca = ca_for({});
  LocalCaState state = ca.make(now).value();
  int roots = 0;
  for (Time at = now; at < now + days{3650}; at += days{26} + hours{5}) {
    roots += ca.renew(state, at).value() == LocalCa::Renewed::all ? 1 : 0;
    const Opened opened = open(state);
    ASSERT_EQ(verify(opened, opened.leaf, "localhost", at), X509_V_OK);
    ASSERT_EQ(verify(opened, opened.leaf, "localhost", at + days{3}), X509_V_OK);
  }
  EXPECT_EQ(roots, 1);
}

TEST(LocalCa, ANewNameMakesANewRootAndALessWideOneDoesNot) {
  LocalCaState state = ca_for({"app.test"}).make(now).value();
  EXPECT_EQ(ca_for({"app.test", "x.localhost", "sub.app.test"}).renew(state, now).value(),
            LocalCa::Renewed::leaf);
  EXPECT_EQ(ca_for({}).renew(state, now).value(), LocalCa::Renewed::leaf);
  EXPECT_EQ(testing::certificate_for(state.leaf, now).names().size(), 3u);
  EXPECT_EQ(ca_for({"other.test"}).renew(state, now).value(), LocalCa::Renewed::all);
  const Opened opened = open(state);
  EXPECT_EQ(verify(opened, opened.leaf, "other.test"), X509_V_OK);
}

TEST(LocalCa, ADamagedOrForeignPieceIsMadeAnew) {
  const LocalCa ca = ca_for({});
  LocalCaState state = ca.make(now).value();
  state.leaf.certificate = "nonsense";
  EXPECT_EQ(ca.renew(state, now).value(), LocalCa::Renewed::leaf);
  state.intermediate.key = Secret();
  EXPECT_EQ(ca.renew(state, now).value(), LocalCa::Renewed::intermediate_and_leaf);
  const LocalCaState other = ca.make(now).value();
  state.root = {other.root.certificate, other.root.key.clone()};
  EXPECT_EQ(ca.renew(state, now).value(), LocalCa::Renewed::intermediate_and_leaf);
  state.root.key = Secret::copy_of(state.leaf.key.reveal());
  EXPECT_EQ(ca.renew(state, now).value(), LocalCa::Renewed::all);
}

TEST(LocalCa, OnlyConstrainedRootsCountAsSuch) {
  const LocalCaState state = ca_for({}).make(now).value();
  EXPECT_TRUE(is_constrained_root(state.root.certificate));
  EXPECT_FALSE(is_constrained_root(state.intermediate.certificate));  // not signed by itself
  EXPECT_FALSE(is_constrained_root(state.leaf.certificate));
  EXPECT_FALSE(is_constrained_root(state.root.certificate + state.root.certificate));
  EXPECT_FALSE(is_constrained_root(""));
  const auto root_with = [](const std::string& constraints) {
    Blueprint b{"root", now, now + days{1}, {{NID_basic_constraints, "critical,CA:TRUE"}}};
    if (!constraints.empty()) b.extensions.push_back({NID_name_constraints, constraints});
    return to_pem(issue(b, nullptr)).certificate;
  };
  const std::string ip = "permitted;IP:127.0.0.0/255.0.0.0";
  EXPECT_TRUE(is_constrained_root(root_with("critical,permitted;DNS:localhost," + ip)));
  EXPECT_FALSE(is_constrained_root(root_with("")));
  EXPECT_FALSE(is_constrained_root(root_with("permitted;DNS:localhost," + ip)));  // not critical
  EXPECT_FALSE(is_constrained_root(root_with("critical,permitted;DNS:com," + ip)));
  EXPECT_FALSE(is_constrained_root(root_with("critical,permitted;DNS:localhost")));  // any address
  EXPECT_FALSE(is_constrained_root(root_with("critical,excluded;DNS:evil.com")));
  EXPECT_FALSE(is_constrained_root(
      root_with("critical,permitted;DNS:localhost,permitted;IP:0.0.0.0/0.0.0.0")));
}

TEST(SelfSigned, StandsForOneNameAndIsNoCa) {
  const Issued issued = self_signed("Example.com", now).value();
  const Certificate certificate = testing::certificate_for(issued, now);
  EXPECT_EQ(certificate.names(), std::vector<std::string>{"example.com"});
  EXPECT_TRUE(certificate.self_signed());
  EXPECT_EQ(X509_check_ca(certificate.state().leaf.get()), 0);
  EXPECT_FALSE(is_constrained_root(issued.certificate));
  EXPECT_EQ(testing::certificate_for(self_signed("192.0.2.1", now).value(), now).names(),
            std::vector<std::string>{"192.0.2.1"});
  EXPECT_EQ(self_signed("a,DNS:b.com", now).error(), LocalCaError::bad_name);
}

// RFC 8737 section 3: one name, and the digest in a critical extension.
TEST(AcmeChallenge, CarriesTheDigest) {
  const std::string digest(32, '\x5a');
  const Issued issued = acme_challenge("example.com", digest, now).value();
  const Pair pair = read_pair(issued);
  ASSERT_TRUE(pair);
  const Owned<ASN1_OBJECT, ASN1_OBJECT_free> oid(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const int at = X509_get_ext_by_OBJ(pair.certificate.get(), oid.get(), -1);
  ASSERT_GE(at, 0);
  X509_EXTENSION* const extension = X509_get_ext(pair.certificate.get(), at);
  EXPECT_EQ(X509_EXTENSION_get_critical(extension), 1);
  const ASN1_OCTET_STRING* const value = X509_EXTENSION_get_data(extension);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                        static_cast<std::size_t>(ASN1_STRING_length(value))),
            "\x04\x20" + digest);
  EXPECT_EQ(X509_verify(pair.certificate.get(), pair.key.get()), 1);
  EXPECT_EQ(names_of(pair.certificate.get()).all, std::vector<std::string>{"example.com"});
  EXPECT_FALSE(acme_challenge("example.com", "short", now));
  EXPECT_FALSE(acme_challenge("*.example.com", digest, now));
}

}  // namespace
}  // namespace moat::https
