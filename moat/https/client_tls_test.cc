// SPDX-License-Identifier: Apache-2.0
#include "moat/https/client_tls.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "moat/https/internal/testing.h"

namespace moat::https {
namespace {

using std::chrono::days;
using std::chrono::hours;
using testing::present;

// An authority, and what it issues.
class Authority final {
 public:
  explicit Authority(const std::string& name = "authority")
      : pair_(issue({name,
                     present() - hours{1},
                     present() + days{30},
                     {{NID_basic_constraints, "critical,CA:TRUE"}}},
                    nullptr)) {}
  std::string pem() const { return to_pem(pair_).certificate; }
  X509* certificate() const { return pair_.certificate.get(); }
  Pair leaf(const std::string& names, Time from = present() - hours{1},
            Time until = present() + days{30}) const {
    return issue({"leaf", from, until, {{NID_subject_alt_name, names}}}, &pair_);
  }

 private:
  Pair pair_;
};

// A server of one certificate, fed by hand.
class Server final {
 public:
  explicit Server(const Pair& pair) : context_(SSL_CTX_new(TLS_server_method())) {
    EXPECT_EQ(SSL_CTX_use_certificate(context_.get(), pair.certificate.get()), 1);
    EXPECT_EQ(SSL_CTX_use_PrivateKey(context_.get(), pair.key.get()), 1);
  }
  SSL_CTX* context() const { return context_.get(); }
  // Refuses who shows no certificate of that authority.
  void wants_clients_of(const Authority& authority) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), authority.certificate());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }

 private:
  OwnedSslCtx context_;
};

struct Outcome {
  bool done = false;
  bool resumed = false;
  int version = 0;
  std::string why;
  std::string sni;
};

struct Ends {
  OwnedSsl client, server;
  BIO* wire = nullptr;  // the server's end, for what is no TLS
};

Ends connect(const ClientContext& client, SSL_CTX* server) {
  Ends ends;
  ends.client.reset(SSL_new(client.native()));
  EXPECT_TRUE(client.prepare(ends.client.get()));
  BIO* near = nullptr;
  BIO_new_bio_pair(&near, 65536, &ends.wire, 65536);
  SSL_set_bio(ends.client.get(), near, near);
  SSL_set_connect_state(ends.client.get());
  if (server != nullptr) {
    ends.server.reset(SSL_new(server));
    SSL_set_bio(ends.server.get(), ends.wire, ends.wire);
    SSL_set_accept_state(ends.server.get());
  }
  return ends;
}

Outcome handshake(const ClientContext& client, SSL_CTX* server) {
  const Ends ends = connect(client, server);
  Outcome outcome;
  for (int turn = 0; turn < 20; ++turn) {
    ERR_clear_error();
    const int near = SSL_do_handshake(ends.client.get());
    if (near != 1 && SSL_get_error(ends.client.get(), near) == SSL_ERROR_SSL) {
      outcome.why = why_refused(ends.client.get(), ERR_peek_error());
      return outcome;
    }
    ERR_clear_error();
    const int far = SSL_do_handshake(ends.server.get());
    if (near != 1 || far != 1) continue;
    char byte = 0;
    SSL_read(ends.client.get(), &byte, 1);  // the tickets of TLS 1.3
    outcome.done = true;
    outcome.resumed = SSL_session_reused(ends.client.get()) == 1;
    outcome.version = SSL_version(ends.client.get());
    const char* name = SSL_get_servername(ends.server.get(), TLSEXT_NAMETYPE_host_name);
    if (name != nullptr) outcome.sni = name;
    return outcome;
  }
  return outcome;
}

ClientContext client_of(const std::string& name, const std::string& roots,
                        bool allow_unverified = false) {
  ClientPolicy policy;
  policy.name = name;
  policy.roots = roots;
  policy.allow_unverified = allow_unverified;
  return ClientContext::create(policy).value();
}

