// SPDX-License-Identifier: Apache-2.0
// Names beyond ASCII where hosts, addresses and URLs are checked: refused, unless an option says
// so; and then judged as their A-labels.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "moat/validate/email.h"
#include "moat/validate/fetch_target.h"
#include "moat/validate/host.h"
#include "moat/validate/mail.h"
#include "moat/validate/strings.h"
#include "moat/validate/web_url.h"

namespace moat::validate {
namespace {

using namespace std::string_literals;

// No A-labels: no digits, not of IDNA 2008, against the rule for directions.
const std::array bad_names{"xn--a.com"s,          "a.xn--"s,
                           "xn---.com"s,          "XN--A.com"s,
                           "xn--ls8h.la"s,        "xn--example-.com"s,
                           "xn--99999999999.de"s, "xn--mnchen-p2a.de"s,
                           "0a.xn--4db"s,         "www.xn--hello-zed.com"s};

WebUrlOptions idn_urls() {
  WebUrlOptions options;
  options.allow_idn = true;
  return options;
}
std::string host_of(std::string_view text) {
  const auto url = Url::parse(text, idn_urls());
  return url ? std::string(url->host()) : "!" + std::string(to_string(url.error()));
}

TEST(IdnNames, WhatIsNoALabelIsRefusedEverywhere) {
  const std::string good = "www.XN--mnchen-3ya.de";
  EXPECT_TRUE(is_fqdn(good));
  EXPECT_TRUE(Host::parse(good));
  EXPECT_TRUE(is_email("a@" + good));
  EXPECT_TRUE(Email::parse("a@" + good));
  EXPECT_TRUE(is_url("https://" + good + "/"));
  EXPECT_TRUE(Url::parse("https://" + good + "/"));
  EXPECT_TRUE(FetchTarget::parse("https://" + good + "/"));
  EXPECT_TRUE(is_mailbox("A <a@" + good + ">"));
  for (const auto& bad : bad_names) {
    EXPECT_FALSE(is_fqdn(bad)) << bad;
    EXPECT_EQ(Host::parse(bad).error(), HostRefusal::malformed) << bad;
    EXPECT_EQ(Email::parse("a@" + bad).error(), EmailRefusal::bad_domain) << bad;
    EXPECT_FALSE(is_url("https://" + bad + "/")) << bad;
    EXPECT_EQ(Url::parse("https://" + bad + "/").error(), UrlRefusal::bad_host) << bad;
    EXPECT_EQ(FetchTarget::parse("https://" + bad + "/").error(), FetchRefusal::odd_host) << bad;
    EXPECT_FALSE(is_mailbox("A <a@" + bad + ">")) << bad;
    EXPECT_FALSE(is_safe_link("https://" + bad + "/")) << bad;
  }
  // Not at the beginning of a label it means nothing.
  for (const auto* name : {"axn--a.com", "r3---sn-x.com", "x-n--a.com"}) {
    EXPECT_TRUE(is_fqdn(name)) << name;
    EXPECT_TRUE(Url::parse("https://" + std::string(name))) << name;
  }
  FqdnOptions open;
  open.allow_dotless = open.allow_trailing_dot = open.allow_underscores = true;
  open.allow_numeric_tld = open.allow_wildcard = open.allow_idn = true;
  for (const auto& bad : bad_names) EXPECT_FALSE(is_fqdn(bad, open)) << bad;
  for (const auto* name : {"*.xn--mnchen-3ya.de", "_a.xn--mnchen-3ya.de.", "xn--mnchen-3ya"})
    EXPECT_TRUE(is_fqdn(name, open)) << name;
}

TEST(IdnNames, BeyondAsciiIsRefusedUnlessAllowed) {
  const std::string name = "münchen.de";
  EXPECT_FALSE(is_fqdn(name));
  EXPECT_EQ(Host::parse(name).error(), HostRefusal::malformed);
  EXPECT_EQ(Email::parse("a@" + name).error(), EmailRefusal::bad_domain);
  EXPECT_FALSE(is_url("https://" + name + "/"));
  EXPECT_EQ(Url::parse("https://" + name + "/").error(), UrlRefusal::non_ascii_host);
  EXPECT_EQ(FetchTarget::parse("https://" + name + "/").error(), FetchRefusal::forbidden_character);
  EXPECT_FALSE(FetchTarget::parse("https://m%C3%BCnchen.de/"));
}

TEST(IdnNames, FqdnOption) {
  FqdnOptions idn;
  idn.allow_idn = true;
  for (const auto* name : {"münchen.de", "München.DE", "xn--mnchen-3ya.de", "example.com",
                           "www.실례.테스트", "faß.de"})
    EXPECT_TRUE(is_fqdn(name, idn)) << name;
  for (const auto* name :
       {"", "MÜNCHEN.de", "münchen", "münchen.de.", "_a.münchen.de", "*.münchen.de", "münchen.1",
        "①.de", "münchen。de", "é..de", "xn--a.é", "mu\u0308nchen.de", "0a.א", "ü.d"})
    EXPECT_FALSE(is_fqdn(name, idn)) << name;
  idn.allow_dotless = idn.allow_trailing_dot = idn.allow_underscores = idn.allow_wildcard = true;
  idn.allow_numeric_tld = true;
  for (const auto* name :
       {"münchen", "münchen.de.", "_a.münchen.de", "*.münchen.de", "münchen.1", "ü.d"})
    EXPECT_TRUE(is_fqdn(name, idn)) << name;
  EXPECT_FALSE(is_fqdn("mün\0chen.de"s, idn));
  EXPECT_FALSE(is_fqdn("m\xfcnchen.de", idn));
}

TEST(IdnNames, HostHasALabels) {
  HostOptions idn;
  idn.allow_idn = true;
  EXPECT_EQ(Host::parse("München.de", idn)->text(), "xn--mnchen-3ya.de");
  EXPECT_EQ(*Host::parse("münchen.de", idn), *Host::parse("XN--MNCHEN-3YA.de"));
  EXPECT_EQ(Host::parse("192.0.2.1", idn)->text(), "192.0.2.1");
  EXPECT_EQ(Host::parse("ü", idn).error(), HostRefusal::no_dot);
  // Nothing is mapped, so that no name turns out to be an address or another name.
  for (const auto* name : {"①②⑦.⓪.⓪.①", "localhost。internal", "ｅxample.com",
                           "loc\u00adalhost.com", "[é::1]", "é.1", "é.0x7f", "é:80", "ü.de."})
    EXPECT_FALSE(Host::parse(name, idn)) << name;
}

TEST(IdnNames, EmailHasALabels) {
  EmailOptions idn;
  idn.allow_idn_domain = true;
  const auto email = Email::parse("Jane@München.de", idn);
  ASSERT_TRUE(email);
  EXPECT_EQ(email->canonical(), "Jane@xn--mnchen-3ya.de");
  EXPECT_EQ(email->lookup_key(), "jane@xn--mnchen-3ya.de");
  EXPECT_EQ(email->local_part(), "Jane");
  EXPECT_EQ(email->domain(), "xn--mnchen-3ya.de");
  EXPECT_EQ(*email, *Email::parse("jane@XN--MNCHEN-3YA.de"));
  EXPECT_TRUE(is_email("a@نامه\u200cای.com", idn));
  for (const auto* text :
       {"a@MÜNCHEN.de", "a@ü", "ü@münchen.de", "a@münchen。de", "a＠münchen.de", "a@é@münchen.de",
        "a@ü ü.de", "a@\u200bü.de", "a\u200c@ü.de", "a@ü..de", "a@ü<.de", "a@mu\u0308nchen.de"})
    EXPECT_FALSE(is_email(text, idn)) << text;
  idn.allow_utf8_local_part = idn.allow_dotless_domain = true;
  for (const auto* text : {"ü@münchen.de", "a@ü", "실례@실례.테스트"})
    EXPECT_TRUE(is_email(text, idn)) << text;
  EmailOptions local;
  local.allow_utf8_local_part = true;
  EXPECT_FALSE(is_email("ü@münchen.de", local));
  // 254 bytes, as given and in A-labels.
  const std::string tail = "." + std::string(63, 'a') + "." + std::string(63, 'b') + ".de";
  const auto address = [&](std::size_t local_size, std::size_t first) {
    return std::string(local_size, 'a') + "@é" + std::string(first, 'c') + tail;
  };
  EXPECT_EQ(Email::parse(address(64, 50), idn)->canonical().size(), 254);
  EXPECT_FALSE(Email::parse(address(64, 51), idn));
  EXPECT_TRUE(Email::parse(address(63, 51), idn));
}

TEST(IdnNames, ListsCompareALabels) {
  constexpr std::array<std::string_view, 2> listed{"münchen.de", ".Кулік.укр"};
  for (const auto* host : {"münchen.de", "xn--mnchen-3ya.de", "XN--mnchen-3ya.de.",
                           "a.xn--j1aac5a4g.xn--j1amh", "a.кулік.укр"})
    EXPECT_TRUE(is_host_in(host, listed)) << host;
  for (const auto* host : {"MÜNCHEN.de", "mu\u0308nchen。de", "ａ.кулік.укр", "münchen.de。"})
    EXPECT_TRUE(is_host_in(host, listed)) << host;
  constexpr std::array<std::string_view, 2> ascii{"localhost", "127.0.0.1"};
  for (const auto* host : {"ｌocalhost", "①②⑦.⓪.⓪.①", "loc\u00adalhost"})
    EXPECT_TRUE(is_host_in(host, ascii)) << host;
  for (const auto* host :
       {"munchen.de", "a.münchen.de", "кулік.укр", "xn--j1aac5a4g.xn--j1amh", "\xff.de"})
    EXPECT_FALSE(is_host_in(host, listed)) << host;
  constexpr std::array<std::string_view, 1> encoded{"xn--mnchen-3ya.de"};
  EXPECT_TRUE(is_host_in("münchen.de", encoded));
  // Lists hold for names in either spelling.
  EmailOptions email;
  email.allow_idn_domain = true;
  email.except_domains = listed;
  EXPECT_FALSE(is_email("a@münchen.de", email));
  EXPECT_FALSE(is_email("a@xn--mnchen-3ya.de", email));
  EXPECT_TRUE(is_email("a@münchem.de", email));
  UrlOptions url;
  url.allow_idn_host = true;
  url.only_hosts = encoded;
  EXPECT_TRUE(is_url("https://münchen.de/", url));
  EXPECT_FALSE(is_url("https://münchem.de/", url));
  FetchRules rules;
  rules.except_hosts = listed;
  EXPECT_EQ(FetchTarget::parse("https://xn--mnchen-3ya.de/", rules).error(),
            FetchRefusal::forbidden_host);
}

TEST(IdnNames, UrlOptionIsForTheHostAlone) {
  UrlOptions idn;
  idn.allow_idn_host = true;
  for (const auto* text :
       {"http://кулік.укр", "https://münchen.de:8080/a?b#c", "https://www.faß.de/",
        "https://example.com/", "https://xn--mnchen-3ya.de/"})
    EXPECT_TRUE(is_url(text, idn)) << text;
  for (const auto* text :
       {"https://münchen.de/ü", "https://münchen.de/?ü", "https://münchen.de/#ü",
        "https://example.com/ü", "https://ü@example.com/", "https://münchen.de:８０/",
        "httpü://münchen.de/", "https://[é::1]/", "https://MÜNCHEN.de/", "https://①②⑦.⓪.⓪.①/",
        "https://localhost。internal/", "https://ü/", "https://ü_ü.de/", "https://münchen.de./",
        "https://m%C3%BCnchen.de/", "https://\xfc.de/", "https://münchen.1/", "https://é\\é.de/"})
    EXPECT_FALSE(is_url(text, idn)) << text;
  idn.allow_userinfo = idn.allow_missing_scheme = true;
  EXPECT_TRUE(is_url("a@münchen.de", idn));
  EXPECT_FALSE(is_url("ü@münchen.de", idn));
  EXPECT_FALSE(is_url("https://ü:ü@münchen.de", idn));
  EXPECT_FALSE(is_url("münchen.de/ü", idn));
}

TEST(IdnUrl, IsWhatABrowserMakesOfIt) {
  EXPECT_EQ(host_of("http://münchen.de/"), "xn--mnchen-3ya.de");
  EXPECT_EQ(host_of("http://MÜNCHEN.de/"), "xn--mnchen-3ya.de");
  EXPECT_EQ(host_of("http://m%C3%BCnchen.de/"), "xn--mnchen-3ya.de");
  EXPECT_EQ(host_of("http://faß.de/"), "xn--fa-hia.de");
  EXPECT_EQ(host_of("http://a_b.münchen.de./"), "a_b.xn--mnchen-3ya.de.");
  EXPECT_EQ(host_of("http://r3---sn.MÜNCHEN.de/"), "!bad_host");  // a browser takes it
  EXPECT_EQ(host_of("http://r3---sn.münchen.de/"), "r3---sn.xn--mnchen-3ya.de");
  EXPECT_EQ(host_of("http://例え。ｊｐ/"), "xn--r8jz45g.jp");
  const auto url = Url::parse("http://ü@München.de:80/ü?ü#ü", idn_urls());
  EXPECT_EQ(url->text(), "http://%C3%BC@xn--mnchen-3ya.de/%C3%BC?%C3%BC#%C3%BC");
  EXPECT_EQ(*Url::parse(url->text()), *url);
  EXPECT_EQ(Url::parse("//münchen.de/a", *url, idn_urls())->host(), "xn--mnchen-3ya.de");
  EXPECT_EQ(Url::parse("//münchen.de/a", *url).error(), UrlRefusal::non_ascii_host);
}

TEST(IdnUrl, WhatIsMappedIsJudgedAgain) {
  for (const auto* text :
       {"http://①②⑦.⓪.⓪.①/", "http://１２７．１/", "http://0ｘ7f.1/", "http://②①③⓪⑦⓪⑥④③③",
        "http://127。0。0。1/", "http://1２7.0.0.%EF%BC%91"}) {
    EXPECT_EQ(host_of(text), "127.0.0.1") << text;
    EXPECT_EQ(Url::parse(text, idn_urls())->address(), IpAddress::parse("127.0.0.1")) << text;
  }
  EXPECT_EQ(host_of("http://ｌocalhost/"), "localhost");
  EXPECT_EQ(host_of("http://loc\u00adalhost/"), "localhost");
  EXPECT_EQ(host_of("http://localhost%E3%80%82internal/"), "localhost.internal");
  EXPECT_EQ(host_of("file://ＬＯＣＡＬＨＯＳＴ/a"), "");
  // U+2100 is "a/c", U+FF20 "@", U+FF1A ":", U+FF0F "/", U+FF1F "?", U+FF05 "%".
  for (const auto* text : {"http://℀.com/",    "http://a＠b.com/",
                           "http://a：80/",    "http://a.com／b",
                           "http://a.com？b",  "http://％31/",
                           "http://é.256.1/",  "http://１２７．１６７７７２１６/",
                           "http://a\u3000b/", "http://é\x7f/",
                           "http://é%00/",     "http://é%2f/",
                           "http://\u00ad/",   "http://ｘｎ－－a/",
                           "http://💩.la/",     "http://0a.א/",
                           "http://a\u200db/", "http://%C3/",
                           "http://é%FF/",     "http://１.2.3.4.5/"})
    EXPECT_EQ(host_of(text), "!bad_host") << text;
  for (const auto* text :
       {"http://①②⑦.⓪.⓪.①/", "http://localhost%E3%80%82internal/", "http://ｌocalhost/"})
    EXPECT_EQ(Url::parse(text).error(), UrlRefusal::non_ascii_host) << text;
  EXPECT_EQ(host_of("http://[::1]/"), "[::1]");
}

TEST(IdnUrl, FetchTargetTakesAsciiOnly) {
  for (const auto* text :
       {"https://①②⑦.⓪.⓪.①/", "https://m%C3%BCnchen.de/", "https://localhost%E3%80%82internal/",
        "https://münchen.de/", "https://loc%61lhost/", "https://ex%61mple.com/"})
    EXPECT_FALSE(FetchTarget::parse(text)) << text;
  const auto target = FetchTarget::parse("https://xn--mnchen-3ya.de/");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->host().text(), "xn--mnchen-3ya.de");
  EXPECT_FALSE(target->redirect("https://münchen.de/"));
  EXPECT_FALSE(target->redirect("https://xn--a.de/"));
}

}  // namespace
}  // namespace moat::validate
