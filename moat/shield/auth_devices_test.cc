// SPDX-License-Identifier: Apache-2.0
// Names of devices, what their owner is told of a stolen token, and the password that is asked for
// before others are ended.
#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

constexpr seconds while_ago = minutes(10);

std::string named(std::string_view name) {
  return json::serialize(json::Object{{"name", std::string(name)}});
}
std::string with_password(std::string_view password) {
  return json::serialize(json::Object{{"password", std::string(password)}});
}

class AuthDevicesTest : public AuthApiTest {
 protected:
  static Response patch(Client& client, std::string_view id, std::string_view body) {
    return client.send("PATCH", "/auth/sessions/" + std::string(id), "application/json", body);
  }
  static Response end(Client& client, std::string_view id, std::string_view body = {}) {
    return client.send("DELETE", "/auth/sessions/" + std::string(id),
                       body.empty() ? "" : "application/json", body);
  }
  // What /auth/sessions says of the present one.
  static std::string present(Client& client, std::string_view member) {
    const json::Value list = json::parse(client.get("/auth/sessions").body).value();
    for (const json::Value& item : *list.as_array()) {
      if (*item.find("current")->as_bool()) return std::string(*item.find(member)->as_string());
    }
    return "(not there)";
  }
  // Somebody copied the cookies; both use them until the copy that is behind comes back.
  std::string steal_from(Client& owner) {
    const std::string id = owner.session_id();
    const auto stolen = owner.jar;
    for (int i = 0; i < 2; ++i) {
      advance(minutes(6));
      EXPECT_TRUE(owner.logged_in());
    }
    advance(minutes(1));
    Client thief = browser("203.0.113.66");
    thief.jar = stolen;
    EXPECT_FALSE(thief.logged_in());
    EXPECT_FALSE(owner.logged_in());
    return id;
  }
  static json::Array told(Client& client) {
    const json::Value account = json::parse(client.get("/auth/me").body).value();
    return *account.find("notices")->as_array();
  }
};

TEST_F(AuthDevicesTest, ADeviceIsNamedByItsOwner) {
  start();
  Client client = signed_up();
  Client stranger = signed_up("bob@example.com");
  const std::string id = client.session_id();
  EXPECT_EQ(present(client, "device"), "Browser/1.0");
  EXPECT_EQ(patch(client, id, named(" Küche <b> ")).status, 204);
  EXPECT_EQ(present(client, "device"), "Küche <b>");
  EXPECT_EQ(present(client, "name"), "Küche <b>");
  expect_problem(patch(stranger, id, named("Mine")), 404, "not_found");
  expect_problem(patch(client, "nothing", named("x")), 404, "not_found");
  EXPECT_EQ(present(client, "name"), "Küche <b>");
  EXPECT_EQ(patch(client, id, named("")).status, 204);
  EXPECT_EQ(present(client, "device"), "Browser/1.0");
  Client nobody = browser();
  expect_problem(patch(nobody, id, named("x")), 401, "login_required");
  EXPECT_EQ(client
                .form("/auth/sessions/" + id + "/name",
                      encoded({{"name", "Desk"}, {"_csrf", client.form_token()}}))
                .location,
            "/auth/account");
  EXPECT_EQ(present(client, "name"), "Desk");
}

TEST_F(AuthDevicesTest, ANameIsOneVisibleLineOfABoundedLength) {
  start();
  Client client = signed_up();
  const std::string id = client.session_id();
  std::string wide;
  for (int i = 0; i < 64; ++i) wide += "ü";
  EXPECT_EQ(patch(client, id, named(wide)).status, 204);
  for (const std::string& bad :
       {wide + "x", std::string("a\nb"), std::string("a\x1b[31m"), std::string("\xE2\x80\xAEgnp"),
        std::string("a\xE2\x80\x8B"), std::string("\x7f")})
    expect_problem(patch(client, id, named(bad)), 422, "invalid_name");
  for (const std::string& bad :
       {named(std::string(257, 'a')), std::string("{}"), std::string("{\"name\":1}"),
        std::string("{\"name\":\"a\",\"x\":1}"), std::string("[")})
    expect_problem(patch(client, id, bad), 400, "invalid_body");
  expect_problem(client.send("PATCH", "/auth/sessions/" + id, "text/plain", named("a")), 415,
                 "unsupported_media_type");
  EXPECT_EQ(present(client, "name"), wide);
  const Response page = client.form("/auth/sessions/" + id + "/name",
                                    encoded({{"name", "a\tb"}, {"_csrf", client.form_token()}}));
  EXPECT_EQ(page.status, 422);
  EXPECT_NE(shown(page, "name_error"), "");
  expect_problem(client.form("/auth/sessions/" + id + "/name", "name=a"), 403, "csrf");
}

