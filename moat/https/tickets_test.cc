// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "moat/https/internal/testing.h"

namespace moat::https {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::Client;
using testing::Link;

using Session = Owned<SSL_SESSION, SSL_SESSION_free>;

class Tickets : public ::testing::TestWithParam<int> {
 protected:
  Tickets() {
    store_->put(testing::certificate_for("localhost"));
    store_->put(testing::certificate_for("example.com"));
  }
  ServerContext context() const { return ServerContext::create({}, store_, keys_).value(); }

  // A handshake with what the client has kept; keeps the ticket it gets. True: resumed.
  bool resumes(const ServerContext& server) {
    Client client;
    client.only(GetParam());
    client.name = name_;
    client.session = session_.get();
    Link link(server, client);
    EXPECT_TRUE(link.handshake());
    if (GetParam() == TLS1_3_VERSION || !link.resumed())
      session_.reset(SSL_get1_session(link.client()));
    EXPECT_EQ(SSL_SESSION_has_ticket(session_.get()), 1);
    EXPECT_EQ(SSL_SESSION_get_max_early_data(session_.get()), 0u);  // no 0-RTT
    if (GetParam() == TLS1_3_VERSION) {
      EXPECT_NE(SSL_get_negotiated_group(link.client()), NID_undef);  // psk_dhe_ke
    }
    return link.resumed();
  }

