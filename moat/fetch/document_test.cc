// SPDX-License-Identifier: Apache-2.0
#include "moat/fetch/document.h"

#include "moat/fetch/internal/testing.h"

namespace moat::fetch {
namespace {

using testing::authority;
using testing::Server;
using Kind = Server::Kind;
using End = Server::End;

Options options_for(const std::string& url) {
  Options options;
  options.url = url;
  options.roots = authority().root.certificate;
  options.insecure_http_to_loopback = true;
  options.timeout = std::chrono::seconds(20);  // only a test that waits for it has a short one
  return options;
}
Result<std::string, std::string> get(const Options& options) {
  return Document::create(options).value().get();
}
Result<std::string, std::string> answer(const std::string& text, End end = End::never) {
  const Server server(Kind::plain, text, end);
  return get(options_for(server.url()));
}
std::string error_of(const Result<std::string, std::string>& result) {
  EXPECT_FALSE(result);
  return result ? "" : result.error();
}
bool says(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

constexpr const char* ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

TEST(Document, IsFetchedOverTlsFromAServerThatIsWhoItShouldBe) {
  Server server(Kind::tls, ok);
  EXPECT_EQ(get(options_for(server.url())).value(), "hi");
  const std::string request = server.request();
  EXPECT_EQ(request.rfind("GET /jwks.json?a=b HTTP/1.1\r\nHost: 127.0.0.1:", 0), 0u) << request;
  EXPECT_TRUE(says(request, "\r\nConnection: close\r\n"));
}

TEST(Document, ANameIsVerifiedAsWellAsAnAddress) {
  const Server server(Kind::tls, ok);
  EXPECT_EQ(get(options_for(server.url("localhost"))).value(), "hi");
}

TEST(Document, ACertificateOfAnUnknownAuthorityIsRefused) {
  const Server server(Kind::tls, ok);
  Options options = options_for(server.url());
  options.roots.clear();  // the system's
  EXPECT_EQ(error_of(get(options)), "certificate is from an unknown authority");
}

TEST(Document, ACertificateForAnotherNameIsRefused) {
  const Server server(Kind::tls, ok);
  EXPECT_EQ(error_of(get(options_for(server.url("keys.localhost")))),
            "certificate is for another name");
}

TEST(Document, AServerWithoutTlsIsRefused) {
  const Server server(Kind::plain, ok);
  Options options = options_for(server.url());
  options.url.replace(0, 4, "https");
  EXPECT_EQ(error_of(get(options)), "does not speak TLS");
}

TEST(Document, NoAnswerIsTakenInPlainTextUnlessThatIsAllowedAndOnThisMachine) {
  Options options = options_for("http://127.0.0.1:1/");
  EXPECT_TRUE(Document::create(options));
  options.insecure_http_to_loopback = false;
  EXPECT_FALSE(Document::create(options));
  options.insecure_http_to_loopback = true;
  options.url = "http://issuer.example/";
  EXPECT_FALSE(Document::create(options));
}

TEST(Document, AddressesOfCredentialsAndBadRootsAreRefusedAtOnce) {
  EXPECT_FALSE(Document::create(options_for("https://169.254.169.254/latest")));
  EXPECT_FALSE(Document::create(options_for("https://[fe80::1]/")));
  Options options = options_for("https://issuer.example/");
  EXPECT_TRUE(Document::create(options));
  options.roots = "no certificate";
  EXPECT_FALSE(Document::create(options));
}

TEST(Document, RedirectsAreNotFollowed) {
  for (const char* status : {"301", "302", "303", "307", "308", "304"}) {
    const std::string head = "HTTP/1.1 " + std::string(status) +
                             " Go\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n";
    EXPECT_TRUE(says(error_of(answer(head)), "redirects are not followed")) << status;
  }
}

TEST(Document, OnlyA200Counts) {
  EXPECT_EQ(error_of(answer("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nhi")),
            "the answer is 404");
  EXPECT_EQ(error_of(answer("HTTP/1.1 206 Part\r\nContent-Length: 2\r\n\r\nhi")),
            "the answer is 206");
  EXPECT_EQ(answer("HTTP/1.1 103 Hints\r\n\r\n" + std::string(ok)).value(), "hi");
}

TEST(Document, AnswersThatAreNoHttpAreRefused) {
  EXPECT_TRUE(says(error_of(answer("SSH-2.0-x\r\n\r\n")), "no HTTP"));
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n"
                                   "\r\nhi")),
                   "no HTTP"));
  std::string hints;
  for (int i = 0; i < 20; ++i) hints += "HTTP/1.1 103 Hints\r\n\r\n";
  EXPECT_TRUE(says(error_of(answer(hints)), "without end"));
}

TEST(Document, ACompressedBodyIsRefused) {
  EXPECT_TRUE(says(
      error_of(answer("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi")),
      "compressed"));
}

std::string with_length(std::size_t size) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
         std::string(size, 'x');
}

TEST(Document, TheSizeIsBoundedInclusivelyHoweverItIsSent) {
  EXPECT_EQ(answer(with_length(65536))->size(), 65536u);
  EXPECT_TRUE(says(error_of(answer(with_length(65537))), "more than 65536"));
  // Said to be too large, it is not waited for.
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n")),
                   "more than 65536"));
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(answer(chunked + "1\r\nh\r\n1;x=y\r\ni\r\n0\r\n\r\n").value(), "hi");
  EXPECT_EQ(answer(chunked + "10000\r\n" + std::string(65536, 'x') + "\r\n0\r\n\r\n")->size(),
            65536u);
  EXPECT_TRUE(says(error_of(answer(chunked + "10000\r\n" + std::string(65536, 'x') + "\r\n1\r\nx")),
                   "more than 65536"));
  EXPECT_TRUE(says(error_of(answer(chunked + "zz\r\n")), "chunks"));
  const std::string open = "HTTP/1.1 200 OK\r\n\r\n";
  EXPECT_TRUE(
      says(error_of(answer(open + std::string(65537, 'x'), End::politely)), "more than 65536"));
}

TEST(Document, WhatWasCutOffIsRefused) {
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi", End::cut)),
                   "did not come to its end"));
  EXPECT_TRUE(says(error_of(answer("HTTP/1.1 200", End::cut)), "no answer"));
  const char* const open = "HTTP/1.1 200 OK\r\n\r\n{\"keys\":[]}";
  {
    const Server server(Kind::tls, open, End::politely);
    EXPECT_EQ(get(options_for(server.url())).value(), "{\"keys\":[]}");
  }
  // RFC 8446 section 6.1: the end of a connection without close_notify is nobody's word.
  const Server server(Kind::tls, open, End::cut);
  EXPECT_TRUE(says(error_of(get(options_for(server.url()))), "did not come to its end"));
}

TEST(Document, AServerThatSaysNothingIsLeft) {
  for (const Kind kind : {Kind::plain, Kind::tls}) {
    const Server server(kind, "");
    Options options = options_for(server.url());
    options.timeout = std::chrono::milliseconds(50);
    EXPECT_FALSE(get(options));
  }
}

TEST(Document, ANobodyIsUnreachable) {
  std::string url;
  {
    const Server server(Kind::plain, ok, End::cut);
    url = server.url();
    EXPECT_TRUE(get(options_for(url)));
  }
  EXPECT_EQ(error_of(get(options_for(url))), "the server cannot be reached");
}

}  // namespace
}  // namespace moat::fetch