TEST_F(AuthDevicesTest, TheOwnerIsToldOfAStolenTokenUntilHeHasReadIt) {
  start();
  Client owner = signed_up();
  ASSERT_EQ(patch(owner, owner.session_id(), named("Desk")).status, 204);
  EXPECT_TRUE(told(owner).empty());
  const std::string id = steal_from(owner);
  Client stranger = signed_up("bob@example.com");
  EXPECT_TRUE(told(stranger).empty());

  Client again = browser();
  const json::Value account = json::parse(again.log_in().body).value();
  EXPECT_EQ(account.find("notices")->as_array()->size(), 1U) << "at the next login";
  const json::Array notices = told(again);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(*notices[0].find("id")->as_string(), id);
  EXPECT_EQ(*notices[0].find("code")->as_string(), "session_reused");
  EXPECT_EQ(*notices[0].find("device")->as_string(), "Desk");
  EXPECT_EQ(*notices[0].find("address")->as_string(), "192.0.2.1");
  EXPECT_EQ(*notices[0].find("at")->as_string(), format_rfc3339(now));
  EXPECT_EQ(shown(again.get("/auth/account"), "notices"), "1");

  expect_problem(stranger.send("DELETE", "/auth/notices/" + id), 404, "not_found");
  EXPECT_EQ(told(again).size(), 1U);
  EXPECT_EQ(again.send("DELETE", "/auth/notices/" + id).status, 204);
  EXPECT_TRUE(told(again).empty());
  expect_problem(again.send("DELETE", "/auth/notices/" + id), 404, "not_found");
  Client nobody = browser();
  expect_problem(nobody.send("DELETE", "/auth/notices/" + id), 401, "login_required");
}

TEST_F(AuthDevicesTest, ALoginByThePageShowsItFirst) {
  start();
  Client owner = signed_up();
  const std::string id = steal_from(owner);
  Client again = browser();
  const auto log_in = [&] {
    return again.form("/auth/login", encoded({{"email", ada},
                                              {"password", good},
                                              {"next", "/notes?a=1"},
                                              {"_csrf", again.form_token()}}));
  };
  const Response answer = log_in();
  EXPECT_EQ(answer.status, 303);
  EXPECT_EQ(answer.location, "/auth/account?next=%2Fnotes%3Fa%3D1");
  const Response page = again.get(answer.location);
  EXPECT_EQ(shown(page, "notices"), "1");
  EXPECT_EQ(shown(page, "next"), "/notes?a=1");
  EXPECT_EQ(shown(again.get("/auth/account?next=//evil.example"), "next"), "/");
  const std::string dismiss = "/auth/notices/" + id + "/dismiss";
  expect_problem(again.form(dismiss, ""), 403, "csrf");
  EXPECT_EQ(again.form(dismiss, encoded({{"_csrf", again.form_token()}})).location,
            "/auth/account");
  EXPECT_EQ(shown(again.get("/auth/account"), "notices"), "0");
  again.jar.clear();
  EXPECT_EQ(log_in().location, "/notes?a=1");
}

