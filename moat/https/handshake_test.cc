// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "moat/https/internal/testing.h"

namespace moat::https {
namespace {

using testing::certificate_for;
using testing::Client;
using testing::Link;

struct Server {
  ManualClock clock{testing::present()};
  std::shared_ptr<CertificateStore> store = std::make_shared<CertificateStore>();
  std::shared_ptr<TicketKeys> tickets = std::make_shared<TicketKeys>(clock, system_random());
  Server() { store->put(certificate_for("localhost")); }
  ServerContext context(const TlsPolicy& policy = {}) const {
    return ServerContext::create(policy, store, tickets).value();
  }
};

Issued rsa_certificate() {
  const Pair pair = issue({"rsa",
                           testing::present() - std::chrono::hours{1},
                           testing::present() + std::chrono::days{30},
                           {{NID_subject_alt_name, "DNS:localhost"}}},
                          nullptr);
  const OwnedKey key(EVP_RSA_gen(2048));
  X509_set_pubkey(pair.certificate.get(), key.get());
  X509_sign(pair.certificate.get(), key.get(), EVP_sha256());
  Issued issued = to_pem(pair);
  issued.key = key_to_pem(key.get());
  return issued;
}

TEST(Handshake, SpeaksTls12And13AndPrefers13) {
  const Server server;
  const ServerContext context = server.context();
  Client client;
  Link newest(context, client);
  ASSERT_TRUE(newest.handshake());
  EXPECT_EQ(SSL_version(newest.client()), TLS1_3_VERSION);
  client.only(TLS1_2_VERSION);
  Link older(context, client);
  ASSERT_TRUE(older.handshake());
  EXPECT_EQ(SSL_version(older.client()), TLS1_2_VERSION);
}

// RFC 8996.
TEST(Handshake, Tls10And11AreRefused) {
  const Server server;
  const ServerContext context = server.context();
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    Client client;
    SSL_CTX_set_security_level(client.context.get(), 0);
    SSL_CTX_set_cipher_list(client.context.get(), "ALL:@SECLEVEL=0");
    client.only(version);
    Link link(context, client);
    EXPECT_FALSE(link.handshake());
    EXPECT_EQ(link.alert(), SSL_AD_PROTOCOL_VERSION);
  }
}

TEST(Handshake, ModernRefusesTls12) {
  const Server server;
  const ServerContext context = server.context({TlsPolicy::Versions::modern, {"http/1.1"}});
  Client client;
  EXPECT_TRUE(Link(context, client).handshake());
  client.only(TLS1_2_VERSION);
  Link link(context, client);
  EXPECT_FALSE(link.handshake());
  EXPECT_EQ(link.alert(), SSL_AD_PROTOCOL_VERSION);
}

TEST(Handshake, TheStrongestSuiteWinsUnlessTheClientLeadsWithChaCha) {
  const Server server;
  const ServerContext context = server.context();
  const auto suite13 = [&](const char* offer) {
    Client client;
    SSL_CTX_set_ciphersuites(client.context.get(), offer);
    Link link(context, client);
    return link.handshake() ? link.suite() : "none";
  };
  EXPECT_EQ(suite13("TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"),
            "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(suite13("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"),
            "TLS_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(suite13("TLS_AES_128_GCM_SHA256"), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(suite13("TLS_AES_128_CCM_SHA256"), "none");
}

TEST(Handshake, Tls12HasForwardSecrecyAndAeadOnly) {
  Server server;
  const auto suite12 = [&](const ServerContext& context, const char* offer) {
    Client client;
    client.only(TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client.context.get(), offer);
    Link link(context, client);
    return link.handshake() ? link.suite() : "none";
  };
  const ServerContext context = server.context();
  EXPECT_EQ(suite12(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"),
            "ECDHE-ECDSA-AES256-GCM-SHA384");
  EXPECT_EQ(suite12(context, "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384"),
            "ECDHE-ECDSA-CHACHA20-POLY1305");
  EXPECT_EQ(suite12(context, "ECDHE-ECDSA-AES128-SHA256"), "none");
  EXPECT_EQ(suite12(context, "ECDHE-ECDSA-AES256-CCM"), "none");

  server.store->replace({certificate_for(rsa_certificate())});
  EXPECT_EQ(suite12(context, "ALL"), "ECDHE-RSA-AES256-GCM-SHA384");
  for (const char* offer :
       {"AES256-GCM-SHA384", "DHE-RSA-AES256-GCM-SHA384", "AES128-SHA", "ECDHE-RSA-AES256-SHA384"})
    EXPECT_EQ(suite12(context, offer), "none") << offer;
}

TEST(Handshake, WhatIsMissingAmongTheGroupsIsSaid) {
  const std::string said = describe_groups();
  EXPECT_NE(said.find("X25519, P-256, P-384"), std::string::npos) << said;
  const bool there = said.rfind("X25519MLKEM768", 0) == 0;
  EXPECT_EQ(said.find("needs OpenSSL 3.5") == std::string::npos, there) << said;
}

TEST(Handshake, GroupsAreTheModernOnes) {
  const Server server;
  const ServerContext context = server.context();
  const auto& groups = context.groups();
  for (const char* group : {"X25519", "P-256", "P-384"})
    EXPECT_NE(std::find(groups.begin(), groups.end(), group), groups.end()) << group;
  const auto agrees = [&](const char* offer) {
    Client client;
    SSL_CTX_set1_groups_list(client.context.get(), offer);
    return Link(context, client).handshake();
  };
  for (const std::string& group : groups) EXPECT_TRUE(agrees(group.c_str())) << group;
  EXPECT_FALSE(agrees("P-521"));
  EXPECT_FALSE(agrees("X448"));
  EXPECT_FALSE(agrees("ffdhe3072"));
}

// Whichever the client likes best, of those that it offers.
TEST(Handshake, OfSeveralGroupsTheFirstOfOursIsTaken) {
  const Server server;
  const ServerContext context = server.context();
  std::vector<std::string> wanted = {"X25519MLKEM768", "X25519", "P-256", "P-384"};
  if (OpenSSL_version_num() < 0x30500000L) wanted.erase(wanted.begin());
  EXPECT_EQ(context.groups(), wanted);
  const auto agreed = [&](const char* offer) -> std::string {
    Client client;
    client.only(TLS1_2_VERSION);  // of 1.3 it is the one that the client has sent a share for
    SSL_CTX_set1_groups_list(client.context.get(), offer);
    Link link(context, client);
    EVP_PKEY* raw = nullptr;
    if (!link.handshake() || SSL_get_peer_tmp_key(link.client(), &raw) != 1) return "none";
    const OwnedKey key(raw);
    if (EVP_PKEY_is_a(key.get(), "X25519") == 1) return "X25519";
    return EVP_PKEY_get_bits(key.get()) == 256 ? "P-256" : "P-384";
  };
  EXPECT_EQ(agreed("P-384:P-256:X25519"), "X25519");
  EXPECT_EQ(agreed("P-384:P-256"), "P-256");
}

TEST(Handshake, Sha1IsNoSignature) {
  Server server;
  server.store->replace({certificate_for(rsa_certificate())});
  const ServerContext context = server.context();
  const auto signs = [&](const char* offer) {
    Client client;
    client.only(TLS1_2_VERSION);
    SSL_CTX_set_security_level(client.context.get(), 0);
    SSL_CTX_set1_sigalgs_list(client.context.get(), offer);
    return Link(context, client).handshake();
  };
  EXPECT_TRUE(signs("RSA-PSS+SHA256"));
  EXPECT_TRUE(signs("RSA+SHA256"));
  EXPECT_FALSE(signs("RSA+SHA1"));
  EXPECT_FALSE(signs("RSA+SHA224"));
}

TEST(Handshake, NoRenegotiationNoCompressionAndTheMasterSecretIsExtended) {
  const Server server;
  const ServerContext context = server.context();
  Client client;
  client.only(TLS1_2_VERSION);
  Link link(context, client);
  ASSERT_TRUE(link.handshake());
  EXPECT_EQ(SSL_get_extms_support(link.server()), 1);
  EXPECT_EQ(SSL_get_current_compression(link.server()), nullptr);
  EXPECT_EQ(SSL_get_secure_renegotiation_support(link.client()), 1);
  // The server answers with the warning no_renegotiation and goes on as before.
  ASSERT_EQ(SSL_renegotiate(link.client()), 1);
  EXPECT_FALSE(link.handshake());
  EXPECT_EQ(SSL_num_renegotiations(link.server()), 0);
}

TEST(Handshake, ChoosesTheApplicationProtocol) {
  const Server server;
  const auto chosen = [&](const ServerContext& context, std::string_view offer) {
    Client client;
    client.protocols = offer;
    Link link(context, client);
    if (link.handshake()) return link.protocol();
    return "alert " + std::to_string(link.alert());
  };
  const ServerContext one = server.context();
  EXPECT_EQ(chosen(one, "\x02h2\x08http/1.1"), "http/1.1");
  EXPECT_EQ(chosen(one, ""), "");
  EXPECT_EQ(chosen(one, "\x02h2"), "alert 120");
  EXPECT_EQ(chosen(one, "\x08HTTP/1.1"), "alert 120");
  const ServerContext two = server.context({TlsPolicy::Versions::tls12_and_13, {"h2", "http/1.1"}});
  EXPECT_EQ(chosen(two, "\x08http/1.1\x02h2"), "h2");
  for (const std::string& bad : {std::string(), std::string(256, 'a'), std::string("acme-tls/1")})
    EXPECT_EQ(
        ServerContext::create({TlsPolicy::Versions::modern, {bad}}, server.store, server.tickets)
            .error(),
        TlsError::bad_protocol);
}

TEST(Handshake, TheNameChoosesTheCertificate) {
  Server server;
  const Certificate exact = certificate_for("example.com");
  const Certificate wildcard = certificate_for("*.example.com");
  const Certificate local = *server.store->find("localhost");
  server.store->put(exact);
  server.store->put(wildcard);
  const ServerContext context = server.context();
  const auto shown = [&](const char* name) {
    Client client;
    client.name = name;
    Link link(context, client);
    if (link.handshake()) return link.fingerprint();
    return "alert " + std::to_string(link.alert());
  };
  EXPECT_EQ(shown("example.com"), exact.fingerprint());
  EXPECT_EQ(shown("EXAMPLE.com"), exact.fingerprint());
  EXPECT_EQ(shown("www.example.com"), wildcard.fingerprint());
  EXPECT_EQ(shown("localhost"), local.fingerprint());
  EXPECT_EQ(shown(""), local.fingerprint());           // none asked for: the default
  EXPECT_EQ(shown("192.0.2.1"), local.fingerprint());  // no name either
  EXPECT_EQ(shown("a.b.example.com"), "alert 112");
  EXPECT_EQ(shown("example.org"), "alert 112");
  EXPECT_EQ(shown("com"), "alert 112");
  server.store->remove("example.com");
  EXPECT_EQ(shown("example.com"), "alert 112");
  EXPECT_EQ(shown("www.example.com"), wildcard.fingerprint());
}

TEST(Handshake, ANameMayHaveACertificateOfEachKindOfKey) {
  Server server;
  const Certificate ec = certificate_for("example.com");
  Pair pair = issue({"example.com",
                     testing::present(),
                     testing::present() + std::chrono::days{9},
                     {{NID_subject_alt_name, "DNS:example.com,DNS:rsa.example.com"}}},
                    nullptr);
  pair.key.reset(EVP_RSA_gen(2048));
  X509_set_pubkey(pair.certificate.get(), pair.key.get());
  X509_sign(pair.certificate.get(), pair.key.get(), EVP_sha256());
  const Certificate rsa = certificate_for(to_pem(pair));
  const auto shown = [&](int version, const char* signatures, const char* name) {
    const ServerContext context = server.context();
    Client client;
    client.only(version);
    client.name = name;
    SSL_CTX_set1_sigalgs_list(client.context.get(), signatures);
    Link link(context, client);
    return link.handshake() ? link.fingerprint() : "refused";
  };
  const char* const both = "RSA-PSS+SHA256:ECDSA+SHA256";
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& order :
         {std::vector<Certificate>{ec, rsa}, std::vector<Certificate>{rsa, ec}}) {
      server.store->replace(order);
      for (const char* name : {"example.com", ""}) {
        EXPECT_EQ(shown(version, "ECDSA+SHA256", name), ec.fingerprint());
        EXPECT_EQ(shown(version, "RSA-PSS+SHA256", name), rsa.fingerprint());
        EXPECT_EQ(shown(version, both, name), ec.fingerprint());  // ours is the choice
      }
      EXPECT_EQ(shown(version, both, "rsa.example.com"), rsa.fingerprint());
      EXPECT_EQ(shown(version, "ECDSA+SHA256", "rsa.example.com"), "refused");
      EXPECT_EQ(server.store->find_all("example.com").size(), 2u);
    }
    // Of one kind the first counts.
    server.store->replace({ec, certificate_for("example.com")});
    EXPECT_EQ(shown(version, both, "example.com"), ec.fingerprint());
    EXPECT_EQ(server.store->find_all("example.com").size(), 1u);
    EXPECT_TRUE(server.store->find_all("example.org").empty());
  }
}

TEST(Handshake, AnUnknownNameGetsTheDefaultWhereThatIsAllowed) {
  Server server;
  server.store = std::make_shared<CertificateStore>(CertificateStore::UnknownName::allow_default);
  const ServerContext context = server.context();
  Client client;
  client.name = "example.org";
  EXPECT_FALSE(Link(context, client).handshake());  // there is none yet
  const Certificate local = certificate_for("localhost");
  server.store->put(local);
  Link link(context, client);
  ASSERT_TRUE(link.handshake());
  EXPECT_EQ(link.fingerprint(), local.fingerprint());
}

TEST(Handshake, TheWholeChainIsShown) {
  Server server;
  const LocalCaState state = LocalCa::create({}).value().make(testing::present()).value();
  server.store->replace({certificate_for(state.leaf)});
  const ServerContext context = server.context();
  Client client;
  const Pair root = read_pair(state.root);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(client.context.get()), root.certificate.get());
  SSL_CTX_set_verify(client.context.get(), SSL_VERIFY_PEER, nullptr);
  Link link(context, client);
  SSL_set1_host(link.client(), "localhost");
  EXPECT_TRUE(link.handshake());
  EXPECT_EQ(SSL_get_verify_result(link.client()), X509_V_OK);
  Link other(context, client);
  SSL_set1_host(other.client(), "app.localhost");
  EXPECT_FALSE(other.handshake());
}

