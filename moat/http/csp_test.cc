// SPDX-License-Identifier: Apache-2.0
#include "moat/http/csp.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace moat::http {
namespace {

using Strings = std::vector<std::string>;

std::string problem(std::string_view text) {
  const auto policy = ContentSecurityPolicy::parse(text);
  return policy ? "" : policy.error();
}

Strings weak(std::string_view text) {
  const auto policy = ContentSecurityPolicy::parse(text);
  EXPECT_TRUE(policy) << text;
  return policy ? policy->weaknesses() : Strings{};
}

TEST(Csp, TakesPoliciesAsBrowsersReadThem) {
  for (const char* text :
       {"default-src 'self'", "default-src 'none';",
        "; default-src 'self' ;; img-src  * data:", "DEFAULT-SRC 'SELF'",
        "script-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
        "upgrade-insecure-requests", "sandbox allow-scripts allow-forms",
        "require-trusted-types-for 'script'; trusted-types default 'allow-duplicates'",
        "connect-src 'self' wss://live.example:8443/x https://*.example",
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'; fenced-frame-src https:"}) {
    EXPECT_EQ(problem(text), "") << text;
  }
  EXPECT_EQ(ContentSecurityPolicy::parse("img-src 'self'")->text(), "img-src 'self'");
}

TEST(Csp, RefusesWhatABrowserWouldPassOver) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"", "a directive at least"},
      {" ; ;", "a directive at least"},
      {"defualt-src 'self'", "no directive 'defualt-src'"},
      {"plugin-types a/b", "no directive 'plugin-types'"},
      {"default-src 'self'; img-src *; Default-Src *", "default-src stands there twice"},
      {"default-src self", "'self'"},
      {"default-src none", "'none'"},
      {"script-src unsafe-inline", "'unsafe-inline'"},
      {"script-src sha256-abcd=", "'sha256-abcd='"},
      {"script-src 'selff'", "is no keyword"},
      {"script-src 'self", "is no keyword"},
      {"script-src 'sha256-'", "is no keyword"},
      {"script-src 'nonce-abcdefghijkl'", "a nonce must be new"},
      {"default-src 'none' https://a.example", "stands alone"},
      {"default-src", "has no value"},
      {"default-src 'self'; report-uri /x", "Moat adds its own"},
      {"default-src 'self'; Report-To x", "Moat adds its own"},
      {"default-src 'self', img-src *", "no commas"},
      {"default-src 'self'\r\nX: y", "printable ASCII"},
      {"default-src\t'self'", "printable ASCII"},
      {"default-src https://b\xc3\xbc"
       "cher.example",
       "printable ASCII"}};
  for (const auto& [text, why] : cases)
    EXPECT_NE(problem(text).find(why), std::string::npos) << text << ": " << problem(text);
}

TEST(Csp, HasFourKibibytesAtMost) {
  const std::string start = "img-src https://";
  std::string text = start + std::string(ContentSecurityPolicy::longest - start.size(), 'a');
  EXPECT_EQ(problem(text), "");
  text += "a";
  EXPECT_NE(problem(text).find("4096"), std::string::npos);
}

TEST(Csp, SaysWhatLetsScriptsOfOthersRun) {
  EXPECT_EQ(weak("default-src 'self'"), Strings{});
  EXPECT_EQ(weak("default-src *; script-src 'self'"), Strings{});
  EXPECT_EQ(weak("script-src 'self'; style-src 'unsafe-inline'; img-src *"), Strings{});
  EXPECT_EQ(weak("script-src 'self' 'unsafe-inline'"), Strings{"'unsafe-inline' in script-src"});
  EXPECT_EQ(weak("default-src 'UNSAFE-EVAL' *"),
            (Strings{"'UNSAFE-EVAL' in default-src", "* in default-src"}));
  EXPECT_EQ(weak("script-src https:"), Strings{"https: in script-src"});
  EXPECT_EQ(weak("script-src data:"), Strings{"data: in script-src"});
  EXPECT_EQ(weak("script-src 'self'; script-src-elem 'unsafe-inline'; script-src-attr *"),
            (Strings{"'unsafe-inline' in script-src-elem", "* in script-src-attr"}));
  EXPECT_EQ(weak("img-src 'self'"), Strings{"scripts are not restricted (no script-src)"});
}

TEST(Csp, KnowsWhatAHashTurnsOff) {
  EXPECT_EQ(weak("script-src 'unsafe-inline' 'sha256-abcd='"), Strings{});
  EXPECT_EQ(weak("script-src 'strict-dynamic' 'sha256-abcd=' https: 'unsafe-inline'"), Strings{});
  EXPECT_EQ(weak("script-src 'strict-dynamic' 'sha256-abcd=' 'unsafe-eval'"),
            Strings{"'unsafe-eval' in script-src"});
}

TEST(Csp, NamesOfDirectivesAreLiterals) {
  EXPECT_EQ(known_directive("Script-Src-Elem"), "script-src-elem");
  EXPECT_EQ(known_directive("report-uri"), "report-uri");
  EXPECT_EQ(known_directive("script-src "), "");
  EXPECT_EQ(known_directive(""), "");
}

}  // namespace
}  // namespace moat::http