  ManualClock clock_{testing::present()};
  std::shared_ptr<CertificateStore> store_ = std::make_shared<CertificateStore>();
  std::shared_ptr<TicketKeys> keys_ = std::make_shared<TicketKeys>(clock_, system_random());
  Session session_;
  std::string name_ = "localhost";
};

TEST_P(Tickets, ResumeOnAnyWorker) {
  const ServerContext one = context();
  const ServerContext two = context();
  EXPECT_FALSE(resumes(one));
  EXPECT_TRUE(resumes(one));
  EXPECT_TRUE(resumes(two));
}

TEST_P(Tickets, SayThatTheyLiveADay) {
  const ServerContext server = context();
  EXPECT_FALSE(resumes(server));
  EXPECT_EQ(SSL_SESSION_get_ticket_lifetime_hint(session_.get()), 86400u);
}

TEST_P(Tickets, EndADayAfterTheFullHandshake) {
  const ServerContext server = context();
  EXPECT_FALSE(resumes(server));
  clock_.advance(hours{24} - seconds{1});
  EXPECT_TRUE(resumes(server));
  clock_.advance(seconds{1});
  EXPECT_FALSE(resumes(server));
}

TEST_P(Tickets, AChainOfResumptionsEndsToo) {
  const ServerContext server = context();
  EXPECT_FALSE(resumes(server));
  for (int i = 0; i < 4; ++i) {
    clock_.advance(hours{5});
    EXPECT_TRUE(resumes(server));
  }
  clock_.advance(hours{5});
  EXPECT_FALSE(resumes(server));
}

TEST_P(Tickets, OfAKeyThatIsGoneAreRefused) {
  const ServerContext server = context();
  EXPECT_FALSE(resumes(server));
  keys_->revoke_all();
  EXPECT_FALSE(resumes(server));
  EXPECT_TRUE(resumes(server));
}

TEST_P(Tickets, OfAnotherServerAreRefused) {
  const ServerContext server = context();
  EXPECT_FALSE(resumes(server));
  keys_ = std::make_shared<TicketKeys>(clock_, system_random());
  const ServerContext other = context();
  EXPECT_FALSE(resumes(other));
}

// RFC 6066 section 3.
TEST_P(Tickets, AreNotTakenUnderAnotherName) {
  const ServerContext server = context();
  EXPECT_FALSE(resumes(server));
  name_ = "example.com";
  EXPECT_FALSE(resumes(server));
  EXPECT_TRUE(resumes(server));
  name_ = "";
  EXPECT_FALSE(resumes(server));
  EXPECT_TRUE(resumes(server));
}

TEST_P(Tickets, FromTheFutureAreRefused) {
  const ServerContext server = context();
  clock_.advance(hours{2});
  EXPECT_FALSE(resumes(server));
  clock_.advance(-hours{1});
  EXPECT_FALSE(resumes(server));
}

TEST_P(Tickets, OfAnotherNodeAreOpenedOnceItsKeysAreHere) {
  const auto others = std::make_shared<TicketKeys>(clock_, system_random());
  const ServerContext one = context();
  const ServerContext two = ServerContext::create({}, store_, others).value();
  EXPECT_FALSE(resumes(one));
  EXPECT_FALSE(resumes(two));
  EXPECT_TRUE(others->merge(keys_->save()));
  EXPECT_TRUE(keys_->merge(others->save()));
  EXPECT_EQ(keys_->size(), 2U);
  EXPECT_TRUE(resumes(one));
  EXPECT_TRUE(resumes(two));
  EXPECT_TRUE(keys_->save().equals(others->save().reveal())) << "the same, in the same order";
  // Both seal with the same one, whichever of them is the newest.
  clock_.advance(hours{1});
  EXPECT_TRUE(resumes(one));
  keys_->revoke_all();
  session_.reset();
  EXPECT_FALSE(resumes(two));
  EXPECT_FALSE(resumes(one));
  EXPECT_TRUE(keys_->merge(others->save()));
  EXPECT_EQ(keys_->size(), 1U) << "what was revoked does not come back";
}

INSTANTIATE_TEST_SUITE_P(Versions, Tickets, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& version) {
                           return version.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST(TicketKeys, RotateDailyAndAreWipedAfterTwoDays) {
  ManualClock clock(from_unix_seconds(1'800'000'000));
  InsecureSeededRandom random(1);
  TicketKeys keys(clock, random);
  EXPECT_EQ(keys.size(), 0u);
  keys.rotate();
  EXPECT_EQ(keys.size(), 1u);
  const auto first = keys.state().keys.front().name;
  clock.advance(hours{24} - seconds{1});
  keys.rotate();
  EXPECT_EQ(keys.size(), 1u);
  clock.advance(seconds{1});
  keys.rotate();
  EXPECT_EQ(keys.size(), 2u);
  EXPECT_NE(keys.state().keys.front().name, first);
  EXPECT_EQ(keys.state().keys.back().name, first);
  clock.advance(hours{24});
  keys.rotate();
  EXPECT_EQ(keys.size(), 2u);
  EXPECT_NE(keys.state().keys.back().name, first);
  clock.advance(hours{24 * 30});
  keys.rotate();
  EXPECT_EQ(keys.size(), 1u);
}

TEST(TicketKeys, AClockSetBackByDaysStartsAnew) {
  ManualClock clock(from_unix_seconds(1'800'000'000));
  TicketKeys keys(clock, system_random());
  keys.rotate();
  const auto first = keys.state().keys.front().name;
  clock.advance(-hours{72});
  keys.rotate();
  EXPECT_EQ(keys.size(), 1u);
  EXPECT_NE(keys.state().keys.front().name, first);
}

class SavedTicketKeys : public ::testing::Test {
 protected:
  static std::string text(const TicketKeys& keys) { return std::string(keys.save().reveal()); }
  static bool takes(TicketKeys& keys, const std::string& saved) {
    return keys.merge(Secret::copy_of(saved));
  }
  ManualClock clock_{testing::present()};
  TicketKeys keys_{clock_, system_random()}, other_{clock_, system_random()};
};

TEST_F(SavedTicketKeys, ThatAreDamagedChangeNothing) {
  keys_.rotate();
  const std::string whole = text(keys_);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    if (size == std::string_view("moat ticket keys 1\n").size()) continue;  // none is a set, too
    EXPECT_FALSE(takes(other_, whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(takes(other_, whole + "x"));
  EXPECT_FALSE(takes(other_, "x" + whole));
  EXPECT_EQ(other_.size(), 0U);
  EXPECT_TRUE(takes(other_, whole));
  EXPECT_TRUE(takes(other_, whole));
  EXPECT_EQ(other_.size(), 1U);
}

TEST_F(SavedTicketKeys, EndWhenTheirTimeIsOverWhereverTheyAre) {
  keys_.rotate();
  const std::string old = text(keys_);
  clock_.advance(TicketKeys::key_life - std::chrono::seconds{1});
  EXPECT_TRUE(takes(other_, old));
  EXPECT_EQ(other_.size(), 2U) << "it opens, and another one seals";
  clock_.advance(std::chrono::seconds{1});
  TicketKeys third{clock_, system_random()};
  EXPECT_TRUE(takes(third, old));
  EXPECT_EQ(third.size(), 1U) << "a new one alone";
  EXPECT_EQ(text(third).find(old.substr(19, 16)), std::string::npos);
  other_.rotate();
  EXPECT_EQ(other_.size(), 1U);
}

TEST_F(SavedTicketKeys, OfAClockFarAheadAreNotTaken) {
  std::string odd = "moat ticket keys 1\n" + std::string(80, 'k');
  for (const std::string& made :
       {std::string(8, '\xff'), std::string("\x7f") + std::string(7, '\xff')}) {
    EXPECT_TRUE(takes(other_, odd + made));
    EXPECT_EQ(text(other_).find("kkkk"), std::string::npos);
  }
}

TEST_F(SavedTicketKeys, AreSixteenAtMostAndTheNewestStay) {
  for (int i = 0; i < 20; ++i) {
    TicketKeys more{clock_, system_random()};
    more.rotate();
    EXPECT_TRUE(takes(keys_, text(more)));
    clock_.advance(std::chrono::minutes{1});
  }
  EXPECT_EQ(keys_.size(), 16U);
  std::string many = text(keys_);
  EXPECT_FALSE(takes(other_, many + many.substr(19, 88))) << "17";
  EXPECT_TRUE(takes(other_, many));
  TicketKeys old{clock_, system_random()};
  clock_.advance(-hours{2});
  old.rotate();
  clock_.advance(hours{2});
  EXPECT_TRUE(takes(keys_, text(old)));
  EXPECT_EQ(text(keys_), many) << "older than all sixteen";
}

TEST_F(SavedTicketKeys, OneNodeMakesTheNextBeforeItIsDue) {
  keys_.rotate();
  clock_.advance(hours{23});
  keys_.rotate_early(std::chrono::minutes{59});
  EXPECT_EQ(keys_.size(), 1U);
  keys_.rotate_early(std::chrono::minutes{60});
  EXPECT_EQ(keys_.size(), 2U);
  other_.merge(keys_.save());
  clock_.advance(hours{1});
  other_.rotate();
  EXPECT_EQ(other_.size(), 2U);
}

}  // namespace
}  // namespace moat::https
