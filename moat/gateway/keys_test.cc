// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/keys.h"

#include <gtest/gtest.h>
#include <sys/time.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "moat/gateway/key_files.h"

namespace moat::gateway {
namespace {

namespace fs = std::filesystem;
constexpr auto quarter = std::chrono::hours{24 * 91};

class KeysTest : public ::testing::Test {
 protected:
  KeysTest() {
    std::string path = (fs::temp_directory_path() / "moat-keys-XXXXXX").string();
    folder_ = ::mkdtemp(path.data());
  }
  ~KeysTest() override { fs::remove_all(folder_); }

  Keys load(Time now) { return load_keys(config_, folder_.string(), now).value(); }
  static std::string kids(const jwt::KeyRing& ring) { return std::string(ring.to_json().reveal()); }
  void refer(const std::string& name, const std::string& reference) {
    config_.secrets.push_back({name, reference, Origin{"moat.toml", 7}});
  }

  // Makes the file look as if it had been written so long before `start_`.
  void age_csrf_key(std::chrono::hours age) {
    const std::int64_t second = unix_seconds(start_ - age);
    const timeval times[2] = {{second, 0}, {second, 0}};
    ASSERT_EQ(::utimes((folder_ / "csrf.key").c_str(), times), 0);
  }

  fs::path folder_;
  Config config_;
  Time start_{std::chrono::hours{24 * 365 * 50}};
};

TEST_F(KeysTest, AreMadeOnceAndKept) {
  const Keys made = load(start_);
  const Keys again = load(start_ + std::chrono::hours{1});
  EXPECT_EQ(kids(made.session), kids(again.session));
  EXPECT_EQ(kids(made.assertion), kids(again.assertion));
  for (const auto& file : fs::directory_iterator(folder_))
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(KeysTest, OldOnesOfOursAreRotatedAndTheOldStillVerifies) {
  const Keys made = load(start_);
  const Keys later = load(start_ + quarter);
  EXPECT_NE(kids(made.session), kids(later.session));
  EXPECT_EQ(kids(later.session), kids(load(start_ + quarter).session)) << "and written";
}

TEST_F(KeysTest, OldOnesWaitWhileAnotherProcessServes) {
  const Keys made = load(start_);
  const auto waiting = load_keys(config_, folder_.string(), start_ + quarter, Rotation::not_now);
  ASSERT_TRUE(waiting.has_value());
  EXPECT_EQ(kids(made.session), kids(waiting->session));
  EXPECT_EQ(kids(made.assertion), kids(waiting->assertion));
  EXPECT_NE(kids(made.session), kids(load(start_ + quarter).session));
}

TEST_F(KeysTest, OnesThatAreKeptElsewhereAreNotRotatedHere) {
  const Keys made = load(start_);
  refer("session_keys", "file:" + (folder_ / "session_keys.json").string());
  refer("assertion_keys", "file:" + (folder_ / "assertion_keys.json").string());
  const Keys later = load(start_ + quarter);
  EXPECT_EQ(kids(made.session), kids(later.session));
  EXPECT_EQ(kids(made.assertion), kids(later.assertion));
}

TEST_F(KeysTest, TheKeyOfFormsIsRotatedAndOpenFormsStillWork) {
  const csrf::Binding session = csrf::Binding::session("s");
  const Keys made = load(start_);
  const std::string token = made.tokens.issue(session, system_random(), start_);
  age_csrf_key(std::chrono::hours{24 * 90 - 1});
  EXPECT_TRUE(made.tokens.verify(
      session, load(start_).tokens.issue(session, system_random(), start_), start_))
      << "the same key";
  EXPECT_FALSE(fs::exists(folder_ / "csrf.previous.key"));
  age_csrf_key(std::chrono::hours{24 * 90});
  const auto waiting = load_keys(config_, folder_.string(), start_, Rotation::not_now);
  ASSERT_TRUE(waiting.has_value());
  EXPECT_FALSE(fs::exists(folder_ / "csrf.previous.key")) << "another process serves";

  const Keys second = load(start_);
  EXPECT_TRUE(second.tokens.verify(session, token, start_)) << "a form that was open";
  const std::string fresh = second.tokens.issue(session, system_random(), start_);
  EXPECT_FALSE(made.tokens.verify(session, fresh, start_)) << "by a new key";
  EXPECT_TRUE(load(start_).tokens.verify(session, token, start_)) << "and written";
  EXPECT_TRUE(load(start_).tokens.verify(session, fresh, start_));
  EXPECT_EQ(fs::status(folder_ / "csrf.previous.key").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);

  age_csrf_key(std::chrono::hours{24 * 90});
  const Keys third = load(start_);
  EXPECT_FALSE(third.tokens.verify(session, token, start_)) << "two rotations later";
  EXPECT_TRUE(third.tokens.verify(session, fresh, start_));
}

TEST_F(KeysTest, AKeyOfFormsThatIsKeptElsewhereIsRotatedThere) {
  const csrf::Binding session = csrf::Binding::session("s");
  const auto keep = [&](const char* name, char with) {
    auto written =
        write_private_file((folder_ / name).string(), Secret::copy_of(std::string(40, with)));
    ASSERT_TRUE(written.has_value());
  };
  keep("one", 'a');
  keep("two", 'b');
  refer("csrf_key", "file:" + (folder_ / "one").string());
  const std::string token = load(start_).tokens.issue(session, system_random(), start_);
  config_.secrets.clear();
  refer("csrf_key", "file:" + (folder_ / "two").string());
  EXPECT_FALSE(load(start_).tokens.verify(session, token, start_));
  refer("csrf_key_previous", "file:" + (folder_ / "one").string());
  EXPECT_TRUE(load(start_).tokens.verify(session, token, start_));
  EXPECT_FALSE(fs::exists(folder_ / "csrf.key"));
  keep("short", 'c');
  std::ofstream(folder_ / "short") << "0123456789";
  config_.secrets.pop_back();
  refer("csrf_key_previous", "file:" + (folder_ / "short").string());
  EXPECT_FALSE(load_keys(config_, folder_.string(), start_).has_value());
}

TEST_F(KeysTest, ANamedSecretThatIsNotThereRefusesTheStart) {
  refer("csrf_key", "file:" + (folder_ / "absent").string());
  const auto keys = load_keys(config_, folder_.string(), start_);
  ASSERT_FALSE(keys.has_value());
  EXPECT_EQ(keys.error().rfind("moat.toml:7: secret 'csrf_key'", 0), 0U) << keys.error();
}

TEST_F(KeysTest, ASecretFromTheEnvironmentIsRemovedThere) {
  ::setenv("MOAT_TEST_CSRF", "Zk3vQ8pLw1Xr7TnYc5Bd9Hs2Jf6Mg4Ua", 1);
  refer("csrf_key", "env:MOAT_TEST_CSRF");
  load(start_);
  EXPECT_EQ(std::getenv("MOAT_TEST_CSRF"), nullptr);
  EXPECT_FALSE(load_keys(config_, folder_.string(), start_).has_value());
}

}  // namespace
}  // namespace moat::gateway
