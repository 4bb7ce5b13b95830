// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/client.h"

#include "moat/fetch/internal/testing.h"

namespace moat::fetch {
namespace {

using testing::authority;
using testing::Server;

Client client(std::size_t max_bytes = 1000) {
  ClientOptions options;
  options.roots = authority().root.certificate;
  options.timeout = std::chrono::seconds{20};
  options.max_bytes = max_bytes;
  return Client::create(std::move(options)).value();
}

Request post(std::string url) {
  Request request;
  request.method = Request::Method::post;
  request.url = std::move(url);
  request.body = "{\"a\":1}";
  request.content_type = "application/jose+json";
  return request;
}

TEST(FetchClient, SendsABodyAndGivesEveryAnswer) {
  Server server(Server::Kind::tls,
                "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nReplay-Nonce: n\r\nContent-Length: "
                "2\r\n\r\n{}");
  const auto reply = client().send(post(server.url()));
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->status, 429);
  EXPECT_EQ(reply->field("retry-after"), "7");
  EXPECT_EQ(reply->field("replay-nonce"), "n");
  EXPECT_EQ(reply->field("location"), "");
  EXPECT_EQ(reply->body, "{}");
  const std::string request = server.request();
  EXPECT_EQ(request.substr(0, 26), "POST /jwks.json?a=b HTTP/1");
  EXPECT_NE(request.find("Content-Type: application/jose+json\r\n"), request.npos);
  EXPECT_NE(request.find("Content-Length: 7\r\n"), request.npos);
}

TEST(FetchClient, AHeadHasNoBody) {
  Server server(Server::Kind::tls,
                "HTTP/1.1 200 OK\r\nReplay-Nonce: n\r\nContent-Length: 99\r\n\r\n");
  Request request;
  request.method = Request::Method::head;
  request.url = server.url();
  const auto reply = client().send(request);
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->field("replay-nonce"), "n");
  EXPECT_TRUE(reply->body.empty());
}

TEST(FetchClient, DoesNotFollowRedirects) {
  Server server(Server::Kind::tls,
                "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n");
  const auto reply = client().send(post(server.url()));
  ASSERT_TRUE(reply) << reply.error();
  EXPECT_EQ(reply->status, 302);
}

TEST(FetchClient, WhatIsCancelledEndsLongBeforeItsTime) {
  Server server(Server::Kind::tls, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nand then nothing");
  const Client waiting = client();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    waiting.cancel();
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_FALSE(waiting.send(post(server.url())));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds{15});  // of twenty
  other.join();
  EXPECT_FALSE(waiting.send(post(server.url())));
}

TEST(FetchClient, AnAnswerThatIsTooLargeIsNone) {
  Server server(Server::Kind::tls, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890");
  EXPECT_FALSE(client(10).send(post(server.url())));
}

TEST(FetchClient, AStrangersCertificateIsRefused) {
  const auto other = https::LocalCa::create({"other.test"})->make(system_clock().now()).value();
  ClientOptions options;
  options.roots = other.root.certificate;
  const auto stranger = Client::create(std::move(options));
  ASSERT_TRUE(stranger);
  Server server(Server::Kind::tls, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_FALSE(stranger->send(post(server.url())));
}

TEST(FetchClient, AsksNothingInTheClearOrOfOddPlaces) {
  for (const char* url : {"http://127.0.0.1/", "https://169.254.169.254/", "ftp://a.test/", ""})
    EXPECT_FALSE(client().send(post(url))) << url;
  Request split = post("https://127.0.0.1/");
  split.content_type = "a\r\nX: y";
  EXPECT_FALSE(client().send(split));
}

TEST(FetchClient, RootsOfNoUseAreSaidAtOnce) {
  ClientOptions options;
  options.roots = "no certificate";
  EXPECT_FALSE(Client::create(std::move(options)));
}

}  // namespace
}  // namespace moat::fetch