// RFC 8737: the challenge's certificate is seen by who speaks acme-tls/1, for its name, for its
// time.
TEST(Handshake, AChallengeIsAnsweredApart) {
  Server server;
  const Issued challenge =
      acme_challenge("new.example.com", std::string(32, 'd'), testing::present()).value();
  const ServerContext context = server.context();
  Client acme;
  acme.name = "new.example.com";
  acme.protocols =
      "\x0a"
      "acme-tls/1";
  const auto refused_with = [&](const Client& client) {
    Link link(context, client);
    return link.handshake() ? 0 : link.alert();
  };
  EXPECT_NE(refused_with(acme), 0);
  const auto certificate =
      Certificate::from_pem(challenge.certificate, challenge.key, testing::present());
  ASSERT_TRUE(certificate) << to_string(certificate.error());
  server.store->put_challenge("new.example.com", *certificate);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    acme.only(version);
    Link link(context, acme);
    ASSERT_TRUE(link.handshake());
    EXPECT_EQ(link.protocol(), "acme-tls/1");
    EXPECT_EQ(link.fingerprint(), certificate->fingerprint());
  }
  Client mixed;
  mixed.name = acme.name;
  mixed.protocols =
      "\x0a"
      "acme-tls/1\x08http/1.1";
  EXPECT_EQ(refused_with(mixed), SSL_AD_UNRECOGNIZED_NAME);
  Client browser;
  browser.name = acme.name;
  EXPECT_EQ(refused_with(browser), SSL_AD_UNRECOGNIZED_NAME);
  acme.name = "localhost";
  EXPECT_NE(refused_with(acme), 0);
  acme.name = "new.example.com";
  server.store->remove_challenge("new.example.com");
  EXPECT_NE(refused_with(acme), 0);
}

