// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/gateway/config.h"
#include "moat/gateway/routes.h"

namespace moat::gateway {
namespace {

const std::string backend = "backend = \"http://127.0.0.1:3000\"\n";
const std::string route = "[[route]]\nmatch = \"/*\"\n" + backend;

std::string problem(const std::string& text) {
  const auto parsed = parse_config(text, "moat.toml");
  if (!parsed) return parsed.error().front().to_string();
  const auto problems = check_config(*parsed);
  return problems.empty() ? "" : problems.front().to_string();
}

// ---------------------------------------------------------------------------- certificates of
// clients

TEST(ConfigTls, ClientCertificatesAreAskedForByRoute) {
  const std::string tls = "tls.client_ca_file = \"ca.pem\"\ntls.client_crl_file = \"crl.pem\"\n";
  const auto config = parse_config(tls + route + "client_certificate = \"required\"", "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->client_ca_file, "ca.pem");
  EXPECT_EQ(config->client_crl_file, "crl.pem");
  EXPECT_EQ(config->routes[0].client_certificate, ClientCertificates::required);
  EXPECT_TRUE(config->asks_clients());
  EXPECT_TRUE(check_config(*config).empty());
  EXPECT_EQ(problem(tls + route + "client_certificate = \"optional\""), "");
  const auto silent = parse_config(route, "moat.toml");
  ASSERT_TRUE(silent.has_value());
  EXPECT_EQ(silent->routes[0].client_certificate, ClientCertificates::none);
  EXPECT_FALSE(silent->asks_clients());
}

TEST(ConfigTls, ClientCertificatesAndWhoIssuesThemGoTogether) {
  const std::string ca = "tls.client_ca_file = \"ca.pem\"\n";
  for (const char* wish : {"required", "optional"}) {
    const std::string asks = route + "client_certificate = \"" + wish + "\"";
    EXPECT_EQ(problem(ca + asks), "");
    EXPECT_EQ(problem(asks),
              "moat.toml:1: route '/*' asks for client certificates, so it needs "
              "'tls.client_ca_file': who may issue them");
  }
  EXPECT_NE(problem(ca + route).find("no route asks"), std::string::npos);
  EXPECT_NE(problem("tls.client_crl_file = \"a\"\n" + route).find("client_ca_file"),
            std::string::npos);
  EXPECT_NE(problem(route + "client_certificate = \"always\"").find("\"required\""),
            std::string::npos);
  EXPECT_NE(
      problem(route + "client_certificates = \"required\"").find("'route.client_certificate'"),
      std::string::npos);
}

TEST(ConfigTls, ARouteThatAsksForACertificateIsTheStricter) {
  Route open;
  Route asks;
  asks.client_certificate = ClientCertificates::optional;
  Route needs;
  needs.client_certificate = ClientCertificates::required;
  EXPECT_TRUE(is_at_least_as_strict(needs, asks));
  EXPECT_TRUE(is_at_least_as_strict(asks, open));
  EXPECT_FALSE(is_at_least_as_strict(open, asks));
  EXPECT_FALSE(is_at_least_as_strict(asks, needs));
}

// --------------------------------------------------------------------- what is shown to backends

TEST(ConfigTls, AnOwnCertificateIsAPairForABackendOverTls) {
  const std::string tls = "backend = \"https://a.internal\"\n";
  const std::string pair = "backend_certificate = \"own.pem\"\nbackend_key = \"own.key\"\n";
  EXPECT_EQ(problem(tls + pair), "");
  const auto config = parse_config(tls + pair, "moat.toml");
  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->routes[0].backend.certificate_file, "own.pem");
  EXPECT_EQ(config->routes[0].backend.key_file, "own.key");
  EXPECT_NE(problem(tls + "backend_key = \"own.key\"").find("go together"), std::string::npos);
  EXPECT_NE(problem(tls + "backend_certificate = \"a\"").find("go together"), std::string::npos);
  EXPECT_NE(problem(backend + pair).find("no https:// backend"), std::string::npos);
}

// ---------------------------------------------------------------------------- several certificates

TEST(ConfigTls, CertificatesAreOnePairOrSeveralTables) {
  const std::string one =
      "[[tls.certificate]]\ncertificate_file = \"a.pem\"\nkey_file = \"a.key\"\n";
  const std::string two =
      "[[tls.certificate]]\ncertificate_file = \"b.pem\"\nkey_file = \"b.key\"\n";
  const auto several = parse_config("domain = \"a.example\"\n" + backend + one + two, "moat.toml");
  ASSERT_TRUE(several.has_value());
  EXPECT_TRUE(check_config(*several).empty());
  EXPECT_TRUE(weakenings(*several).empty());  // nothing self-signed is shown
  EXPECT_FALSE(several->uses_acme());
  ASSERT_EQ(several->certificate_pairs().size(), 2U);
  EXPECT_EQ(several->certificate_pairs()[1].certificate_file, "b.pem");
  EXPECT_EQ(several->certificate_pairs()[1].key_file, "b.key");
  const auto single =
      parse_config(backend + "tls.certificate = \"a\"\ntls.key = \"k\"", "moat.toml");
  ASSERT_TRUE(single.has_value());
  ASSERT_EQ(single->certificate_pairs().size(), 1U);
  EXPECT_EQ(single->certificate_pairs()[0].certificate_file, "a");
  EXPECT_FALSE(parse_config(backend, "moat.toml")->has_certificate_files());
}

TEST(ConfigTls, HalfACertificateIsNone) {
  EXPECT_NE(problem(backend + "[[tls.certificate]]\ncertificate_file = \"a\"").find("needs both"),
            std::string::npos);
  EXPECT_NE(problem(backend + "[[tls.certificate]]\nkey_file = \"a\"").find("needs both"),
            std::string::npos);
  EXPECT_NE(problem(backend + "tls.key = \"a\"").find("go together"), std::string::npos);
  EXPECT_NE(problem(backend + "[tls]\nkey = \"a\"\n[[tls.certificate]]\ncertificate_file = \"a\"\n"
                              "key_file = \"b\"")
                .find("'key_file'"),
            std::string::npos);
  EXPECT_NE(problem(backend + "[[tls.certificate]]\ncertificate = \"a\"")
                .find("unknown key 'tls.certificate.certificate'"),
            std::string::npos);
  EXPECT_NE(problem(backend + "tls.certificate = [\"a\", \"b\"]").find("[[tls.certificate]]"),
            std::string::npos);
  std::string many = backend;
  for (std::size_t i = 0; i < most_certificates; ++i)
    many += "[[tls.certificate]]\ncertificate_file = \"a\"\nkey_file = \"b\"\n";
  EXPECT_EQ(problem(many), "");
  EXPECT_NE(problem(many + "[[tls.certificate]]\ncertificate_file = \"a\"\nkey_file = \"b\"\n"),
            "");
}

TEST(ConfigTls, PlainHttpToAnotherMachineIsAWeakening) {
  const auto told = [](const std::string& backends) {
    const auto config = parse_config("backend = [" + backends + "]\n", "moat.toml");
    std::vector<std::string> out;
    for (const Weakening& one : weakenings(config.value())) {
      EXPECT_EQ(one.practice, 1);
      out.push_back(one.message.substr(0, one.message.find(" is not encrypted")));
    }
    return out;
  };
  using Lines = std::vector<std::string>;
  EXPECT_EQ(told(R"("3000", "http://localhost:1", "http://app.localhost", "http://127.0.0.9:1",
                    "http://[::1]:1", "unix:/run/app.sock", "https://10.0.0.1", "https://app")"),
            Lines{});
  EXPECT_EQ(told(R"("http://app:3000", "http://10.0.0.1", "10.0.0.1:80", "http://localhost.test")"),
            (Lines{"what is sent to http://app:3000", "what is sent to http://10.0.0.1",
                   "what is sent to http://localhost.test"}));
  const auto routes = parse_config(
      "[[route]]\nmatch = \"/a\"\nbackend = \"http://a\"\n[[route]]\nmatch = \"/*\"\n"
      "backend = [\"http://a\", \"http://b\"]\n",
      "moat.toml");
  const auto weak = weakenings(routes.value());
  ASSERT_EQ(weak.size(), 2U) << "each once";
  EXPECT_EQ(weak[1].origin.line, 4U);
}

TEST(ConfigTls, MetricsInTheClearForOtherMachinesAreAWeakening) {
  const auto with = [](const std::string& listen) {
    return parse_config("backend = \"3000\"\n[admin]\nlisten = \"" + listen + "\"\n", "moat.toml")
        .value();
  };
  for (const char* own : {"127.0.0.1:9090", "[::1]:9090", "localhost:9090", "127.9.9.9:1"}) {
    EXPECT_TRUE(weakenings(with(own)).empty()) << own;
    EXPECT_TRUE(check_config(with(own)).empty()) << own;
  }
  for (const char* open : {":9090", "9090", "0.0.0.0:9090", "[::]:9090", "192.0.2.1:9090"}) {
    const auto weak = weakenings(with(open));
    ASSERT_EQ(weak.size(), 1U) << open;
    EXPECT_EQ(weak[0].practice, 1);
    EXPECT_EQ(weak[0].origin.source, "admin.listen");
    EXPECT_TRUE(check_config(with(open)).empty()) << open;
  }
  // What the start refuses, the check does too.
  ASSERT_EQ(check_config(with("nowhere")).size(), 1U);
  EXPECT_EQ(check_config(with("nowhere"))[0].origin.source, "admin.listen");
  EXPECT_TRUE(weakenings(with("nowhere")).empty());
}

}  // namespace
}  // namespace moat::gateway
