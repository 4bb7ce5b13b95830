// SPDX-License-Identifier: Apache-2.0
// Sessions of programs: bearer tokens beside the browsers' cookies, and that neither passes for the
// other.
#include <gtest/gtest.h>

#include <stdexcept>

#include "moat/session/credentials.h"
#include "moat/session/internal/test_world.h"
#include "moat/session/session.h"

namespace moat::session {
namespace {

using internal::test_client;
using internal::test_start;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class ApiSessionsTest : public ::testing::Test {
 protected:
  Issued start_api(const Scopes& scopes = {"read"}, Time now = test_start) {
    return node_.manager.start_api(users_.known["u1"], test_client, scopes, now).value();
  }
  Issued start_browser(Time now = test_start) {
    return node_.manager.start(users_.known["u1"], test_client, now).value();
  }
  Result<Identity, AccessRefusal> bearer(std::string_view token, Time now = test_start) {
    return node_.manager.verify_bearer(token, now);
  }
  Result<Issued, RefreshRefusal> refresh(std::string_view token, Time now) {
    return node_.manager.refresh_api(token, test_client, users_, now);
  }
  static std::string_view access(const Issued& issued) { return issued.access_token.reveal(); }
  static std::string_view renewal(const Issued& issued) { return issued.refresh_token.reveal(); }

  internal::ScriptedStore store_;
  internal::Users users_;
  jwt::KeyRing ring_ = internal::make_ring();
  internal::Node node_{store_, ring_};
};

TEST_F(ApiSessionsTest, ABearerTokenSaysWhoItIsAndWhatItIsFor) {
  const Issued issued = start_api({"read", "orders:write"});
  EXPECT_EQ(access(issued).substr(0, 8), bearer_access_prefix);
  EXPECT_EQ(renewal(issued).substr(0, 8), bearer_refresh_prefix);
  const auto identity = bearer(access(issued));
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->user_id, "u1");
  EXPECT_EQ(identity->session_id, issued.session.id);
  EXPECT_EQ(identity->kind, Kind::api);
  EXPECT_EQ(identity->scopes, (Scopes{"read", "orders:write"}));
  EXPECT_TRUE(identity->has_scope("read"));
  EXPECT_FALSE(identity->has_scope("write"));
  EXPECT_EQ(issued.session.kind, Kind::api);
  EXPECT_EQ(issued.access_max_age, minutes(5));
  EXPECT_EQ(issued.refresh_max_age, hours(24 * 7));
  EXPECT_EQ(issued.session.ends_at, test_start + hours(24 * 30));
}

TEST_F(ApiSessionsTest, ABrowsersSessionHasEveryScopeAndATokenNoneByItself) {
  const auto person = node_.manager.verify_access(access(start_browser()), test_start);
  ASSERT_TRUE(person);
  EXPECT_TRUE(person->has_scope("anything"));
  const auto program = bearer(access(start_api({})));
  ASSERT_TRUE(program);
  EXPECT_FALSE(program->has_scope("anything"));
  EXPECT_THROW((void)start_api({"Not a scope"}), std::invalid_argument);
}

TEST_F(ApiSessionsTest, NeitherKindsAccessTokenPassesForTheOthers) {
  const Issued api = start_api();
  const Issued browser = start_browser();
  const std::string bare(access(api).substr(bearer_access_prefix.size()));
  const std::string dressed = std::string(bearer_access_prefix) + std::string(access(browser));
  EXPECT_EQ(bearer(access(browser)).error(), AccessRefusal::malformed);
  EXPECT_EQ(bearer(dressed).error(), AccessRefusal::malformed);
  EXPECT_EQ(bearer(bare).error(), AccessRefusal::malformed);
  EXPECT_EQ(node_.manager.verify_access(access(api), test_start).error(), AccessRefusal::malformed);
  EXPECT_EQ(node_.manager.verify_access(bare, test_start).error(), AccessRefusal::malformed);
  for (const std::string_view own : {access(api), access(browser), std::string_view(dressed),
                                     std::string_view(bare), renewal(api), renewal(browser)}) {
    EXPECT_TRUE(node_.manager.is_own(own));
  }
}

TEST_F(ApiSessionsTest, NeitherKindsRefreshTokenPassesForTheOthersNorHarmsIt) {
  const Issued api = start_api();
  const Issued browser = start_browser();
  const std::string bare(renewal(api).substr(bearer_refresh_prefix.size()));
  const std::string dressed = std::string(bearer_refresh_prefix) + std::string(renewal(browser));
  const Time later = test_start + minutes(1);
  EXPECT_EQ(refresh(renewal(browser), later).error(), RefreshRefusal::unknown);
  EXPECT_EQ(refresh(dressed, later).error(), RefreshRefusal::unknown);
  EXPECT_EQ(refresh(bare, later).error(), RefreshRefusal::unknown);
  for (const std::string_view token : {std::string_view(bare), renewal(api)}) {
    EXPECT_EQ(node_.manager.refresh(token, test_client, users_, later).error(),
              RefreshRefusal::unknown);
  }
  EXPECT_TRUE(refresh(renewal(api), later));
  EXPECT_TRUE(node_.manager.refresh(renewal(browser), test_client, users_, later));
}

TEST_F(ApiSessionsTest, OtherServicesTokensAreNotOurs) {
  EXPECT_FALSE(node_.manager.is_own(""));
  EXPECT_FALSE(node_.manager.is_own("moat"));
  EXPECT_FALSE(node_.manager.is_own("ghp_16C7e42F292c6912E7710c838347Ae178B4a"));
  EXPECT_FALSE(node_.manager.is_own("eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln"));
  internal::ScriptedStore store;
  internal::Node other(store, internal::make_ring());
  const Issued foreign = other.manager.start(users_.known["u1"], test_client, test_start).value();
  EXPECT_FALSE(node_.manager.is_own(access(foreign)));
  EXPECT_FALSE(node_.manager.is_own(renewal(foreign)));
  // A bearer token of another Moat cannot be told from one of ours whose key is gone.
  const Issued api =
      other.manager.start_api(users_.known["u1"], test_client, {}, test_start).value();
  EXPECT_TRUE(node_.manager.is_own(access(api)));
  EXPECT_EQ(bearer(access(api)).error(), AccessRefusal::malformed);
}

TEST_F(ApiSessionsTest, ARefreshKeepsTheScopesAndRotates) {
  const Issued first = start_api({"read"});
  const auto second = refresh(renewal(first), test_start + minutes(4));
  ASSERT_TRUE(second);
  EXPECT_NE(renewal(*second), renewal(first));
  EXPECT_EQ(bearer(access(*second), test_start + minutes(4))->scopes, Scopes{"read"});
  // A racing request gets the same successor.
  EXPECT_EQ(renewal(*refresh(renewal(first), test_start + minutes(4))), renewal(*second));
}

TEST_F(ApiSessionsTest, AnOldRefreshTokenEndsTheFamily) {
  const Issued first = start_api();
  const auto second = refresh(renewal(first), test_start + minutes(4));
  const auto third = refresh(renewal(*second), test_start + minutes(8));
  ASSERT_TRUE(third);
  const Time late = test_start + minutes(9);
  EXPECT_EQ(refresh(renewal(first), late).error(), RefreshRefusal::reused);
  EXPECT_EQ(refresh(renewal(*third), late).error(), RefreshRefusal::revoked);
  EXPECT_EQ(bearer(access(*third), late).error(), AccessRefusal::revoked);
}

TEST_F(ApiSessionsTest, ItEndsWhenItIdlesAndAtItsAbsoluteEnd) {
  const Issued first = start_api();
  EXPECT_EQ(refresh(renewal(first), test_start + hours(24 * 7)).error(), RefreshRefusal::expired);
  Issued last = start_api();
  Time now = test_start;
  for (int week = 0; week < 5; ++week) {
    now += hours(24 * 6);
    auto next = refresh(renewal(last), now);
    if (now < test_start + hours(24 * 30)) {
      ASSERT_TRUE(next) << week;
      last = std::move(*next);
    } else {
      EXPECT_EQ(next.error(), RefreshRefusal::expired);
    }
  }
}

TEST_F(ApiSessionsTest, EitherTokenRevokesTheSession) {
  for (const bool by_access : {true, false}) {
    const Issued issued = start_api();
    const auto revoked =
        node_.manager.revoke_api(by_access ? access(issued) : renewal(issued), test_start);
    EXPECT_TRUE(revoked.value());
    EXPECT_EQ(bearer(access(issued)).error(), AccessRefusal::revoked);
    EXPECT_EQ(refresh(renewal(issued), test_start).error(), RefreshRefusal::revoked);
    EXPECT_FALSE(node_.manager.revoke_api(renewal(issued), test_start).value()) << "once is enough";
  }
  // An expired one too: its refresh token may be good still.
  const Issued issued = start_api();
  EXPECT_TRUE(node_.manager.revoke_api(access(issued), test_start + hours(2)).value());
}

TEST_F(ApiSessionsTest, NothingElseIsRevoked) {
  const Issued browser = start_browser();
  const std::string dressed = std::string(bearer_refresh_prefix) + std::string(renewal(browser));
  for (const std::string& token :
       {std::string(), std::string("moat_at_"), std::string("moat_rt_x"), dressed,
        std::string(access(browser)), std::string(renewal(browser))}) {
    EXPECT_FALSE(node_.manager.revoke_api(token, test_start).value()) << token;
  }
  EXPECT_TRUE(node_.manager.verify_access(access(browser), test_start));
}

TEST_F(ApiSessionsTest, OneKindDoesNotPushTheOtherOut) {
  const Issued browser = start_browser();
  std::vector<Issued> programs;
  for (int i = 0; i < 11; ++i) {
    programs.push_back(start_api({}, test_start + seconds(i)));
  }
  EXPECT_TRUE(node_.manager.verify_access(access(browser), test_start + seconds(20)));
  EXPECT_EQ(bearer(access(programs[0]), test_start + seconds(20)).error(), AccessRefusal::revoked);
  EXPECT_TRUE(bearer(access(programs[1]), test_start + seconds(20)));
}

TEST_F(ApiSessionsTest, TheUsersListShowsBothKinds) {
  start_browser();
  start_api({"read"}, test_start + seconds(1));
  const auto list = node_.manager.list("u1", test_start + seconds(2)).value();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].kind, Kind::api);
  EXPECT_EQ(list[0].scopes, Scopes{"read"});
  EXPECT_EQ(list[1].kind, Kind::browser);
}

}  // namespace
}  // namespace moat::session
