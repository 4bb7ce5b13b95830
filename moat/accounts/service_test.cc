// SPDX-License-Identifier: Apache-2.0
#include "moat/accounts/service.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "moat/accounts/memory_store.h"

namespace moat::accounts {
namespace {

using Reason = SignupRefusal::Reason;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Time start = from_unix_seconds(1'800'000'000);
constexpr std::string_view address = "ada@example.com";
constexpr std::string_view good = "violet kettle under nine moons";
constexpr std::string_view better = "seven green ferries left the harbour";

Secret secret(std::string_view text) { return Secret::copy_of(text); }

// A hash that shows what went in, and counts what a real one would have cost.
class FakeEngine final : public password::Engine {
 public:
  using Engine::hash;
  using Engine::verify;
  using Engine::verify_unknown;

  Result<std::string, password::Refusal> hash(std::string_view password) override {
    if (busy) return Error{password::Refusal::busy};
    ++hashes;
    return prefix + std::string(password);
  }
  Result<password::Match, password::Refusal> verify(std::string_view stored,
                                                    std::string_view password) override {
    if (busy) return Error{password::Refusal::busy};
    if (refuses_stored) return Error{*refuses_stored};
    ++verifications;
    const std::string_view tail = stored.substr(stored.find(':') + 1);
    const bool matches = tail == password;
    return password::Match{matches, matches && !stored.starts_with(prefix)};
  }
  Result<void, password::Refusal> verify_unknown(std::string_view) override {
    if (busy) return Error{password::Refusal::busy};
    ++verifications;
    return {};
  }

  int work() const { return hashes + verifications; }

  std::string prefix = "v1:";
  bool busy = false;
  std::optional<password::Refusal> refuses_stored;
  int hashes = 0;
  int verifications = 0;
};

// A store that is down.
class DeadStore final : public Store {
 public:
  using Fail = Error<StoreError>;
  static Fail down() { return Fail{StoreError::unavailable}; }
  Result<void, StoreError> create(const Account&) override { return down(); }
  Result<Account, StoreError> find_by_email_key(std::string_view) override { return down(); }
  Result<Account, StoreError> find_by_id(std::string_view) override { return down(); }
  Result<std::vector<Account>, StoreError> list(std::string_view, std::size_t) override {
    return down();
  }
  Result<void, StoreError> change_password(std::string_view, std::string_view, std::string_view,
                                           Time) override {
    return down();
  }
  Result<void, StoreError> upgrade_hash(std::string_view, std::string_view,
                                        std::string_view) override {
    return down();
  }
  Result<void, StoreError> set_roles(std::string_view, const std::vector<std::string>&) override {
    return down();
  }
  Result<void, StoreError> disable(std::string_view) override { return down(); }
  Result<void, StoreError> enable(std::string_view) override { return down(); }
  Result<std::size_t, StoreError> count_admins() override { return down(); }
  Result<void, StoreError> put_setup_token(const Digest&, Time) override { return down(); }
  Result<void, StoreError> check_setup_token(const Digest&, Time) override { return down(); }
  Result<void, StoreError> create_first_admin(const Digest&, Time, const Account&) override {
    return down();
  }
  Result<void, StoreError> remember_device(std::string_view, const Digest&, Time,
                                           std::size_t) override {
    return down();
  }
  Result<bool, StoreError> knows_device(std::string_view, const Digest&, Time) override {
    return down();
  }
  Result<std::size_t, StoreError> remove_expired(Time) override { return down(); }
};

Options open_options() {
  Options options;
  options.signup = Options::Signup::open;
  options.site_words = {"lighthouse"};
  return options;
}

class AccountsTest : public ::testing::Test {
 protected:
  Account signed_up(std::string_view email = address, std::string_view password = good) {
    auto account = service.sign_up(email, secret(password), start);
    EXPECT_TRUE(account) << to_string(account.error().reason);
    return *account;
  }
  std::optional<LoginRefusal> login_refusal(std::string_view email, std::string_view password) {
    const auto account = service.log_in(email, secret(password), start);
    if (account) return std::nullopt;
    return account.error();
  }

  MemoryStore store;
  FakeEngine engine;
  password::Policy policy;
  InsecureSeededRandom random{7};
  Service service{store, engine, policy, random, open_options()};
};

TEST_F(AccountsTest, SignUpMakesAUserWhoCanLogIn) {
  const Account account = signed_up("Ada@Example.com");
  EXPECT_EQ(account.id.size(), 22u);
  EXPECT_EQ(account.email_key, address);
  EXPECT_EQ(account.roles, std::vector<std::string>{"user"});
  EXPECT_EQ(account.created_at, start);
  EXPECT_EQ(account.password_changed_at, start);
  const auto back = service.log_in("ADA@example.COM", secret(good), start);
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, account);
}

TEST_F(AccountsTest, AnotherPasswordIsRefused) {
  signed_up();
  EXPECT_EQ(login_refusal(address, better), LoginRefusal::wrong_credentials);
  EXPECT_EQ(login_refusal(address, ""), LoginRefusal::wrong_credentials);
}

TEST_F(AccountsTest, IdsDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    ids.insert(signed_up("user" + std::to_string(i) + "@example.com").id);
  }
  EXPECT_EQ(ids.size(), 20u);
}

TEST_F(AccountsTest, SignUpIsClosedUnlessOpened) {
  Service closed(store, engine, policy, random, Options{});
  const auto account = closed.sign_up(address, secret(good), start);
  ASSERT_FALSE(account);
  EXPECT_EQ(account.error().reason, Reason::closed);
  EXPECT_EQ(engine.work(), 0);
  EXPECT_TRUE(closed.add_user(address, secret(good), {"user"}, start));
}

TEST_F(AccountsTest, ATakenAddressCostsTheSameHash) {
  signed_up();
  const int first = std::exchange(engine.hashes, 0);
  const auto again = service.sign_up("ADA@example.com", secret(better), start);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::email_taken);
  EXPECT_EQ(engine.hashes, first);
  EXPECT_TRUE(service.log_in(address, secret(good), start)) << "the first password stays";
}