TEST(Handshake, ConnectionsOutliveTheContext) {
  auto server = std::make_unique<Server>();
  const auto keys = server->tickets;  // the clock is the server's
  std::optional<ServerContext> context = server->context();
  Client client;
  Link link(*context, client);
  context.reset();
  server->store.reset();
  EXPECT_TRUE(link.handshake());
}

TEST(Handshake, CertificatesAreSwappedWhileHandshakesRun) {
  Server server;
  const Certificate first = certificate_for("localhost");
  const Certificate second = certificate_for("localhost");
  server.store->replace({first});
  std::atomic<bool> stop{false};
  std::thread swapper([&] {
    while (!stop) {
      server.store->replace({second});
      server.store->put(first);
      server.tickets->rotate();
      std::this_thread::yield();
    }
  });
  std::atomic<int> good{0};
  const auto shake = [&] {
    const ServerContext context = server.context();
    Client client;
    for (int i = 0; i < 60; ++i) {
      Link link(context, client);
      if (!link.handshake()) continue;
      const std::string shown = link.fingerprint();
      good += shown == first.fingerprint() || shown == second.fingerprint() ? 1 : 0;
    }
  };
  std::thread one(shake);
  std::thread two(shake);
  one.join();
  two.join();
  stop = true;
  swapper.join();
  EXPECT_EQ(good, 120);
}

