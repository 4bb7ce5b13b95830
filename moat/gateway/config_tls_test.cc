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

}  // namespace
}  // namespace moat::gateway