TEST_F(AccountsTest, AnInvalidAddressIsRefused) {
  for (const char* text : {"", "ada", "ada@", "@example.com", "a b@example.com", "a@b@c.de"}) {
    const auto account = service.sign_up(text, secret(good), start);
    ASSERT_FALSE(account) << text;
    EXPECT_EQ(account.error().reason, Reason::invalid_email) << text;
  }
}

TEST_F(AccountsTest, AWeakPasswordIsRefusedWithASentence) {
  for (const char* text :
       {"short", "aaaaaaaaaaaaaaaaaaaa", "ada@example.com", "lighthouse lighthouse"}) {
    const auto account = service.sign_up(address, secret(text), start);
    ASSERT_FALSE(account) << text;
    EXPECT_EQ(account.error().reason, Reason::policy) << text;
    EXPECT_FALSE(account.error().detail.empty()) << text;
  }
  EXPECT_EQ(engine.work(), 0);
  EXPECT_FALSE(store.find_by_email_key(address));
}

TEST_F(AccountsTest, AnUnknownAddressCostsWhatAKnownOneCosts) {
  signed_up();
  engine.hashes = 0;
  EXPECT_EQ(login_refusal(address, better), LoginRefusal::wrong_credentials);
  const int known = std::exchange(engine.verifications, 0);
  EXPECT_EQ(login_refusal("eve@example.com", better), LoginRefusal::wrong_credentials);
  EXPECT_EQ(std::exchange(engine.verifications, 0), known);
  EXPECT_EQ(login_refusal("no address at all", better), LoginRefusal::wrong_credentials);
  EXPECT_EQ(std::exchange(engine.verifications, 0), known);
  EXPECT_EQ(engine.hashes, 0);
}

TEST_F(AccountsTest, AStoredHashThatIsRefusedCostsTheSame) {
  signed_up();
  engine.refuses_stored = password::Refusal::malformed;
  EXPECT_EQ(login_refusal(address, good), LoginRefusal::unreadable_hash);
  EXPECT_EQ(engine.verifications, 1);
  engine.refuses_stored = password::Refusal::too_long;
  EXPECT_EQ(login_refusal(address, good), LoginRefusal::wrong_credentials);
  EXPECT_EQ(engine.verifications, 2);
}

