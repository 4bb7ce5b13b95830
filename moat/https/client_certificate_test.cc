// SPDX-License-Identifier: Apache-2.0
#include "moat/https/client_certificate.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "moat/base/random.h"
#include "moat/https/internal/clients.h"
#include "moat/https/internal/testing.h"

namespace moat::https {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::Client;
using testing::Link;
using testing::present;

constexpr char for_clients[] = "clientAuth";

void sign(const Pair& pair, const Pair& issuer) {
  ASSERT_GT(X509_sign(pair.certificate.get(), issuer.key.get(), EVP_sha256()), 0);
}

Pair authority(const std::string& name, const Pair* issuer = nullptr,
               Time from = present() - hours{1}, Time until = present() + days{30}) {
  return issue({name, from, until, {{NID_basic_constraints, "critical,CA:TRUE"}}}, issuer);
}

struct Wish {
  std::string names = "email:ada@example.com";
  std::string usage = for_clients;  // empty: the extension is left out
  Time from = present() - hours{1};
  Time until = present() + days{30};
};

Pair client_of(const Pair& issuer, const Wish& wish) {
  std::vector<Extension> extensions{{NID_basic_constraints, "CA:FALSE"}};
  if (!wish.names.empty()) extensions.push_back({NID_subject_alt_name, wish.names});
  if (!wish.usage.empty()) extensions.push_back({NID_ext_key_usage, wish.usage});
  return issue({"ada", wish.from, wish.until, extensions}, &issuer);
}
Pair client_of(const Pair& issuer) { return client_of(issuer, {}); }

std::string pem_of(const Pair& pair) { return to_pem(pair).certificate; }

// The list of an authority with the certificates that it has taken back.
std::string list_of(const Pair& issuer, const std::vector<const Pair*>& revoked,
                    Time next = present() + days{7}) {
  const OwnedCrl list(X509_CRL_new());
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
  const Owned<ASN1_TIME, ASN1_TIME_free> last(
      ASN1_TIME_set(nullptr, unix_seconds(present() - days{8})));
  const Owned<ASN1_TIME, ASN1_TIME_free> until(ASN1_TIME_set(nullptr, unix_seconds(next)));
  X509_CRL_set1_lastUpdate(list.get(), last.get());
  X509_CRL_set1_nextUpdate(list.get(), until.get());
  for (const Pair* one : revoked) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
    X509_REVOKED_set_revocationDate(entry, last.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  EXPECT_GT(X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()), 0);
  const OwnedBio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509_CRL(bio.get(), list.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

class ClientCertificates : public ::testing::TestWithParam<int> {
 protected:
  ClientCertificates() { store_->put(testing::certificate_for("localhost")); }

  std::shared_ptr<const ClientAuthorities> trust(const std::string& authorities,
                                                 const std::string& lists = {}) {
    return ClientAuthorities::create(authorities, lists).value();
  }
  ServerContext server(std::shared_ptr<const ClientAuthorities> clients) const {
    TlsPolicy policy;
    policy.clients = std::move(clients);
    return ServerContext::create(policy, store_, keys_).value();
  }

  struct Outcome {
    bool done = false;
    bool resumed = false;
    bool asked = false;
    int alert = 0;
    std::string why;
    std::shared_ptr<ClientCertificate> shown;
  };
  // A handshake; null: the client has no certificate. `with` are sent behind its own.
  Outcome connect(const ServerContext& to, const Pair* own,
                  const std::vector<const Pair*>& with = {}, SSL_SESSION* session = nullptr) {
    Client client;
    client.only(GetParam());
    client.session = session;
    // A client of ours has no objection to its own certificate, however weak.
    SSL_CTX_set_security_level(client.context.get(), 0);
    SSL_CTX_set_mode(client.context.get(), SSL_MODE_NO_AUTO_CHAIN);
    if (own != nullptr) {
      EXPECT_EQ(SSL_CTX_use_certificate(client.context.get(), own->certificate.get()), 1);
      EXPECT_EQ(SSL_CTX_use_PrivateKey(client.context.get(), own->key.get()), 1);
      for (const Pair* one : with)
        SSL_CTX_add1_chain_cert(client.context.get(), one->certificate.get());
    }
    asked_ = false;
    SSL_CTX_set_cert_cb(
        client.context.get(),
        [](SSL*, void* asked) {
          *static_cast<bool*>(asked) = true;
          return 1;
        },
        &asked_);
    Link link(to, client);
    Outcome outcome;
    outcome.done = link.handshake();
    // The server of TLS 1.3 judges when the client is done already.
    char byte = 0;
    ERR_clear_error();
    if (!outcome.done && SSL_is_init_finished(link.client()) == 1)
      SSL_read(link.client(), &byte, 1);
    while (const unsigned long code = ERR_get_error()) {
      if (ERR_GET_REASON(code) > 1000) outcome.alert = ERR_GET_REASON(code) - 1000;
    }
    if (outcome.alert == 0) outcome.alert = link.alert();
    outcome.asked = asked_;
    outcome.why = why_client_refused(link.server());
    outcome.resumed = link.resumed();
    if (outcome.done) {
      outcome.shown = verified_client(link.server());
      session_.reset(SSL_get1_session(link.client()));
    }
    return outcome;
  }
  void refused(const ServerContext& to, const Pair& own, int alert,
               const std::vector<const Pair*>& with = {}) {
    const Outcome outcome = connect(to, &own, with);
    EXPECT_FALSE(outcome.done);
    EXPECT_EQ(outcome.alert, alert) << outcome.why;
    EXPECT_EQ(outcome.shown, nullptr);
  }

  ManualClock clock_{present()};
  std::shared_ptr<CertificateStore> store_ = std::make_shared<CertificateStore>();
  std::shared_ptr<TicketKeys> keys_ = std::make_shared<TicketKeys>(clock_, system_random());
  Pair ca_ = authority("clients");
  Owned<SSL_SESSION, SSL_SESSION_free> session_;
  bool asked_ = false;
};

TEST_P(ClientCertificates, NobodyIsAskedWhereNobodyIsTrusted) {
  const ServerContext to = server(nullptr);
  const Pair own = client_of(ca_);
  const Outcome outcome = connect(to, &own);
  EXPECT_TRUE(outcome.done);
  EXPECT_FALSE(outcome.asked);
  EXPECT_EQ(outcome.shown, nullptr);
}

TEST_P(ClientCertificates, AreVerifiedAndRead) {
  const ServerContext to = server(trust(pem_of(ca_)));
  const Pair own =
      client_of(ca_, {"email:ada@example.com,email:a@b.c,DNS:ada.example,URI:spiffe://x/y"});
  const Outcome outcome = connect(to, &own);
  ASSERT_TRUE(outcome.done) << outcome.why;
  ASSERT_NE(outcome.shown, nullptr);
  EXPECT_EQ(outcome.shown->subject(), "CN=ada,O=Moat");
  EXPECT_EQ(outcome.shown->fingerprint(), fingerprint_of(own.certificate.get()));
  EXPECT_EQ(outcome.shown->serial().size(), 32u);
  EXPECT_EQ(outcome.shown->emails(), "ada@example.com,a@b.c");
  EXPECT_EQ(outcome.shown->dns_names(), "ada.example");
  EXPECT_EQ(outcome.shown->uris(), "spiffe://x/y");
}

TEST_P(ClientCertificates, WhoHasNoneIsServedAndIsNobody) {
  const ServerContext to = server(trust(pem_of(ca_)));
  const Outcome outcome = connect(to, nullptr);
  EXPECT_TRUE(outcome.done);
  EXPECT_TRUE(outcome.asked);
  EXPECT_EQ(outcome.shown, nullptr);
}

TEST_P(ClientCertificates, OfAnotherAuthorityAreRefused) {
  const ServerContext to = server(trust(pem_of(ca_)));
  const Pair other = authority("clients");  // the same name, another key
  refused(to, client_of(other), SSL_AD_DECRYPT_ERROR);
  refused(to, client_of(authority("others")), SSL_AD_UNKNOWN_CA);
  const Pair alone =
      issue({"ada", present() - hours{1}, present() + days{1}, {{NID_ext_key_usage, for_clients}}},
            nullptr);
  refused(to, alone, SSL_AD_UNKNOWN_CA);
}

TEST_P(ClientCertificates, OutOfTheirTimeAreRefused) {
  const ServerContext to = server(trust(pem_of(ca_)));
  Wish wish;
  wish.until = present() - hours{1} / 2;
  refused(to, client_of(ca_, wish), SSL_AD_CERTIFICATE_EXPIRED);
  wish.from = present() + hours{1};
  wish.until = present() + hours{2};
  refused(to, client_of(ca_, wish), SSL_AD_BAD_CERTIFICATE);
}

TEST_P(ClientCertificates, ForOtherPurposesAreRefused) {
  const ServerContext to = server(trust(pem_of(ca_)));
  Wish wish;
  for (const char* usage : {"serverAuth", "emailProtection", "anyExtendedKeyUsage", ""}) {
    wish.usage = usage;
    refused(to, client_of(ca_, wish), SSL_AD_UNSUPPORTED_CERTIFICATE);
  }
  wish.usage = "serverAuth,clientAuth";
  const Pair both = client_of(ca_, wish);
  EXPECT_TRUE(connect(to, &both).done);
}

TEST_P(ClientCertificates, WeakKeysAndDigestsAreRefused) {
  const ServerContext to = server(trust(pem_of(ca_)));
  Pair weak = client_of(ca_);
  weak.key.reset(EVP_RSA_gen(1024));
  X509_set_pubkey(weak.certificate.get(), weak.key.get());
  sign(weak, ca_);
  EXPECT_FALSE(connect(to, &weak).done);
  weak.key.reset(EVP_RSA_gen(2048));
  X509_set_pubkey(weak.certificate.get(), weak.key.get());
  sign(weak, ca_);
  EXPECT_TRUE(connect(to, &weak).done);  // its twin
  Pair old = client_of(ca_);
  ASSERT_GT(X509_sign(old.certificate.get(), ca_.key.get(), EVP_sha1()), 0);
  EXPECT_FALSE(connect(to, &old).done);
}

TEST_P(ClientCertificates, ComeByFourOthersAtMost) {
  const ServerContext to = server(trust(pem_of(ca_)));
  std::vector<Pair> chain;
  chain.reserve(20);
  std::vector<const Pair*> sent;
  const Pair* last = &ca_;
  for (int depth = 1; depth <= 20; ++depth) {
    chain.push_back(authority("between " + std::to_string(depth), last));
    last = &chain.back();
    sent.insert(sent.begin(), last);
    const Pair own = client_of(*last);
    if (depth != 4 && depth != 5 && depth != 20) continue;
    EXPECT_EQ(connect(to, &own, sent).done, depth == 4) << depth;
  }
}

TEST_P(ClientCertificates, OfABetweenThatIsTrustedItselfAreTaken) {
  const Pair between = authority("between", &ca_);
  const Pair own = client_of(between);
  EXPECT_TRUE(connect(server(trust(pem_of(between))), &own).done);
  EXPECT_FALSE(connect(server(trust(pem_of(ca_))), &own).done);  // it does not send it
}

TEST_P(ClientCertificates, AboveSixteenKibibytesAreRefused) {
  const ServerContext to = server(trust(pem_of(ca_)));
  for (const int names : {100, 250, 2400}) {  // 2400: 64 KiB
    Wish wish;
    for (int i = 0; i < names; ++i)
      wish.names += ",DNS:name-number-" + std::to_string(1000 + i) + ".example";
    const Pair own = client_of(ca_, wish);
    const int size = i2d_X509(own.certificate.get(), nullptr);
    const Outcome outcome = connect(to, &own);
    EXPECT_EQ(outcome.done, size < 16 * 1024 - 16) << size;
    if (!outcome.done) continue;
    // More than a field may hold is not told in part.
    EXPECT_EQ(outcome.shown->dns_names().empty(), names > 100);
    EXPECT_EQ(outcome.shown->emails().empty(), names > 100);
    EXPECT_FALSE(outcome.shown->fingerprint().empty());
  }
}

TEST_P(ClientCertificates, ThatWereTakenBackAreRefused) {
  const Pair good = client_of(ca_);
  const Pair bad = client_of(ca_);
  const ServerContext to = server(trust(pem_of(ca_), list_of(ca_, {&bad})));
  EXPECT_TRUE(connect(to, &good).done);
  refused(to, bad, SSL_AD_CERTIFICATE_REVOKED);
}

TEST_P(ClientCertificates, AListThatIsMissingOrTooOldRefusesAll) {
  const Pair good = client_of(ca_);
  EXPECT_FALSE(connect(server(trust(pem_of(ca_), list_of(authority("others"), {}))), &good).done);
  const auto old = list_of(ca_, {}, present() - hours{1});
  refused(server(trust(pem_of(ca_), old)), good, SSL_AD_CERTIFICATE_EXPIRED);
  // A list that somebody else has signed is none.
  Pair thief = authority("clients");
  EXPECT_FALSE(connect(server(trust(pem_of(ca_), list_of(thief, {}))), &good).done);
}

TEST_P(ClientCertificates, EachAuthorityOnTheWayNeedsAList) {
  const Pair between = authority("between", &ca_);
  const Pair own = client_of(between);
  const std::string root = list_of(ca_, {});
  const std::string both = root + list_of(between, {});
  EXPECT_TRUE(connect(server(trust(pem_of(ca_), both)), &own, {&between}).done);
  EXPECT_FALSE(connect(server(trust(pem_of(ca_), root)), &own, {&between}).done);
  const std::string taken = list_of(ca_, {&between}) + list_of(between, {});
  refused(server(trust(pem_of(ca_), taken)), own, SSL_AD_CERTIFICATE_REVOKED, {&between});
  // One that is trusted itself has nobody above it who would have to be asked.
  EXPECT_TRUE(connect(server(trust(pem_of(between), list_of(between, {}))), &own).done);
}

// ------------------------------------------------------------------------------------- resumption

TEST_P(ClientCertificates, SurviveAResumption) {
  const ServerContext to = server(trust(pem_of(ca_)));
  const Pair own = client_of(ca_);
  const Outcome first = connect(to, &own);
  ASSERT_TRUE(first.done);
  const auto kept = std::move(session_);
  const Outcome again = connect(to, nullptr, {}, kept.get());
  ASSERT_TRUE(again.resumed);
  ASSERT_NE(again.shown, nullptr);
  EXPECT_EQ(again.shown->fingerprint(), first.shown->fingerprint());
  EXPECT_EQ(again.shown->emails(), "ada@example.com");
  EXPECT_TRUE(again.shown->is_good(*trust(pem_of(ca_)), clock_.now()));
  EXPECT_FALSE(again.shown->is_good(*trust(pem_of(ca_)), clock_.now() + days{31}));
}

TEST_P(ClientCertificates, ASessionWithoutOneStaysWithoutOne) {
  const ServerContext to = server(trust(pem_of(ca_)));
  ASSERT_TRUE(connect(to, nullptr).done);
  const auto kept = std::move(session_);
  const Pair own = client_of(ca_);
  const Outcome again = connect(to, &own, {}, kept.get());
  EXPECT_TRUE(again.resumed);
  EXPECT_EQ(again.shown, nullptr);
}

TEST_P(ClientCertificates, OtherAuthoritiesOrListsResumeNothing) {
  const Pair own = client_of(ca_);
  const std::string others = pem_of(authority("others"));
  const std::string taken = list_of(ca_, {&own});
  for (const auto& next : {trust(others), trust(pem_of(ca_), taken), trust(pem_of(ca_) + others),
                           std::shared_ptr<const ClientAuthorities>()}) {
    ASSERT_TRUE(connect(server(trust(pem_of(ca_))), &own).done);
    const auto kept = std::move(session_);
    const Outcome again = connect(server(next), nullptr, {}, kept.get());
    EXPECT_TRUE(again.done);
    EXPECT_FALSE(again.resumed);
    EXPECT_EQ(again.shown, nullptr);
  }
  // The same ones, read again.
  ASSERT_TRUE(connect(server(trust(pem_of(ca_))), &own).done);
  const auto kept = std::move(session_);
  EXPECT_TRUE(connect(server(trust(pem_of(ca_))), nullptr, {}, kept.get()).resumed);
}

TEST_P(ClientCertificates, AnExpiredOneResumesNothing) {
  const ServerContext to = server(trust(pem_of(ca_)));
  Wish wish;
  wish.until = clock_.now() + hours{2};
  const Pair own = client_of(ca_, wish);
  ASSERT_TRUE(connect(to, &own).done);
  auto kept = std::move(session_);
  clock_.advance(hours{2} - std::chrono::seconds{1});
  EXPECT_TRUE(connect(to, nullptr, {}, kept.get()).resumed);
  if (GetParam() == TLS1_3_VERSION) kept = std::move(session_);  // the end goes along
  clock_.advance(std::chrono::seconds{1});
  EXPECT_FALSE(connect(to, nullptr, {}, kept.get()).resumed);
}

TEST_P(ClientCertificates, AnOldListResumesNothing) {
  const Pair own = client_of(ca_);
  const ServerContext to = server(trust(pem_of(ca_), list_of(ca_, {}, clock_.now() + hours{1})));
  ASSERT_TRUE(connect(to, &own).done);
  const auto kept = std::move(session_);
  clock_.advance(hours{1});
  EXPECT_FALSE(connect(to, nullptr, {}, kept.get()).resumed);
}

// -------------------------------------------------------------------------- on a kept connection

TEST_P(ClientCertificates, AreJudgedAnewByOtherAuthorities) {
  const Pair between = authority("between", &ca_);
  const Pair own = client_of(between);
  const auto first = trust(pem_of(ca_));
  const Outcome outcome = connect(server(first), &own, {&between});
  ASSERT_TRUE(outcome.done);
  ClientCertificate& shown = *outcome.shown;
  const Time now = clock_.now();
  EXPECT_TRUE(shown.is_good(*first, now));
  EXPECT_FALSE(shown.is_good(*trust(pem_of(authority("others"))), now));
  const std::string lists = list_of(ca_, {}) + list_of(between, {});
  EXPECT_TRUE(shown.is_good(*trust(pem_of(ca_), lists), now));
  const std::string taken = list_of(ca_, {}) + list_of(between, {&own});
  EXPECT_FALSE(shown.is_good(*trust(pem_of(ca_), taken), now));
  EXPECT_TRUE(shown.is_good(*trust(pem_of(between)), now));
  EXPECT_TRUE(shown.is_good(*first, now));
  EXPECT_TRUE(shown.is_good(*first, now + days{29}));
  EXPECT_FALSE(shown.is_good(*first, now + days{31}));  // it has expired
}

INSTANTIATE_TEST_SUITE_P(Versions, ClientCertificates,
                         ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

// --------------------------------------------------------------------------------------- the texts

class ClientTexts : public ClientCertificates {
 protected:
  // A client's certificate with these fields of its subject.
  std::shared_ptr<ClientCertificate> with(
      const std::vector<std::pair<const char*, std::string>>& fields) {
    const Pair own = client_of(ca_);
    const OwnedName name(X509_NAME_new());
    for (const auto& [field, value] : fields) {
      // Raw bytes under a type that carries them: no check of OpenSSL's is in an attacker's way.
      EXPECT_EQ(X509_NAME_add_entry_by_NID(name.get(), OBJ_txt2nid(field), V_ASN1_UTF8STRING,
                                           reinterpret_cast<const unsigned char*>(value.data()),
                                           static_cast<int>(value.size()), -1, 0),
                1);
    }
    X509_set_subject_name(own.certificate.get(), name.get());
    sign(own, ca_);
    return connect(server(trust(pem_of(ca_))), &own).shown;
  }
  std::shared_ptr<ClientCertificate> named(int type, const std::string& text) {
    Wish wish;
    wish.names.clear();
    const Pair own = client_of(ca_, wish);
    const OwnedNames names(sk_GENERAL_NAME_new_null());
    GENERAL_NAME* const one = GENERAL_NAME_new();
    ASN1_IA5STRING* const value = ASN1_IA5STRING_new();
    ASN1_STRING_set(value, text.data(), static_cast<int>(text.size()));
    GENERAL_NAME_set0_value(one, type, value);
    sk_GENERAL_NAME_push(names.get(), one);
    EXPECT_EQ(X509_add1_ext_i2d(own.certificate.get(), NID_subject_alt_name, names.get(), 0, 0), 1);
    sign(own, ca_);
    return connect(server(trust(pem_of(ca_))), &own).shown;
  }
};

TEST_P(ClientTexts, ControlCharactersAndLinesAreEscaped) {
  const auto shown = with({{"CN", std::string("a\r\nX-Moat-User: root\0\t\x7f", 23)}});
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->subject(), "CN=a\\0D\\0AX-Moat-User: root\\00\\09\\7F");
}

TEST_P(ClientTexts, OtherScriptsAndQuotesAreEscaped) {
  const auto shown =
      with({{"CN", "J\xc3\xbcrgen \"x\", O=Admins+CN=root"}, {"O", "\xf0\x9f\x94\x91"}});
  ASSERT_NE(shown, nullptr);
  EXPECT_EQ(shown->subject(),
            "O=\\F0\\9F\\94\\91,CN=J\\C3\\BCrgen \\\"x\\\"\\, O=Admins\\+CN=root");
}

TEST_P(ClientTexts, ASubjectIsToldWholeOrNotAtAll) {
  // "CN=" and the text: 1024 at most.
  EXPECT_EQ(with({{"description", std::string(1024 - 12, 'a')}})->subject().size(), 1024u);
  const auto longer = with({{"description", std::string(1024 - 11, 'a')}});
  EXPECT_EQ(longer->subject(), "");
  EXPECT_FALSE(longer->fingerprint().empty());
  EXPECT_EQ(with({})->subject(), "");
}

TEST_P(ClientTexts, NamesAreEncodedWhereTheyCouldBeTakenForOthers) {
  const std::string evil("good.example\0.evil.example,root\r\n%2C\" \xc3\xbc\\", 41);
  const std::string told = "good.example%00.evil.example%2Croot%0D%0A%252C%22%20%C3%BC%5C";
  EXPECT_EQ(named(GEN_DNS, evil)->dns_names(), told);
  EXPECT_EQ(named(GEN_EMAIL, evil)->emails(), told);
  EXPECT_EQ(named(GEN_URI, evil)->uris(), told);
  EXPECT_EQ(named(GEN_URI, "spiffe://a/b?c=d&e;f#g'(h)")->uris(), "spiffe://a/b?c=d&e;f#g'(h)");
  EXPECT_EQ(named(GEN_DNS, "")->dns_names(), "");
}

TEST_P(ClientTexts, ASerialNumberIsOneLine) {
  for (const int bytes : {20, 32, 33, 36}) {
    const Pair own = client_of(ca_);
    const std::string number(static_cast<std::size_t>(bytes), '\x41');
    const Owned<BIGNUM, BN_free> value(
        BN_bin2bn(reinterpret_cast<const unsigned char*>(number.data()), bytes, nullptr));
    BN_to_ASN1_INTEGER(value.get(), X509_get_serialNumber(own.certificate.get()));
    sign(own, ca_);
    const Outcome outcome = connect(server(trust(pem_of(ca_))), &own);
    ASSERT_NE(outcome.shown, nullptr);
    std::string told;
    for (int i = 0; i < bytes && bytes <= 32; ++i) told += "41";
    EXPECT_EQ(outcome.shown->serial(), told);
  }
}

TEST_P(ClientTexts, NamesAreToldUpToFourKibibytes) {
  EXPECT_EQ(named(GEN_DNS, std::string(4096, 'a'))->dns_names().size(), 4096u);
  EXPECT_EQ(named(GEN_DNS, std::string(4097, 'a'))->dns_names(), "");
}

INSTANTIATE_TEST_SUITE_P(Versions, ClientTexts, ::testing::Values(TLS1_3_VERSION),
                         [](const auto&) { return "Tls13"; });

// --------------------------------------------------------------------------------- what is trusted

TEST(ClientAuthoritiesTest, AreAuthoritiesAndNothingElse) {
  const auto error = [](std::string_view authorities, std::string_view lists = {}) {
    const auto made = ClientAuthorities::create(authorities, lists);
    EXPECT_FALSE(made);
    return made ? ClientCaError::library : made.error();
  };
  const Pair ca = authority("clients");
  EXPECT_EQ(error(""), ClientCaError::no_authorities);
  EXPECT_EQ(error("nothing"), ClientCaError::no_authorities);
  EXPECT_EQ(error(pem_of(ca) + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            ClientCaError::no_authorities);
  EXPECT_EQ(error(std::string(to_pem(ca).key.reveal())), ClientCaError::no_authorities);
  EXPECT_EQ(error(pem_of(ca) + std::string(1024 * 1024, '\n')), ClientCaError::no_authorities);
  EXPECT_EQ(error(pem_of(client_of(ca))), ClientCaError::not_authority);
  EXPECT_EQ(error(pem_of(ca), "nothing"), ClientCaError::bad_crl);
  EXPECT_EQ(error(pem_of(ca), pem_of(ca)), ClientCaError::bad_crl);
  Pair weak = authority("weak");
  weak.key.reset(EVP_RSA_gen(1024));
  X509_set_pubkey(weak.certificate.get(), weak.key.get());
  sign(weak, weak);
  EXPECT_EQ(error(pem_of(weak)), ClientCaError::weak_authority);
}

TEST(ClientAuthoritiesTest, AreSoManyAsAQuestionHolds) {
  std::string all;
  std::size_t size = 0;
  for (int i = 0; size < 16 * 1024; ++i) {
    const Pair one = authority(std::string(60, 'a') + std::to_string(1000 + i));
    const int name = i2d_X509_NAME(X509_get_subject_name(one.certificate.get()), nullptr);
    size += static_cast<std::size_t>(name) + 2;
    all += pem_of(one);
    if (size < 15 * 1024) continue;
    const auto made = ClientAuthorities::create(all);
    if (size > 16 * 1024) {
      ASSERT_FALSE(made);
      EXPECT_EQ(made.error(), ClientCaError::too_many);
    } else {
      ASSERT_TRUE(made);
    }
  }
}

TEST(ClientAuthoritiesTest, AreToldApartByTheirTexts) {
  const Pair ca = authority("clients");
  const std::string one = pem_of(ca);
  const auto digest = [](const std::string& a, const std::string& b = {}) {
    return ClientAuthorities::create(a, b).value()->digest();
  };
  EXPECT_EQ(digest(one), digest(one));
  EXPECT_NE(digest(one), digest(one + pem_of(authority("others"))));
  EXPECT_NE(digest(one), digest(one, list_of(ca, {})));
  EXPECT_TRUE(ClientAuthorities::create(one, list_of(ca, {})).value()->has_lists());
  EXPECT_FALSE(ClientAuthorities::create(one).value()->has_lists());
}

}  // namespace
}  // namespace moat::https