TEST(ClientTls, TakesACertificateOfItsAuthorityForItsName) {
  const Authority authority;
  const Server server(authority.leaf("DNS:app.internal"));
  const Outcome outcome = handshake(client_of("app.internal", authority.pem()), server.context());
  EXPECT_TRUE(outcome.done) << outcome.why;
  EXPECT_EQ(outcome.version, TLS1_3_VERSION);
  EXPECT_EQ(outcome.sni, "app.internal");
}

TEST(ClientTls, RefusesAnotherName) {
  const Authority authority;
  const Server server(authority.leaf("DNS:app.internal,IP:127.0.0.1"));
  for (const char* name : {"other.internal", "internal", "127.0.0.2"}) {
    const Outcome outcome = handshake(client_of(name, authority.pem()), server.context());
    EXPECT_FALSE(outcome.done);
    EXPECT_EQ(outcome.why, "certificate is for another name") << name;
  }
}

TEST(ClientTls, AnAddressIsVerifiedAsOneAndNotAskedFor) {
  const Authority authority;
  const Server right(authority.leaf("IP:127.0.0.1"));
  const Outcome outcome = handshake(client_of("127.0.0.1", authority.pem()), right.context());
  EXPECT_TRUE(outcome.done) << outcome.why;
  EXPECT_EQ(outcome.sni, "");
  // A DNS name that reads like it is none.
  const Server wrong(authority.leaf("DNS:127.0.0.1"));
  EXPECT_FALSE(handshake(client_of("127.0.0.1", authority.pem()), wrong.context()).done);
}

TEST(ClientTls, AWildcardStandsForOneWholeLabel) {
  const Authority authority;
  const Server server(authority.leaf("DNS:*.internal.example"));
  EXPECT_TRUE(handshake(client_of("a.internal.example", authority.pem()), server.context()).done);
  EXPECT_FALSE(
      handshake(client_of("a.b.internal.example", authority.pem()), server.context()).done);
  const Server part(authority.leaf("DNS:a*.internal.example"));
  EXPECT_FALSE(handshake(client_of("ab.internal.example", authority.pem()), part.context()).done);
}

TEST(ClientTls, RefusesAnUnknownAuthority) {
  const Authority authority;
  const Authority other("other");
  const Server server(authority.leaf("DNS:app.internal"));
  const Outcome outcome = handshake(client_of("app.internal", other.pem()), server.context());
  EXPECT_FALSE(outcome.done);
  EXPECT_EQ(outcome.why, "certificate is from an unknown authority");
  // Nor does the system know it.
  EXPECT_EQ(handshake(client_of("app.internal", ""), server.context()).why,
            "certificate is from an unknown authority");
}

TEST(ClientTls, RefusesWhatIsNotValidNow) {
  const Authority authority;
  const Server old(authority.leaf("DNS:app.internal", present() - days{2}, present() - hours{1}));
  EXPECT_EQ(handshake(client_of("app.internal", authority.pem()), old.context()).why,
            "certificate has expired");
  const Server early(authority.leaf("DNS:app.internal", present() + hours{1}, present() + days{2}));
  EXPECT_EQ(handshake(client_of("app.internal", authority.pem()), early.context()).why,
            "certificate is not valid yet");
}

TEST(ClientTls, TheServersOwnCertificateMayBeNamed) {
  const Authority authority;
  const Pair leaf = authority.leaf("DNS:app.internal");
  const Server server(leaf);
  const std::string own = to_pem(leaf).certificate;
  EXPECT_TRUE(handshake(client_of("app.internal", own), server.context()).done);
  EXPECT_FALSE(handshake(client_of("other.internal", own), server.context()).done);
  const Server same_names(authority.leaf("DNS:app.internal"));
  EXPECT_FALSE(handshake(client_of("app.internal", own), same_names.context()).done);
}

TEST(ClientTls, AllowUnverifiedTakesAnything) {
  const Authority authority;
  const Server server(
      authority.leaf("DNS:other.internal", present() - days{2}, present() - hours{1}));
  EXPECT_TRUE(handshake(client_of("app.internal", "", true), server.context()).done);
  EXPECT_FALSE(handshake(client_of("app.internal", "", false), server.context()).done);
}