TEST_F(AccountsTest, ADisabledAccountNeedsTheRightPasswordToBeToldApart) {
  const Account account = signed_up();
  ASSERT_TRUE(store.disable(account.id));
  EXPECT_EQ(login_refusal(address, good), LoginRefusal::disabled);
  EXPECT_EQ(login_refusal(address, better), LoginRefusal::wrong_credentials);
  ASSERT_TRUE(store.enable(account.id));
  EXPECT_EQ(login_refusal(address, good), std::nullopt);
}

TEST_F(AccountsTest, ABusyEngineIsSaidToBeBusy) {
  signed_up();
  engine.busy = true;
  EXPECT_EQ(login_refusal(address, good), LoginRefusal::busy);
  EXPECT_EQ(login_refusal("eve@example.com", good), LoginRefusal::busy);
  const auto account = service.sign_up("eve@example.com", secret(good), start);
  ASSERT_FALSE(account);
  EXPECT_EQ(account.error().reason, Reason::busy);
}

TEST_F(AccountsTest, AnOutdatedHashIsReplacedAtLogin) {
  const Account account = signed_up();
  engine.prefix = "v2:";
  EXPECT_EQ(login_refusal(address, better), LoginRefusal::wrong_credentials);
  EXPECT_EQ(store.find_by_id(account.id)->password_hash, "v1:" + std::string(good));
  EXPECT_EQ(login_refusal(address, good), std::nullopt);
  const Account upgraded = *store.find_by_id(account.id);
  EXPECT_EQ(upgraded.password_hash, "v2:" + std::string(good));
  EXPECT_EQ(upgraded.password_changed_at, start);
  engine.hashes = 0;
  EXPECT_EQ(login_refusal(address, good), std::nullopt);
  EXPECT_EQ(engine.hashes, 0) << "once is enough";
}

TEST_F(AccountsTest, ADeadStoreRefusesEverything) {
  DeadStore dead;
  Service over_dead(dead, engine, policy, random, open_options());
  EXPECT_EQ(over_dead.sign_up(address, secret(good), start).error().reason, Reason::unavailable);
  EXPECT_EQ(over_dead.log_in(address, secret(good), start).error(), LoginRefusal::unavailable);
  EXPECT_EQ(over_dead.change_password("x", secret(good), secret(better), start).error().reason,
            ChangeRefusal::Reason::unavailable);
  EXPECT_FALSE(over_dead.create_setup_token(start));
  EXPECT_FALSE(over_dead.issue_device("x", start));
  EXPECT_FALSE(over_dead.is_known_device("x", "token", start));
  EXPECT_EQ(over_dead.set_roles("x", {"user"}).error(), RolesRefusal::unavailable);
}

TEST_F(AccountsTest, ChangingThePasswordNeedsTheCurrentOne) {
  const Account account = signed_up();
  const auto wrong = service.change_password(account.id, secret(better), secret(better), start);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().reason, ChangeRefusal::Reason::wrong_credentials);
  ASSERT_TRUE(service.change_password(account.id, secret(good), secret(better), start + hours{1}));
  EXPECT_EQ(login_refusal(address, good), LoginRefusal::wrong_credentials);
  EXPECT_EQ(login_refusal(address, better), std::nullopt);
  EXPECT_EQ(store.find_by_id(account.id)->password_changed_at, start + hours{1});
}

TEST_F(AccountsTest, ChangingThePasswordKeepsToThePolicy) {
  const Account account = signed_up();
  const auto weak = service.change_password(account.id, secret(good), secret("short"), start);
  ASSERT_FALSE(weak);
  EXPECT_EQ(weak.error().reason, ChangeRefusal::Reason::policy);
  EXPECT_FALSE(weak.error().detail.empty());
  EXPECT_EQ(login_refusal(address, good), std::nullopt);
}

TEST_F(AccountsTest, ChangingThePasswordOfNobodyOrOfADisabledAccountIsRefused) {
  EXPECT_EQ(service.change_password("nobody", secret(good), secret(better), start).error().reason,
            ChangeRefusal::Reason::wrong_credentials);
  const Account account = signed_up();
  ASSERT_TRUE(store.disable(account.id));
  EXPECT_EQ(service.change_password(account.id, secret(good), secret(better), start).error().reason,
            ChangeRefusal::Reason::wrong_credentials);
}

