// SPDX-License-Identifier: Apache-2.0
#include "moat/limit/table.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/limit/internal/bounded_map.h"
#include "moat/limit/internal/siphash.h"
#include "moat/limit/rate_limiter.h"

namespace moat::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

Policy policy(std::string_view text) { return Policy::parse(text).value(); }
IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }
const Tick start = Tick{1h};

// --- the hash ---

internal::SipKey vector_key() { return {0x0706050403020100U, 0x0f0e0d0c0b0a0908U}; }

std::string bytes_of(const internal::Hash128& hash) {
  std::string out;
  for (const std::uint64_t word : {hash.first, hash.second}) {
    for (unsigned i = 0; i < 8; ++i) out += static_cast<char>((word >> (8 * i)) & 0xff);
  }
  return out;
}

// The authors' vectors for 128 bits: key 00..0f, input 00, 01, … of that length.
TEST(SipHash, GivesTheAuthorsVectors) {
  EXPECT_EQ(hex_encode(bytes_of(internal::SipHash(vector_key()).finish(""))),
            "a3817f04ba25a8e66df67214c7550293");
  EXPECT_EQ(hex_encode(bytes_of(internal::SipHash(vector_key()).finish(std::string(1, '\0')))),
            "da87c1d86b99af44347659119b22fc45");
}

std::string by_openssl(std::string_view message) {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  std::array<unsigned char, 16> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<unsigned char>(i);
  std::size_t size = 16;
  const std::array<OSSL_PARAM, 2> parameters{OSSL_PARAM_construct_size_t("size", &size),
                                             OSSL_PARAM_construct_end()};
  std::string out(16, '\0');
  const bool good =
      EVP_MAC_init(context, key.data(), key.size(), parameters.data()) == 1 &&
      EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(message.data()),
                     message.size()) == 1 &&
      EVP_MAC_final(context, reinterpret_cast<unsigned char*>(out.data()), &size, out.size()) == 1;
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
  return good ? out : "OpenSSL failed";
}

TEST(SipHash, AgreesWithOpenSslForEveryLength) {
  InsecureSeededRandom random(9);
  for (std::size_t length = 0; length <= 300; ++length) {
    const std::string message = random.bytes(length);
    EXPECT_EQ(bytes_of(internal::SipHash(vector_key()).finish(message)), by_openssl(message));
  }
}

TEST(SipHash, WordsAreTheSameAsTheirBytes) {
  internal::SipHash hash(vector_key());
  hash.word(0x0706050403020100U);
  EXPECT_EQ(bytes_of(hash.finish("rest")), by_openssl(std::string("\0\1\2\3\4\5\6\7", 8) + "rest"));
}

// --- the map ---

struct Expiring {
  std::int64_t until;
};

TEST(BoundedMap, BehavesLikeAMapUnderInsertionSweepsAndErasure) {
  internal::BoundedMap<Expiring> map(1024);
  std::mt19937_64 random(1);
  std::vector<Key> keys;
  for (int i = 0; i < 700; ++i) keys.push_back(Key{random(), random() | 1});
  std::vector<std::optional<std::int64_t>> model(keys.size());
  std::int64_t now = 0;
  const auto expired = [&](const Expiring& value) { return value.until <= now; };
  for (int i = 0; i < 200'000; ++i) {
    ++now;
    const std::size_t at = random() % keys.size();
    const internal::BoundedMap<Expiring>::Lock lock(map, keys[at]);
    const Expiring* const found = map.find(keys[at]);
    if (model[at] && *model[at] > now) {
      ASSERT_TRUE(found) << "only what is expired may go";
      ASSERT_EQ(found->until, *model[at]);
    } else if (found) {
      ASSERT_TRUE(model[at]);
      ASSERT_EQ(found->until, *model[at]);
    }
    if (random() % 5 == 0) {
      map.erase(keys[at]);
      model[at].reset();
    } else {
      const std::int64_t until = now + static_cast<std::int64_t>(random() % 600);
      if (map.set(keys[at], Expiring{until}, expired)) model[at] = until;
    }
  }
  EXPECT_LE(map.used(), map.entries());
  EXPECT_GT(map.used(), 0U);
}

// --- the table ---

struct TableTest : testing::Test {
  InsecureSeededRandom random{7};
  Table table{1024, random};
  Policy three = policy("3/hour/ip");
  Policy five = policy("5/hour/user");

  Key key(std::string_view name) const { return table.key(1, name); }
};

