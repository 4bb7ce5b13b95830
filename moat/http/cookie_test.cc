// SPDX-License-Identifier: Apache-2.0
#include "moat/http/cookie.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

#include "moat/http/set_cookie.h"

namespace moat::http {
namespace {

using std::string;
using std::string_view;

constexpr std::array<string_view, 4> own = {"__Host-Http-at", "__Host-Http-rt", "__Host-Http-pre",
                                            "__Host-Http-dev"};

string walk(string_view field) {
  string out;
  CookieReader reader(field);
  while (const auto cookie = reader.next()) {
    out.append("[").append(cookie->name).append("|").append(cookie->value).append("]");
  }
  return out;
}

TEST(Cookies, AreWalkedPairByPair) {
  EXPECT_EQ(walk("a=1; b=2;c=3"), "[a|1][b|2][c|3]");
  EXPECT_EQ(walk("a=x=y; b=\"q\"; c="), "[a|x=y][b|\"q\"][c|]");
  EXPECT_EQ(walk(" a = 1 ;\t;; b"), "[a|1][|b]");
  EXPECT_EQ(walk("===;;;"), "[|==]");
  EXPECT_EQ(walk(""), "");
}

TEST(Cookies, AreFoundAndDuplicatesTold) {
  const CookieLookup one = find_cookie("x=0; a=1; A=3", "a");
  ASSERT_TRUE(one.value.has_value());
  EXPECT_EQ(*one.value, "1");
  EXPECT_FALSE(one.twice);
  const CookieLookup two = find_cookie("a=1; b=2; a=1", "a");
  EXPECT_EQ(*two.value, "1");
  EXPECT_TRUE(two.twice);
  EXPECT_FALSE(find_cookie("ab=1; b=a", "a").value.has_value());
  EXPECT_FALSE(find_cookie("a", "a").value.has_value());
  EXPECT_FALSE(find_cookie("=a; a", "").value.has_value());
}

TEST(Cookies, OfSeveralFieldsAreJoined) {
  Headers headers;
  string scratch;
  EXPECT_EQ(cookie_field(headers, scratch), "");
  headers.add("Cookie", "a=1");
  EXPECT_EQ(cookie_field(headers, scratch), "a=1");
  EXPECT_EQ(scratch, "");
  headers.add("cookie", "b=2");
  EXPECT_EQ(cookie_field(headers, scratch), "a=1; b=2");
}

TEST(Cookies, OfMoatAreStripped) {
  string out;
  EXPECT_EQ(strip_cookies("a=1; __Host-Http-at=x; b=2; __Host-Http-rt=y;c", own, out), 2u);
  EXPECT_EQ(out, "a=1; b=2; c");
  for (const char* pair :
       {"__host-http-AT=x", "__Host-Http-at.1=x", "__Host-Http-at =x", " __Host-Http-pre=x",
        "__Host-Http-dev", "=__Host-Http-at=x", "__Host-Http-at\xff=x"}) {
    out.clear();
    EXPECT_EQ(strip_cookies(pair, own, out), 1u) << pair;
    EXPECT_EQ(out, "") << pair;
  }
  for (const char* pair : {"__Host-Http-attic=x", "__Host-Http=x", "x__Host-Http-at=x", "at=x"}) {
    out.clear();
    EXPECT_EQ(strip_cookies(pair, own, out), 0u) << pair;
    EXPECT_EQ(out, pair);
  }
}

TEST(SetCookie, IsSafeByDefault) {
  const auto made = build_set_cookie({.name = "__Host-Http-at", .value = "abc"});
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, "__Host-Http-at=abc; Path=/; Secure; HttpOnly; SameSite=Lax");
  SetCookie cookie{.name = "n", .value = ""};
  cookie.max_age = std::chrono::seconds(0);
  cookie.same_site = SameSite::strict;
  cookie.path = "/auth";
  cookie.domain = "example.com";
  cookie.allow_script = true;
  cookie.insecure_plain = true;
  const auto loose = build_set_cookie(cookie);
  ASSERT_TRUE(loose);
  EXPECT_EQ(*loose, "n=; Path=/auth; Domain=example.com; Max-Age=0; SameSite=Strict");
}

CookieRefusal refusal(const SetCookie& cookie) {
  const auto made = build_set_cookie(cookie);
  EXPECT_FALSE(made) << *made;
  return made.error();
}

TEST(SetCookie, RefusesWhatCouldBecomeAnotherCookie) {
  for (const char* name : {"", "a b", "a=b", "a;b", "a\r\n", "\xc3\xa9"})
    EXPECT_EQ(refusal({.name = name, .value = "v"}), CookieRefusal::bad_name) << name;
  for (const char* value : {"a b", "a;b", "a,b", "a\"", "a\\", "a\r\nb", "\x7f", "\xc3\xa9"})
    EXPECT_EQ(refusal({.name = "n", .value = value}), CookieRefusal::bad_value) << value;
  for (const char* path : {"", "a", "/a;b", "/\n"}) {
    SetCookie cookie{.name = "n", .value = "v"};
    cookie.path = path;
    EXPECT_EQ(refusal(cookie), CookieRefusal::bad_attribute) << path;
  }
  SetCookie cookie{.name = "n", .value = "v"};
  cookie.domain = "a; Secure";
  EXPECT_EQ(refusal(cookie), CookieRefusal::bad_attribute);
}

TEST(SetCookie, KeepsTheBoundsOfTheStandard) {
  EXPECT_TRUE(build_set_cookie({.name = "n", .value = string(4095, 'v')}));
  EXPECT_EQ(refusal({.name = "n", .value = string(4096, 'v')}), CookieRefusal::too_long);
  SetCookie cookie{.name = "n", .value = "v"};
  cookie.max_age = std::chrono::hours(24 * 400);
  EXPECT_TRUE(build_set_cookie(cookie));
  *cookie.max_age += std::chrono::seconds(1);
  EXPECT_EQ(refusal(cookie), CookieRefusal::bad_max_age);
  cookie.max_age = std::chrono::seconds(-1);
  EXPECT_EQ(refusal(cookie), CookieRefusal::bad_max_age);
}

TEST(SetCookie, EnforcesThePrefixes) {
  const auto with = [](string_view name, auto change) {
    SetCookie cookie{.name = name, .value = "v"};
    change(cookie);
    return cookie;
  };
  const auto plain = [](SetCookie& c) { c.insecure_plain = true; };
  const auto script = [](SetCookie& c) { c.allow_script = true; };
  const auto path = [](SetCookie& c) { c.path = "/a"; };
  const auto domain = [](SetCookie& c) { c.domain = "a.b"; };
  const auto none = [](SetCookie& c) { c.same_site = SameSite::none; };
  for (const char* name : {"__Host-a", "__HOST-a", "__Host-Http-a", "__Secure-a", "__Http-a"})
    EXPECT_EQ(refusal(with(name, plain)), CookieRefusal::prefix_rule) << name;
  for (const char* name : {"__Host-a", "__Host-Http-a"}) {
    EXPECT_EQ(refusal(with(name, path)), CookieRefusal::prefix_rule) << name;
    EXPECT_EQ(refusal(with(name, domain)), CookieRefusal::prefix_rule) << name;
  }
  for (const char* name : {"__Host-Http-a", "__Http-a"})
    EXPECT_EQ(refusal(with(name, script)), CookieRefusal::prefix_rule) << name;
  EXPECT_TRUE(build_set_cookie(with("__Host-a", script)));
  EXPECT_TRUE(build_set_cookie(with("__Secure-a", path)));
  EXPECT_TRUE(build_set_cookie(with("a", none)));
  EXPECT_EQ(refusal(with("a",
                         [&](SetCookie& c) {
                           none(c);
                           plain(c);
                         })),
            CookieRefusal::prefix_rule);
}

string harden(string_view value, Hardened expected, bool over_tls = true) {
  static constexpr std::array<string_view, 1> readable = {"theme"};
  HardenOptions options;
  options.over_tls = over_tls;
  options.allow_script = readable;
  options.reserved = own;
  string out;
  EXPECT_EQ(harden_set_cookie(value, options, out), expected) << value;
  return out;
}

TEST(Harden, AddsWhatTheBackendForgot) {
  EXPECT_EQ(harden("a=b", Hardened::changed), "a=b; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(harden("a=b", Hardened::changed, false), "a=b; HttpOnly; SameSite=Lax");
  EXPECT_EQ(harden("a=b; Path=/x; SECURE", Hardened::changed),
            "a=b; Path=/x; SECURE; HttpOnly; SameSite=Lax");
  EXPECT_EQ(harden("a=\"b c\";Expires=Wed, 21 Oct 2026 07:28:00 GMT", Hardened::changed),
            "a=\"b c\"; Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure; HttpOnly; SameSite=Lax");
}

TEST(Harden, KeepsWhatTheBackendChose) {
  const string strict = "a=b; Secure; HttpOnly; SameSite=Strict";
  EXPECT_EQ(harden(strict, Hardened::unchanged), strict);
  EXPECT_EQ(harden("a=b; SameSite=None", Hardened::changed),
            "a=b; SameSite=None; Secure; HttpOnly");
  EXPECT_EQ(harden("a=b; SameSite=bogus; Secure; HttpOnly", Hardened::changed),
            "a=b; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(harden("a=b; SameSite=Lax; samesite; Secure; HttpOnly", Hardened::changed),
            "a=b; Secure; HttpOnly; SameSite=Lax");
}

TEST(Harden, LeavesCookiesThatScriptsReadReadable) {
  for (const char* name : {"csrftoken", "XSRF-TOKEN", "theme"})
    EXPECT_EQ(harden(string(name) + "=b", Hardened::changed),
              string(name) + "=b; Secure; SameSite=Lax");
  EXPECT_EQ(harden("Theme=b", Hardened::changed), "Theme=b; Secure; HttpOnly; SameSite=Lax");
}

TEST(Harden, DropsMoatsNamesAndNonsense) {
  for (const char* value : {"__Host-Http-at=x; Path=/; Secure", "__host-http-RT=x",
                            "=__Host-Http-at=x", "__Host-Http-pre", " __Host-Http-dev =x"})
    EXPECT_EQ(harden(value, Hardened::dropped_reserved), "") << value;
  for (const char* value : {"", ";", "; Path=/", "a=b\r\nX: y"})
    EXPECT_EQ(harden(value, Hardened::dropped_malformed), "") << value;
}

}  // namespace
}  // namespace moat::http