TEST_F(AccountsTest, TheOperatorResetsAPassword) {
  const Account account = signed_up();
  EXPECT_EQ(service.reset_password(account.id, secret("short"), start).error().reason,
            ChangeRefusal::Reason::policy);
  ASSERT_TRUE(service.reset_password(account.id, secret(better), start));
  EXPECT_EQ(login_refusal(address, better), std::nullopt);
  EXPECT_EQ(login_refusal(address, good), LoginRefusal::wrong_credentials);
}

TEST_F(AccountsTest, AKnownDeviceIsKnownToItsAccountOnly) {
  const Account ada = signed_up();
  const Account eve = signed_up("eve@example.com");
  const auto token = service.issue_device(ada.id, start);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->size(), 43u);
  EXPECT_TRUE(service.is_known_device(ada.id, token->reveal(), start));
  EXPECT_TRUE(service.is_known_device_of("ADA@example.com", token->reveal(), start));
  EXPECT_FALSE(service.is_known_device(eve.id, token->reveal(), start));
  EXPECT_FALSE(service.is_known_device_of("eve@example.com", token->reveal(), start));
  EXPECT_FALSE(service.is_known_device_of("nobody@example.com", token->reveal(), start));
  EXPECT_FALSE(service.is_known_device(ada.id, "", start));
  EXPECT_FALSE(service.is_known_device(ada.id, std::string(1000, 'a'), start));
}

TEST_F(AccountsTest, ADeviceIsForgottenInTime) {
  const Account ada = signed_up();
  const auto token = service.issue_device(ada.id, start);
  const Time end = start + Options{}.device_life;
  EXPECT_TRUE(service.is_known_device(ada.id, token->reveal(), end - seconds{1}));
  EXPECT_FALSE(service.is_known_device(ada.id, token->reveal(), end));
}

TEST_F(AccountsTest, TheDevicesOfAnAccountAreBounded) {
  const Account ada = signed_up();
  std::vector<Secret> tokens;
  for (int i = 0; i < 11; ++i) {
    tokens.push_back(*service.issue_device(ada.id, start + seconds{i}));
  }
  EXPECT_FALSE(service.is_known_device(ada.id, tokens.front().reveal(), start));
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    EXPECT_TRUE(service.is_known_device(ada.id, tokens[i].reveal(), start)) << i;
  }
}

TEST_F(AccountsTest, ANewPasswordForgetsTheDevices) {
  const Account ada = signed_up();
  const auto token = service.issue_device(ada.id, start);
  ASSERT_TRUE(service.change_password(ada.id, secret(good), secret(better), start));
  EXPECT_FALSE(service.is_known_device(ada.id, token->reveal(), start));
}

TEST_F(AccountsTest, AnUpgradedHashKeepsTheDevices) {
  const Account ada = signed_up();
  const auto token = service.issue_device(ada.id, start);
  engine.prefix = "v2:";
  ASSERT_EQ(login_refusal(address, good), std::nullopt);
  EXPECT_TRUE(service.is_known_device(ada.id, token->reveal(), start));
}

TEST_F(AccountsTest, NobodyHasNoDevice) {
  EXPECT_EQ(service.issue_device("nobody", start).error(), StoreError::not_found);
}

TEST_F(AccountsTest, TheSetUpTokenMakesTheFirstAdminOnce) {
  const auto token = service.create_setup_token(start);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->size(), 43u);
  const auto admin = service.set_up_admin(token->reveal(), address, secret(good), start);
  ASSERT_TRUE(admin);
  EXPECT_EQ(admin->roles, (std::vector<std::string>{"user", "admin"}));
  EXPECT_EQ(login_refusal(address, good), std::nullopt);
  const auto again = service.set_up_admin(token->reveal(), "eve@example.com", secret(good), start);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().reason, Reason::invalid_token);
  EXPECT_EQ(service.create_setup_token(start).error(), StoreError::admin_exists);
}

TEST_F(AccountsTest, AForeignSetUpTokenCostsNoHash) {
  ASSERT_TRUE(service.create_setup_token(start));
  for (const std::string& token : {std::string(), std::string(43, 'A'), std::string(5000, 'A')}) {
    const auto admin = service.set_up_admin(token, address, secret(good), start);
    ASSERT_FALSE(admin);
    EXPECT_EQ(admin.error().reason, Reason::invalid_token);
  }
  EXPECT_EQ(engine.work(), 0);
}