TEST_F(TableTest, CountsEachKeyForItself) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(table.consume(key("a"), three, start).allowed);
  EXPECT_FALSE(table.consume(key("a"), three, start).allowed);
  EXPECT_TRUE(table.consume(key("b"), three, start).allowed);
  EXPECT_FALSE(table.consume(key("a"), three, start + 20min - 1ns).allowed);
  EXPECT_TRUE(table.consume(key("a"), three, start + 20min).allowed);
}

TEST_F(TableTest, KeysDifferByLimitKindSubjectAndProcess) {
  const IpAddress address = ip("2001:db8::");
  std::set<std::uint64_t> seen;
  for (const Key& k :
       {table.key(1, "a"), table.key(2, "a"), table.key(1, "b"), table.key(1, ""),
        table.key(1, address, 64), table.key(1, address, 48), table.key(2, address, 64),
        table.key(1,
                  std::string_view(reinterpret_cast<const char*>(address.bytes().data()), 16))}) {
    EXPECT_TRUE(seen.insert(k.high).second);
  }
  EXPECT_EQ(table.key(1, "a"), table.key(1, "a"));
  const Table other(1024, random);
  EXPECT_FALSE(other.key(1, "a") == table.key(1, "a"));
}

TEST_F(TableTest, ARefusedRequestIsCountedInNoBucket) {
  Charges charges;
  charges.add(Charge{key("a"), three}).add(Charge{key("b"), five});
  for (std::uint32_t i = 0; i < 3; ++i) {
    const Decision decision = table.consume(charges, start);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.limit, 3U) << "the tightest is heard of";
    EXPECT_EQ(decision.remaining, 2 - i);
  }
  for (int i = 0; i < 10; ++i) {
    const Decision decision = table.consume(charges, start);
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.limit, 3U);
    EXPECT_EQ(decision.retry_after, nanoseconds{20min});
  }
  EXPECT_EQ(table.peek(key("b"), five, start).remaining, 2U);
}

TEST_F(TableTest, OfTwoRefusalsTheLongerIsTold) {
  while (table.consume(key("a"), three, start).allowed) {
  }
  while (table.consume(key("b"), five, start).allowed) {
  }
  Charges charges;
  charges.add(Charge{key("b"), five}).add(Charge{key("a"), three});
  EXPECT_EQ(table.consume(charges, start).retry_after, nanoseconds{20min});
}

TEST_F(TableTest, ABucketChargedTwiceCountsTwice) {
  Charges charges;
  charges.add(Charge{key("a"), five}).add(Charge{key("a"), five});
  EXPECT_TRUE(table.consume(charges, start).allowed);
  EXPECT_TRUE(table.consume(charges, start).allowed);
  EXPECT_FALSE(table.consume(charges, start).allowed);
  EXPECT_EQ(table.peek(key("a"), five, start).remaining, 1U);
}

TEST_F(TableTest, NoChargesAreRefusedAndTooManyThrow) {
  EXPECT_FALSE(table.consume(Charges{}, start).allowed);
  EXPECT_FALSE(table.peek(Charges{}, start).allowed);
  Charges charges;
  for (std::size_t i = 0; i < Charges::most; ++i) charges.add(Charge{key("a"), three});
  EXPECT_THROW(charges.add(Charge{key("a"), three}), std::length_error);
}

TEST_F(TableTest, PeekCountsNothing) {
  for (int i = 0; i < 10; ++i) EXPECT_EQ(table.peek(key("a"), three, start).remaining, 3U);
  EXPECT_TRUE(table.consume(key("a"), three, start).allowed);
  EXPECT_EQ(table.peek(key("a"), three, start).remaining, 2U);
  EXPECT_TRUE(table.consume(key("a"), three, start).allowed);
  EXPECT_TRUE(table.consume(key("a"), three, start).allowed);
  EXPECT_FALSE(table.peek(key("a"), three, start).allowed);
}

TEST_F(TableTest, ARefundGivesOneBackButNothingThatTimeHasGivenBack) {
  EXPECT_TRUE(table.consume(key("a"), three, start).allowed);
  table.refund(key("a"), three, start, start);
  EXPECT_EQ(table.peek(key("a"), three, start).reset_after, 0ns);

  EXPECT_TRUE(table.consume(key("a"), three, start).allowed);
  EXPECT_TRUE(table.consume(key("a"), three, start + 15min).allowed);
  table.refund(key("a"), three, start, start + 15min);
  EXPECT_EQ(table.peek(key("a"), three, start + 15min).reset_after, nanoseconds{20min});
  table.refund(key("a"), three, start, start + 2h);
  EXPECT_EQ(table.peek(key("a"), three, start + 15min).reset_after, nanoseconds{20min});
  table.refund(key("never seen"), three, start, start);
  EXPECT_EQ(table.peek(key("never seen"), three, start).remaining, 3U);
}

