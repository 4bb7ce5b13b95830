// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "moat/validate/schema.h"

namespace moat::validate {
namespace {

using namespace std::string_literals;

bool has_format(std::string_view format, const std::string& text) {
  SchemaOptions options;
  options.assert_formats = true;
  const auto schema = Schema::parse("{\"format\":\"" + std::string(format) + "\"}", options);
  return schema && schema->check(json::Value(text));
}

TEST(IdnFormats, AreAsserted) {
  struct Twin {
    const char* format;
    std::string good, bad;
  };
  for (const auto& [format, good, bad] :
       {Twin{"hostname", "xn--mnchen-3ya.de", "xn--a.de"},
        Twin{"hostname", "a.b", "münchen.de"},
        Twin{"email", "a@xn--mnchen-3ya.de", "a@xn--a.de"},
        Twin{"email", "a@b.de", "a@münchen.de"},
        Twin{"idn-hostname", "münchen.de", "MÜNCHEN.de"},
        Twin{"idn-hostname", "ü", "ü."},
        Twin{"idn-hostname", "ü。de", "ü。。de"},
        Twin{"idn-hostname", "a", "a\u00ad"},
        Twin{"idn-email", "ü@münchen.de", "ü@ｅ.de"},
        Twin{"idn-email", "a@b", "a@b@c"},
        Twin{"iri", "http://ü.de/ü?\ue000#ü", "http://ü.de/\ue000?#"},
        Twin{"iri", "a:ü", "ü:a"},
        Twin{"iri", "http://a/?ü#ü", "http://a/?ü#\ue000"},
        Twin{"iri", "a:é", "a:\u202eé"},
        Twin{"iri", "urn:\U0001d54f", "urn:\U0001ffff"},
        Twin{"iri", "a:?\U0010fffd", "a:?\U0010ffff"},
        Twin{"iri", "http://ü:80/", "http://a:８０/"},
        Twin{"iri", "http://ü@a/", "http://[ü::1]/"},
        Twin{"iri-reference", "//ü/ü", "\\ü"},
        Twin{"iri-reference", "ü", "ü ü"},
        Twin{"iri-reference", "#ü%41", "#ü%4"},
        Twin{"iri-reference", "", "a\u2066ü"}}) {
    EXPECT_TRUE(has_format(format, good)) << format << " " << good;
    EXPECT_FALSE(has_format(format, bad)) << format << " " << bad;
  }
  EXPECT_FALSE(has_format("idn-hostname", "ü\0"s));
}

// The least max_run_steps with which `text` passes.
std::size_t steps_of(std::string_view format, const std::string& text) {
  SchemaOptions options;
  options.assert_formats = true;
  for (options.max_run_steps = 1; options.max_run_steps < 20'000; ++options.max_run_steps) {
    const auto schema = Schema::parse("{\"format\":\"" + std::string(format) + "\"}", options);
    if (schema->check(json::Value(text))) return options.max_run_steps;
  }
  return 0;
}

// Otherwise a body of such names would cost many times what any other does.
TEST(IdnFormats, TakeStepsForWhatALibraryLooksUp) {
  const std::string a_label = "xn--mnchen-3ya.de";  // 17 bytes
  const std::size_t base = steps_of("hostname", "example-hosts.org") - 1;
  EXPECT_EQ(steps_of("hostname", a_label), base + 17 * 8);
  EXPECT_EQ(steps_of("email", "a@" + a_label), base + 19 * 8);
  EXPECT_EQ(steps_of("idn-hostname", "münchen.de"), base + 11 * 8);
  EXPECT_EQ(steps_of("idn-email", "a@münchen.de"), base + 13 * 8);
  EXPECT_EQ(steps_of("idn-hostname", "example-hosts.org"), base + 1);
  EXPECT_EQ(steps_of("iri", "http://münchen.de"), base + 18 / 16);
}

}  // namespace
}  // namespace moat::validate