TEST_F(AccountsTest, WithoutASetUpTokenThereIsNoSetUp) {
  EXPECT_EQ(service.set_up_admin(std::string(43, 'A'), address, secret(good), start).error().reason,
            Reason::invalid_token);
}

TEST_F(AccountsTest, TheSetUpTokenExpires) {
  const auto token = service.create_setup_token(start);
  const auto late =
      service.set_up_admin(token->reveal(), address, secret(good), start + minutes{30});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().reason, Reason::invalid_token);
  EXPECT_TRUE(service.set_up_admin(token->reveal(), address, secret(good),
                                   start + minutes{30} - seconds{1}));
}

TEST_F(AccountsTest, ANewSetUpTokenReplacesTheOneBefore) {
  const auto first = service.create_setup_token(start);
  const auto second = service.create_setup_token(start);
  EXPECT_EQ(service.set_up_admin(first->reveal(), address, secret(good), start).error().reason,
            Reason::invalid_token);
  EXPECT_TRUE(service.set_up_admin(second->reveal(), address, secret(good), start));
}

TEST_F(AccountsTest, AMistakeAtSetUpLeavesTheTokenUsable) {
  signed_up("eve@example.com");
  const auto token = service.create_setup_token(start);
  ASSERT_TRUE(token) << "a user is no admin";
  EXPECT_EQ(service.set_up_admin(token->reveal(), "nonsense", secret(good), start).error().reason,
            Reason::invalid_email);
  EXPECT_EQ(service.set_up_admin(token->reveal(), address, secret("short"), start).error().reason,
            Reason::policy);
  EXPECT_EQ(
      service.set_up_admin(token->reveal(), "eve@example.com", secret(good), start).error().reason,
      Reason::email_taken);
  EXPECT_TRUE(service.set_up_admin(token->reveal(), address, secret(good), start));
}

TEST_F(AccountsTest, RolesAreSpelledLikeRoles) {
  for (const char* role : {"", "Admin", "a,b", "a b", "a\nb", "\xC3\xA4"}) {
    EXPECT_EQ(service.add_user(address, secret(good), {role}, start).error().reason,
              Reason::invalid_role)
        << role;
  }
  const auto account = service.add_user(address, secret(good), {"user", "ops-2", "user"}, start);
  ASSERT_TRUE(account);
  EXPECT_EQ(account->roles, (std::vector<std::string>{"user", "ops-2"}));
  EXPECT_EQ(service.set_roles(account->id, {"Bad"}).error(), RolesRefusal::invalid_role);
  EXPECT_EQ(service.set_roles("nobody", {"user"}).error(), RolesRefusal::not_found);
  EXPECT_TRUE(service.set_roles(account->id, {"user"}));
  EXPECT_FALSE(is_valid_role(std::string(33, 'a')));
  EXPECT_TRUE(is_valid_role(std::string(32, 'a')));
}

TEST_F(AccountsTest, TheLastAdminStaysOne) {
  const auto admin = service.add_user(address, secret(good), {"admin"}, start);
  ASSERT_TRUE(admin);
  EXPECT_EQ(service.set_roles(admin->id, {"user"}).error(), RolesRefusal::last_admin);
  const auto other = service.add_user("eve@example.com", secret(good), {"admin"}, start);
  ASSERT_TRUE(other);
  EXPECT_TRUE(service.set_roles(admin->id, {"user"}));
  EXPECT_EQ(store.disable(other->id).error(), StoreError::last_admin);
}

// The stored e-mail, hash and token digests must not contain what a thief could use.
TEST_F(AccountsTest, TokensAreStoredAsDigestsOnly) {
  const Account ada = signed_up();
  const auto device = service.issue_device(ada.id, start);
  EXPECT_TRUE(*store.knows_device(ada.id, sha256(device->reveal()), start));
  const auto setup = service.create_setup_token(start);
  EXPECT_TRUE(store.check_setup_token(sha256(setup->reveal()), start));
}

}  // namespace
}  // namespace moat::accounts
