// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/pages.h"

#include <gtest/gtest.h>

namespace moat::gateway {
namespace {

constexpr std::string_view hostile = "\"><script>alert(1)</script>'&{{csrf}}\x01";
constexpr std::string_view nonce = "0123456789abcdef0123";

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
std::size_t times(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

// What is true of every page, whatever it was given.
void expect_whole(const std::string& page) {
  EXPECT_EQ(page.rfind("<!doctype html>", 0), 0U);
  EXPECT_TRUE(has(page, "</html>"));
  EXPECT_EQ(times(page, "<script"), 1U) << page;
  EXPECT_TRUE(has(page, "<script nonce=\"0123456789abcdef0123\" src=\"/auth/moat.js\" defer>"));
  EXPECT_FALSE(has(page, "alert(1)<"));
  EXPECT_FALSE(has(page, "{{"));
  EXPECT_FALSE(has(page, " style="));
  EXPECT_FALSE(has(page, "javascript:"));
  for (const char* handler : {" onclick", " onload", " onerror", " onsubmit"})
    EXPECT_FALSE(has(page, handler)) << handler;
}

// Each form posts to this site and carries the token.
void expect_forms(const std::string& page, std::string_view token) {
  EXPECT_GT(times(page, "<form "), 0U);
  EXPECT_EQ(times(page, "<form method=\"post\" action=\"/auth/"), times(page, "<form "));
  EXPECT_EQ(times(page, "name=\"_csrf\" value=\"" + std::string(token) + "\""),
            times(page, "<form "));
}

class WebPagesTest : public ::testing::Test {
 protected:
  WebPages pages_{"notes.example", 15};
};

TEST_F(WebPagesTest, LoginShowsWhatItIsGiven) {
  shield::LoginPage values;
  values.csrf = "token";
  values.next = "/notes?a=1&b=2";
  values.email = "ada@example.com";
  std::string page = pages_.login(values, nonce);
  expect_whole(page);
  expect_forms(page, "token");
  EXPECT_TRUE(has(page, "value=\"ada@example.com\""));
  EXPECT_TRUE(has(page, "name=\"next\" value=\"/notes?a=1&amp;b=2\""));
  EXPECT_TRUE(has(page, "notes.example"));
  EXPECT_FALSE(has(page, "role=\"alert\""));
  EXPECT_FALSE(has(page, "/auth/signup"));
  values.signup_open = true;
  values.error = "Wrong password.";
  page = pages_.login(values, nonce);
  EXPECT_TRUE(has(page, "href=\"/auth/signup?next=%2Fnotes%3Fa%3D1%26b%3D2\""));
  EXPECT_TRUE(has(page, "role=\"alert\""));
  EXPECT_TRUE(has(page, "Wrong password."));
}

TEST_F(WebPagesTest, SignupSaysWhatIsWrongWhereItIs) {
  shield::SignupPage values;
  values.csrf = "token";
  std::string page = pages_.signup(values, nonce);
  expect_whole(page);
  expect_forms(page, "token");
  EXPECT_TRUE(has(page, "data-least=\"15\""));
  EXPECT_EQ(times(page, "aria-invalid=\"true\""), 0U);
  values.email_error = "Taken.";
  page = pages_.signup(values, nonce);
  EXPECT_EQ(times(page, "aria-invalid=\"true\""), 1U);
  EXPECT_TRUE(has(page, "id=\"email-error\">Taken.<"));
  values.password_error = "Too short.";
  EXPECT_EQ(times(pages_.signup(values, nonce), "aria-invalid=\"true\""), 2U);
}

TEST_F(WebPagesTest, SetupKeepsItsCode) {
  shield::SetupPage values;
  values.csrf = "token";
  values.token = "code-1";
  const std::string page = pages_.setup(values, nonce);
  expect_whole(page);
  expect_forms(page, "token");
  EXPECT_TRUE(has(page, "value=\"code-1\""));
}

TEST_F(WebPagesTest, AccountListsTheSessions) {
  shield::AccountPage values;
  values.csrf = "token";
  values.email = "ada@example.com";
  values.roles = "user, admin";
  values.current_session = "s1";
  session::Session here;
  here.id = "s1";
  here.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
  here.address = "192.0.2.1";
  session::Session there = here;
  there.id = "s2";
  there.user_agent = "";
  values.sessions = {here, there};
  const std::string page = pages_.account(values, nonce);
  expect_whole(page);
  expect_forms(page, "token");
  EXPECT_TRUE(has(page, "Firefox on Linux"));
  EXPECT_TRUE(has(page, "Unknown device"));
  EXPECT_EQ(times(page, "this one"), 1U);
  EXPECT_TRUE(has(page, "action=\"/auth/sessions/s2/revoke\""));
  EXPECT_FALSE(has(page, "action=\"/auth/sessions/s1/revoke\""));  // that is what Log out is for
  EXPECT_EQ(times(page, "<summary>Rename"), 2U);
  EXPECT_FALSE(has(page, "Is it you?"));
  EXPECT_FALSE(has(page, "Somebody else"));
}

TEST_F(WebPagesTest, AccountAsksForThePasswordAndTellsOfAStolenToken) {
  shield::AccountPage values;
  values.csrf = "token";
  values.current_session = "s1";
  session::Session here;
  here.id = "s1";
  session::Session there = here;
  there.id = "s2";
  there.name = "Desk";
  values.sessions = {here, there};
  values.confirm_session = "s2";
  std::string page = pages_.account(values, nonce);
  expect_whole(page);
  expect_forms(page, "token");
  EXPECT_TRUE(has(page, "To end the session of <strong>Desk</strong>, enter your password."));
  EXPECT_EQ(times(page, "aria-invalid=\"true\""), 0U);
  values.confirm_error = "Wrong.";
  page = pages_.account(values, nonce);
  EXPECT_TRUE(has(page, "id=\"confirm-error\">Wrong.<"));
  EXPECT_EQ(times(page, "aria-invalid=\"true\""), 1U);
  values.confirm_session = "another's";
  EXPECT_FALSE(has(pages_.account(values, nonce), "Is it you?"));
  values.name_session = "s2";
  values.name_error = "Too long.";
  values.notices = {{"s0", from_unix_seconds(1'800'000'000), "192.0.2.7", "curl/8", ""}};
  values.next = "/notes";
  page = pages_.account(values, nonce);
  expect_whole(page);
  expect_forms(page, "token");
  EXPECT_TRUE(has(page, "On 2027-01-15 08:00 UTC the session of <strong>curl</strong>"));
  EXPECT_TRUE(has(page, "action=\"/auth/notices/s0/dismiss\""));
  EXPECT_TRUE(has(page, "href=\"/notes\""));
  EXPECT_EQ(times(page, "<details open>"), 1U);
  EXPECT_EQ(times(page, "Too long."), 1U);
}

TEST_F(WebPagesTest, AccountListsTheKeysAndShowsANewOne) {
  shield::AccountPage values;
  values.csrf = "token";
  EXPECT_FALSE(has(pages_.account(values, nonce), "/auth/keys"));
  values.has_keys = true;
  values.scopes = "read write";
  session::ApiKey key;
  key.id = "k1";
  key.name = "backup";
  key.scopes = {"read"};
  values.keys = {key};
  std::string page = pages_.account(values, nonce);
  expect_whole(page);
  expect_forms(page, "token");
  EXPECT_TRUE(has(page, "action=\"/auth/keys\""));
  EXPECT_TRUE(has(page, "action=\"/auth/keys/k1/revoke\""));
  EXPECT_TRUE(has(page, "backup"));
  EXPECT_TRUE(has(page, "for read"));
  EXPECT_TRUE(has(page, "never used"));
  EXPECT_TRUE(has(page, "Any of: read write."));
  EXPECT_FALSE(has(page, "shown this once"));
  values.keys[0].last_used_at = from_unix_seconds(1'800'000'000);
  values.new_key = "moat_key_x";
  page = pages_.account(values, nonce);
  EXPECT_TRUE(has(page, "<code>moat_key_x</code>"));
  EXPECT_TRUE(has(page, "last used <span class=\"time\">2027-01-15 08:00 UTC"));
}

TEST_F(WebPagesTest, ASessionOfAProgramIsCalledOne) {
  shield::AccountPage values;
  session::Session program;
  program.id = "s1";
  program.kind = session::Kind::api;
  values.sessions = {program};
  EXPECT_EQ(times(pages_.account(values, nonce), ">program<"), 1U);
  values.sessions[0].kind = session::Kind::browser;
  EXPECT_EQ(times(pages_.account(values, nonce), ">program<"), 0U);
}

TEST_F(WebPagesTest, HostileValuesComeOutAsText) {
  const std::string evil(hostile);
  shield::LoginPage login;
  login.csrf = login.next = login.email = login.error = login.notice = evil;
  login.signup_open = true;
  shield::SignupPage signup;
  signup.csrf = signup.next = signup.email = signup.error = evil;
  signup.email_error = signup.password_error = evil;
  shield::SetupPage setup;
  setup.csrf = setup.token = setup.email = setup.error = evil;
  setup.token_error = setup.email_error = setup.password_error = evil;
  shield::AccountPage account;
  account.csrf = account.email = account.roles = account.created_at = account.notice = evil;
  account.error = account.current_error = account.new_error = evil;
  session::Session session;
  session.id = session.address = session.user_agent = session.name = evil;
  account.confirm_session = account.name_session = account.next = evil;
  account.confirm_error = account.name_error = evil;
  account.notices = {{evil, Time{}, evil, evil, evil}};
  account.sessions = {session};
  account.current_session = "other";
  account.has_keys = true;
  account.new_key = account.scopes = account.key_name = account.key_scope = evil;
  account.key_error = account.key_password_error = evil;
  session::ApiKey key;
  key.id = key.name = evil;
  key.scopes = {evil};
  account.keys = {key};
  const WebPages site("<b>" + evil, 15);
  for (const std::string& page : {site.login(login, nonce), site.signup(signup, nonce),
                                  site.setup(setup, nonce), site.account(account, nonce)}) {
    EXPECT_EQ(times(page, "<script"), 1U) << page;
    EXPECT_FALSE(has(page, "\"><script"));
    EXPECT_FALSE(has(page, "<b>"));
    EXPECT_TRUE(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    EXPECT_FALSE(has(page, "alert(1)</"));
  }
  EXPECT_FALSE(has(site.account(account, nonce), "/auth/sessions/\""));
  EXPECT_FALSE(has(site.account(account, nonce), "/auth/keys/\""));
}

TEST_F(WebPagesTest, AnotherSitesWordsCannotBeTheNonce) {
  const std::string page = pages_.login({}, "\"><script>alert(1)</script>");
  EXPECT_EQ(times(page, "<script"), 1U);
}

// ASVS 3.2.2 and 1.3.2: text is shown as text, and none is run.
TEST_F(WebPagesTest, TheScriptReadsNoTextAsMarkupOrCode) {
  const auto script = pages_.asset("/auth/moat.js");
  ASSERT_TRUE(script);
  EXPECT_TRUE(has(script->bytes, ".textContent = "));
  for (const char* sink :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "setHTML", "srcdoc", "document.write",
        "createContextualFragment", "DOMParser", "eval", "Function(", "setTimeout", "setInterval",
        "setAttribute('on", "javascript:", "import"})
    EXPECT_FALSE(has(script->bytes, sink)) << sink;
}

TEST_F(WebPagesTest, AssetsAreThereAndNothingElseIs) {
  for (const auto& [path, type] : {std::pair("/auth/moat.css", "text/css; charset=utf-8"),
                                   std::pair("/auth/moat.js", "text/javascript; charset=utf-8"),
                                   std::pair("/auth/moat.svg", "image/svg+xml")}) {
    const auto asset = pages_.asset(path);
    ASSERT_TRUE(asset) << path;
    EXPECT_EQ(asset->content_type, type);
    EXPECT_GT(asset->bytes.size(), 100U);
  }
  for (const char* path : {"", "/", "/auth/", "/auth/login.html", "/auth/layout.html", "moat.css",
                           "/auth/../moat.css", "/auth/MOAT.css", "/auth/moat.css/"}) {
    EXPECT_FALSE(pages_.asset(path)) << path;
  }
}

}  // namespace
}  // namespace moat::gateway
