// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/renewal.h"

#include <gtest/gtest.h>

#include <set>

#include "moat/acme/messages.h"

namespace moat::acme {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Time start = from_unix_seconds(1'795'000'000);
constexpr hours day{24};

TEST(RenewalInfoTest, ReadsTheWindow) {
  // RFC 9773 section 4.2.
  const auto info = parse_renewal_info(
      R"({"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-03T04:00:00Z"},)"
      R"("explanationURL":"https://acme.example.com/docs/ari"})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->start, parse_rfc3339("2025-01-02T04:00:00Z"));
  EXPECT_EQ(info->end - info->start, day);
  EXPECT_EQ(info->explanation, "https://acme.example.com/docs/ari");
  for (const char* body :
       {"", "{}", R"({"suggestedWindow":{}})", R"({"suggestedWindow":[]})",
        R"({"suggestedWindow":{"start":"2025-01-02T04:00:00Z"}})",
        R"({"suggestedWindow":{"start":"2025-01-02T04:00:00Z","end":"2025-01-02T04:00:00Z"}})",
        R"({"suggestedWindow":{"start":"2025-01-03T04:00:00Z","end":"2025-01-02T04:00:00Z"}})",
        R"({"suggestedWindow":{"start":1735790400,"end":1735876800}})"})
    EXPECT_FALSE(parse_renewal_info(body)) << body;
}

TEST(ScheduleTest, WithoutTheCasWordAThirdOfTheLifeIsLeftOrHalfOfAShortOne) {
  InsecureSeededRandom random(1);
  struct Case {
    minutes life, latest;
  };
  // 160 hours, 45, 64 and 90 days are what Let's Encrypt issues, or will; below ten days is short.
  for (const Case& one :
       {Case{hours{160}, hours{80}}, Case{hours{239}, minutes{7170}}, Case{10 * day, hours{160}},
        Case{45 * day, 30 * day}, Case{64 * day, hours{1024}}, Case{90 * day, 60 * day}}) {
    Time first = Time::max(), last = Time::min();
    for (int i = 0; i < 100; ++i) {
      const Schedule schedule(start, start + one.life, start, random);
      first = std::min(first, schedule.renew_at());
      last = std::max(last, schedule.renew_at());
    }
    EXPECT_LE(last, start + one.latest) << one.life.count();
    EXPECT_GE(first, start + one.latest - one.life / 20) << one.life.count();
    EXPECT_GT(last - first, one.life / 40) << "not all at once: " << one.life.count();
  }
}

TEST(ScheduleTest, AMomentInTheWindowIsDrawnAndKept) {
  InsecureSeededRandom random(2);
  const RenewalInfo info{start + 10 * day, start + 12 * day, {}};
  int halves[2] = {0, 0};
  for (int i = 0; i < 1000; ++i) {
    Schedule schedule(start, start + 90 * day, start, random);
    schedule.learned(info, "21600", start);
    const Time drawn = schedule.renew_at();
    ASSERT_GE(drawn, info.start);
    ASSERT_LT(drawn, info.end);
    ++halves[drawn >= start + 11 * day ? 1 : 0];
    schedule.learned(info, "21600", start + hours{6});
    ASSERT_EQ(schedule.renew_at(), drawn) << "asked again, it would wander to the front";
  }
  EXPECT_GT(halves[0], 400);
  EXPECT_GT(halves[1], 400);
}

TEST(ScheduleTest, AWindowThatIsOverMeansNow) {
  InsecureSeededRandom random(3);
  Schedule schedule(start, start + 90 * day, start + day, random);
  schedule.learned({start - 2 * day, start - day, {}}, "", start + day);
  EXPECT_LT(schedule.renew_at(), start + day);
}

TEST(ScheduleTest, AWindowBehindTheEndOfTheCertificateIsNotFollowed) {
  InsecureSeededRandom random(4);
  Schedule schedule(start, start + 90 * day, start, random);
  schedule.learned({start + 80 * day, start + 500 * day, {}}, "", start);
  EXPECT_LE(schedule.renew_at(), start + 90 * day);
  schedule.learned({start + 400 * day, start + 500 * day, {}}, "", start);
  EXPECT_LE(schedule.renew_at(), start + 90 * day);
}

// A CA that takes back whatever it issues is not asked for certificates without end.
TEST(ScheduleTest, WhatWasIssuedJustNowStaysForAWhile) {
  InsecureSeededRandom random(8);
  const RenewalInfo over{start - 2 * day, start - day, {}};
  const auto stays = [&](Time::duration age, Time::duration left) {
    Schedule schedule(start - age, start + left, start, random);
    schedule.learned(over, "", start);
    EXPECT_LT(schedule.renew_at(), start) << "one that was kept is renewed now";
    schedule.rest(start);
    schedule.learned({start - 3 * day, start - day, {}}, "", start);
    return schedule.renew_at() - start;
  };
  EXPECT_EQ(stays({}, 90 * day), hours{6});
  EXPECT_EQ(stays({}, hours{61}), hours{6});
  EXPECT_EQ(stays({}, hours{50}), hours{5});
  EXPECT_EQ(stays(89 * day, hours{10}), hours{1}) << "old when it came";
  EXPECT_EQ(stays(day, seconds{1}), seconds{10});
  Schedule schedule(start, start + 90 * day, start, random);
  const Time planned = schedule.renew_at();
  schedule.rest(start);
  EXPECT_EQ(schedule.renew_at(), planned) << "and else changes nothing";
}

// RFC 9773 section 4.3.
TEST(ScheduleTest, TheNextQuestionIsNeitherTooEarlyNorTooLate) {
  InsecureSeededRandom random(5);
  Schedule schedule(start, start + 90 * day, start, random);
  EXPECT_EQ(schedule.ask_at(), start);
  const RenewalInfo info{start + 10 * day, start + 12 * day, {}};
  schedule.learned(info, "1", start);
  EXPECT_EQ(schedule.ask_at(), start + minutes{1});
  schedule.learned(info, "864000", start);
  EXPECT_EQ(schedule.ask_at(), start + day);
  schedule.learned(info, "7200", start);
  EXPECT_EQ(schedule.ask_at(), start + hours{2});
  schedule.learned(info, format_http_date(start + hours{3}), start);
  EXPECT_EQ(schedule.ask_at(), start + hours{3});
  schedule.learned(info, "soon", start);
  EXPECT_EQ(schedule.ask_at(), start + hours{6});
  schedule.no_answer(start);
  EXPECT_EQ(schedule.ask_at(), start + hours{6});
}

TEST(RetryAfterTest, IsSecondsOrADateAndNothingElse) {
  const auto read = [](std::string_view text) {
    return parse_retry_after(text, start, seconds{1}, hours{1});
  };
  EXPECT_EQ(read("30"), start + seconds{30});
  EXPECT_EQ(read("0"), start + seconds{1});
  EXPECT_EQ(read("99999999999999999999999"), start + hours{1});
  EXPECT_EQ(read(format_http_date(start - hours{5})), start + seconds{1});
  for (const char* text : {"", "-1", "1.5", "30s", " 30", "30 ", "0x10"})
    EXPECT_FALSE(read(text)) << text;
}

TEST(PatienceTest, WaitsLongerEachTimeAndNeverLessThanTheCaSays) {
  InsecureSeededRandom random(6);
  Patience patience(random);
  const auto within = [](Time at, std::chrono::minutes least) {
    EXPECT_GE(at, start + least);
    EXPECT_LE(at, start + least + least / 4 + seconds{60});
  };
  within(patience.failed(start, std::nullopt), minutes{1});
  within(patience.failed(start, std::nullopt), minutes{10});
  within(patience.failed(start, std::nullopt), minutes{100});
  within(patience.failed(start, std::nullopt), day);
  within(patience.failed(start, std::nullopt), day);
  patience.succeeded();
  EXPECT_GE(patience.failed(start, start + hours{5}), start + hours{5});
}

// What fails everywhere at once, since a CA was down, does not come back at once.
TEST(PatienceTest, OfManyDiffers) {
  InsecureSeededRandom random(7);
  std::set<Time> own, of_the_ca;
  for (int i = 0; i < 50; ++i) {
    Patience patience(random);
    patience.resume(2);
    own.insert(patience.failed(start, std::nullopt));
    patience.resume(2);
    of_the_ca.insert(patience.failed(start, start + hours{5}));
  }
  EXPECT_GT(own.size(), 40U);
  EXPECT_GT(of_the_ca.size(), 40U);
}

}  // namespace
}  // namespace moat::acme
