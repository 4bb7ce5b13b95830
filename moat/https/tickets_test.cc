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

}  // namespace
}  // namespace moat::https