TEST(ClientTls, SpeaksTls12AndNothingOlder) {
  const Authority authority;
  const Server server(authority.leaf("DNS:app.internal"));
  SSL_CTX_set_max_proto_version(server.context(), TLS1_2_VERSION);
  const ClientContext client = client_of("app.internal", authority.pem());
  EXPECT_EQ(handshake(client, server.context()).version, TLS1_2_VERSION);
  SSL_CTX_set_security_level(server.context(), 0);
  SSL_CTX_set_min_proto_version(server.context(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(server.context(), TLS1_1_VERSION);
  const ClientContext again = client_of("app.internal", authority.pem());
  EXPECT_FALSE(handshake(again, server.context()).done);
}

TEST(ClientTls, ResumesASessionOnce) {
  const Authority authority;
  const Server server(authority.leaf("DNS:app.internal"));
  SSL_CTX_set_num_tickets(server.context(), 1);
  const ClientContext client = client_of("app.internal", authority.pem());
  EXPECT_FALSE(handshake(client, server.context()).resumed);
  // Two at once: one ticket.
  const Ends waiting = connect(client, server.context());
  EXPECT_FALSE(handshake(client, server.context()).resumed);
  EXPECT_TRUE(handshake(client, server.context()).resumed);
}

TEST(ClientTls, APlainServerIsRefused) {
  const Authority authority;
  const ClientContext client = client_of("app.internal", authority.pem());
  const Ends ends = connect(client, nullptr);
  ERR_clear_error();
  EXPECT_NE(SSL_do_handshake(ends.client.get()), 1);
  constexpr std::string_view answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
  BIO_write(ends.wire, answer.data(), static_cast<int>(answer.size()));
  const int result = SSL_do_handshake(ends.client.get());
  EXPECT_EQ(SSL_get_error(ends.client.get(), result), SSL_ERROR_SSL);
  EXPECT_EQ(why_refused(ends.client.get(), ERR_peek_error()), "does not speak TLS");
  BIO_free(ends.wire);
}

TEST(ClientTls, ShowsWhoItIsToAServerThatAsks) {
  const Authority authority;
  const Authority others("others");
  Server server(authority.leaf("DNS:app.internal"));
  server.wants_clients_of(authority);
  ClientPolicy policy;
  policy.name = "app.internal";
  policy.roots = authority.pem();
  const auto reaches = [&] {
    const ClientContext client = ClientContext::create(policy).value();
    const Ends ends = connect(client, server.context());
    for (int turn = 0; turn < 20; ++turn) {
      SSL_do_handshake(ends.client.get());
      SSL_do_handshake(ends.server.get());
    }
    ERR_clear_error();
    return SSL_is_init_finished(ends.server.get()) == 1;
  };
  const auto shows = [&](const Authority& of) {
    const Issued own = to_pem(of.leaf("DNS:moat.internal"));
    policy.own =
        Certificate::from_pem(own.certificate, own.key, present(), CertificateUse::client).value();
  };
  EXPECT_FALSE(reaches());
  shows(authority);
  EXPECT_TRUE(reaches());
  shows(others);
  EXPECT_FALSE(reaches());
}

TEST(ClientTls, NamesAndRootsAreChecked) {
  const Authority authority;
  const auto error_of = [](const std::string& name, const std::string& roots) {
    ClientPolicy policy;
    policy.name = name;
    policy.roots = roots;
    return ClientContext::create(policy);
  };
  EXPECT_TRUE(error_of("app.internal", authority.pem() + authority.pem()));
  for (const char* name : {"", "a b", "*.internal", "a..b", "-a"})
    EXPECT_EQ(error_of(name, authority.pem()).error(), ClientTlsError::bad_name) << name;
  for (const std::string& roots :
       {std::string("x"), authority.pem().substr(0, 200),
        authority.pem() + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"})
    EXPECT_EQ(error_of("app.internal", roots).error(), ClientTlsError::no_roots);
}

}  // namespace
}  // namespace moat::https