TEST_F(TableTest, ResetMakesABucketWhole) {
  while (table.consume(key("a"), three, start).allowed) {
  }
  table.reset(key("b"));
  EXPECT_FALSE(table.consume(key("a"), three, start).allowed);
  table.reset(key("a"));
  EXPECT_TRUE(table.consume(key("a"), three, start).allowed);
}

TEST_F(TableTest, AnAttemptCountsWhatWasMadeAndParallelOnesCannotOverrun) {
  Charges charges;
  charges.add(table, 1, three, ip("192.0.2.1"));
  std::vector<Attempt> attempts;
  for (int i = 0; i < 4; ++i) attempts.emplace_back(table, charges, start);
  EXPECT_TRUE(attempts[2].decision().allowed);
  EXPECT_FALSE(attempts[3].decision().allowed);
  attempts[3].give_back(start);  // it took nothing, so nothing comes back
  EXPECT_FALSE(table.peek(charges, start).allowed);
  attempts[0].give_back(start);
  attempts[0].give_back(start);  // once only
  EXPECT_EQ(table.peek(charges, start).remaining, 1U);
  for (int i = 0; i < 50; ++i) Attempt(table, charges, start).give_back(start);
  EXPECT_EQ(table.peek(charges, start).remaining, 1U);
  const Attempt made(table, charges, start);
  EXPECT_TRUE(made.decision().allowed);
  EXPECT_FALSE(table.peek(charges, start).allowed);
}

TEST_F(TableTest, AddressesOfOneNetworkShareABucket) {
  RateLimiter limiter({.max = 2, .window = 1min}, random);
  EXPECT_TRUE(limiter.check(ip("2001:db8:1:1::1"), start).allowed);
  EXPECT_TRUE(limiter.check(ip("2001:db8:1:1::2"), start).allowed);
  EXPECT_FALSE(limiter.check(ip("2001:db8:1:1::3"), start).allowed);
  // The /48 has four times as much, and the refused one took none of it.
  int passed = 2;
  for (int i = 2; i < 200; ++i) {
    const IpAddress next =
        ip("2001:db8:1:" + hex_encode(std::string(1, static_cast<char>(i))) + "::1");
    if (limiter.check(next, start).allowed) ++passed;
  }
  EXPECT_EQ(passed, 8);
  EXPECT_TRUE(limiter.check(ip("2001:db8:2:1::1"), start).allowed);
  EXPECT_TRUE(limiter.check(ip("192.0.2.1"), start).allowed);
  EXPECT_TRUE(limiter.check(ip("192.0.2.2"), start).allowed);
}

// --- the full table ---

TEST_F(TableTest, WhenFullNewKeysAreRefusedAndNoBlockedOneIsFreed) {
  while (table.consume(key("blocked"), three, start).allowed) {
  }
  int let_in = 0;
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Decision decision = table.consume(key(std::to_string(i)), three, start);
    if (decision.allowed) {
      ++let_in;
    } else {
      ++refused;
      EXPECT_EQ(decision.reason, Reason::table_full);
      EXPECT_GT(decision.retry_after, 0ns);
    }
  }
  const Table::Stats stats = table.stats();
  EXPECT_EQ(stats.used, stats.entries);
  EXPECT_EQ(static_cast<std::size_t>(let_in) + 1, stats.entries);
  EXPECT_GE(stats.entries, 1024U);
  EXPECT_LE(stats.entries, 2048U);
  EXPECT_EQ(stats.refused_full, static_cast<std::uint64_t>(refused));
  EXPECT_FALSE(table.consume(key("blocked"), three, start).allowed);
  EXPECT_EQ(table.consume(key("blocked"), three, start).reason, Reason::over_limit);
  EXPECT_EQ(table.peek(key("new"), three, start).reason, Reason::table_full);
}

TEST_F(TableTest, WholeBucketsMakeRoom) {
  for (int i = 0; i < 20'000; ++i) {
    (void)table.consume(key(std::to_string(i)), three, start);
  }
  EXPECT_FALSE(table.consume(key("new"), three, start + 20min - 1ns).allowed);
  EXPECT_TRUE(table.consume(key("new"), three, start + 20min).allowed);
  int let_in = 0;
  for (int i = 20'000; i < 20'500; ++i) {
    if (table.consume(key(std::to_string(i)), three, start + 20min).allowed) ++let_in;
  }
  EXPECT_EQ(let_in, 500);
}