TEST(Handshake, SettingsAreThoseOfAServerUnderLoad) {
  const Server server;
  const ServerContext kept = server.context();
  SSL_CTX* const raw = kept.native();
  EXPECT_EQ(SSL_CTX_get_session_cache_mode(raw), SSL_SESS_CACHE_OFF);
  EXPECT_EQ(SSL_CTX_get_max_early_data(raw), 0u);
  EXPECT_EQ(SSL_CTX_get_read_ahead(raw), 1);
  const bool by_itself = (SSL_CTX_get_mode(raw) & SSL_MODE_RELEASE_BUFFERS) != 0;
  EXPECT_EQ(by_itself, !may_free_buffers(OpenSSL_version_num()));  // else the stream does it
  EXPECT_FALSE(SSL_CTX_get_options(raw) & SSL_OP_ALLOW_NO_DHE_KEX);
  EXPECT_GE(SSL_CTX_get_security_level(raw), 2);
}

// CVE-2024-4741: 3.0 to 3.0.13, 3.1 to 3.1.5, 3.2 to 3.2.1, 3.3.0.
TEST(Handshake, BuffersAreNeverFreedByHandWhereThatIsAUseAfterFree) {
  struct Case {
    unsigned long library;
    bool by_hand;
  };
  for (const Case& one :
       {Case{0x30000000L, false}, Case{0x300000d0L, false}, Case{0x300000e0L, true},
        Case{0x30000110L, true}, Case{0x30100000L, false}, Case{0x30100050L, false},
        Case{0x30100060L, true}, Case{0x30200000L, false}, Case{0x30200010L, false},
        Case{0x30200020L, true}, Case{0x30300000L, false}, Case{0x30300010L, true},
        Case{0x30400000L, true}, Case{0x30500000L, true}}) {
    EXPECT_EQ(may_free_buffers(one.library), one.by_hand) << std::hex << one.library;
    const OwnedSslCtx context(SSL_CTX_new(TLS_server_method()));
    set_modes(context.get(), one.library);
    const bool by_itself = (SSL_CTX_get_mode(context.get()) & SSL_MODE_RELEASE_BUFFERS) != 0;
    EXPECT_EQ(by_itself, !one.by_hand) << std::hex << one.library;
    EXPECT_EQ(SSL_CTX_get_read_ahead(context.get()), 1);
  }
}

}  // namespace
}  // namespace moat::https