TEST_F(AuthDevicesTest, EndingOthersAsksForThePasswordWhenTheLoginIsAWhileAgo) {
  start();
  Client laptop = signed_up();
  Client phone = signed_in("198.51.100.9");
  const std::string phones = phone.session_id();
  advance(while_ago);
  expect_problem(end(laptop, phones), 403, "reauthentication_required");
  expect_problem(end(laptop, phones, "{}"), 403, "reauthentication_required");
  expect_problem(end(laptop, phones, with_password("")), 403, "reauthentication_required");
  expect_problem(end(laptop, phones, with_password("not the right one")), 403, "wrong_credentials");
  EXPECT_TRUE(phone.logged_in());
  EXPECT_EQ(end(laptop, phones, with_password(good)).status, 204);
  EXPECT_FALSE(phone.logged_in());
  EXPECT_NE(logged.find("reauthentication_failed"), std::string::npos);
  EXPECT_EQ(logged.find("not the right one"), std::string::npos);
}

TEST_F(AuthDevicesTest, JustAfterTheLoginNoPasswordIsAskedFor) {
  start();
  Client laptop = signed_up();
  Client phone = signed_in("198.51.100.9");
  advance(while_ago - seconds(1));
  EXPECT_EQ(end(laptop, phone.session_id()).status, 204);
}

TEST_F(AuthDevicesTest, OnesOwnSessionEndsWithoutAPassword) {
  start();
  Client laptop = signed_up();
  advance(while_ago);
  EXPECT_EQ(end(laptop, laptop.session_id()).status, 204);
  Client phone = signed_in();
  Client tablet = signed_in();
  advance(while_ago);
  EXPECT_EQ(phone.json("/auth/logout-all", "").status, 204);
  EXPECT_FALSE(phone.logged_in());
  EXPECT_FALSE(tablet.logged_in());
}

TEST_F(AuthDevicesTest, ThePasswordIsNotGuessedThere) {
  log_in_limits.per_address = {policy("3/min/ip")};
  start();
  Client laptop = signed_up();
  Client phone = signed_in("198.51.100.9");
  const std::string phones = phone.session_id();
  advance(while_ago);
  Response answer;
  for (int i = 0; i < 20 && answer.status != 429; ++i)
    answer = end(laptop, phones, with_password("x"));
  expect_problem(answer, 429, "rate_limited");
  EXPECT_NE(header(answer, "Retry-After"), "");
  expect_problem(end(laptop, phones, with_password(good)), 429, "rate_limited");
  EXPECT_TRUE(phone.logged_in());
}

TEST_F(AuthDevicesTest, ThePageAsksForIt) {
  start();
  Client laptop = signed_up();
  Client phone = signed_in("198.51.100.9");
  const std::string phones = phone.session_id();
  advance(while_ago);
  const std::string path = "/auth/sessions/" + phones + "/revoke";
  const auto send = [&](std::string_view password) {
    return laptop.form(path, encoded({{"_csrf", laptop.form_token()}, {"password", password}}));
  };
  Response page = laptop.form(path, encoded({{"_csrf", laptop.form_token()}}));
  EXPECT_EQ(page.status, 403);
  EXPECT_EQ(page.code, "reauthentication_required");
  EXPECT_EQ(shown(page, "confirm_session"), phones);
  EXPECT_EQ(shown(page, "confirm_error"), "");
  page = send("wrong one");
  EXPECT_EQ(page.status, 403);
  EXPECT_EQ(shown(page, "confirm_session"), phones);
  EXPECT_EQ(shown(page, "confirm_error"), "The password is wrong.");
  EXPECT_TRUE(phone.logged_in());
  EXPECT_EQ(send(good).location, "/auth/account");
  EXPECT_FALSE(phone.logged_in());
}

TEST_F(AuthDevicesTest, WithoutAStoreNothingIsPromised) {
  start();
  Client laptop = signed_up();
  const std::string id = laptop.session_id();
  session_store.down = true;
  expect_problem(patch(laptop, id, named("x")), 503, "unavailable");
  expect_problem(laptop.send("DELETE", "/auth/notices/" + id), 503, "unavailable");
  expect_problem(laptop.get("/auth/me"), 503, "unavailable");
}

}  // namespace
}  // namespace moat::shield