TEST_F(TableTest, AFullTableRefusesAllOfARequestOrNone) {
  for (int i = 0; i < 20'000; ++i) {
    (void)table.consume(key(std::to_string(i)), three, start);
  }
  // "0" is held since the beginning; the other keys find no room.
  const std::uint32_t before = table.peek(key("0"), three, start).remaining;
  for (int i = 0; i < 50; ++i) {
    Charges charges;
    charges.add(Charge{key("0"), three}).add(Charge{key("new " + std::to_string(i)), three});
    EXPECT_EQ(table.consume(charges, start).reason, Reason::table_full);
  }
  EXPECT_EQ(table.peek(key("0"), three, start).remaining, before);
}

// --- threads ---

TEST(TableThreads, ManyThreadsTogetherGetExactlyTheBurst) {
  Table table(4096);
  const Policy p = policy("1000/day/ip");
  const Policy larger = policy("2000/day/user");
  std::atomic<int> passed{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        Charges charges;
        // In either order, so that locks taken in the order of the charges would deadlock.
        const Charge a{table.key(1, "a"), p};
        const Charge b{table.key(1, "b"), larger};
        charges.add(t % 2 == 0 ? a : b).add(t % 2 == 0 ? b : a);
        if (table.consume(charges, start).allowed) passed.fetch_add(1);
        (void)table.consume(table.key(2, std::to_string(i % 64)), p, start);
        (void)table.peek(charges, start);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed.load(), 1000);
  EXPECT_EQ(table.peek(table.key(1, "b"), larger, start).remaining, 1000U);
}

// --- the limiter ---

TEST(RateLimiter, RefusesNumbersThatMakeNoPolicy) {
  EXPECT_THROW(RateLimiter({.max = 0}), std::invalid_argument);
  EXPECT_THROW(RateLimiter({.window = 0s}), std::invalid_argument);
  EXPECT_THROW(RateLimiter({.burst = 0}), std::invalid_argument);
}

TEST(RateLimiter, ChecksByKeyToo) {
  RateLimiter limiter({.max = 1, .window = 15min});
  EXPECT_TRUE(limiter.check("key of a customer", start).allowed);
  EXPECT_FALSE(limiter.check("key of a customer", start).allowed);
  EXPECT_TRUE(limiter.check("another", start).allowed);
  EXPECT_EQ(limiter.policy().count(), 1U);
}

// express-rate-limit's runs. Its window is fixed and ours slides, so what can be compared is a
// burst within one window, and that a whole window later there is room again; its headers are of
// older drafts. A failed request that it was told to skip (401) is given back.
TEST(RateLimiter, BurstsEndLikeExpressRateLimits) {
  const char* const folder = std::getenv("MOAT_CORPORA");
  if (!folder) GTEST_SKIP() << "MOAT_CORPORA is not set: http/express_rate_limit_runs.jsonl";
  std::ifstream file(std::string(folder) + "/http/express_rate_limit_runs.jsonl");
  ASSERT_TRUE(file);
  const IpAddress client = ip("192.0.2.1");
  int compared = 0;
  for (std::string line; std::getline(file, line);) {
    const auto run = json::parse(line);
    ASSERT_TRUE(run);
    const json::Value& config = *run->find("config");
    const auto window = std::chrono::milliseconds{*config.find("windowMs")->as_integer()};
    const auto max = static_cast<std::uint32_t>(*config.find("limit")->as_integer());
    RateLimiter limiter({.max = max, .window = window});
    Tick now = start;
    std::int64_t last = 0;
    for (const json::Value& step : *run->find("steps")->as_array()) {
      const std::int64_t status = *step.find("status")->as_integer();
      if (last == 429 && status == 200) now += window;  // the run has slept
      last = status;
      const Decision decision = limiter.check(client, now);
      EXPECT_EQ(decision.allowed, status != 429) << line;
      if (const json::Value* left = step.find("headers")->find("x-ratelimit-remaining")) {
        EXPECT_EQ(std::to_string(decision.remaining), *left->as_string());
      }
      if (status == 401) {
        Charges charges;
        charges.add(limiter.table(), 1, limiter.policy(), client);
        limiter.table().refund(charges, now, now);
      }
      ++compared;
    }
  }
  EXPECT_GT(compared, 20);
}

}  // namespace
}  // namespace moat::limit
