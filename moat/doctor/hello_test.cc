// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/hello.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace moat::doctor {
namespace {

using Kind = ServerReply::Kind;

std::string number(std::size_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}
std::string counted(const std::string& text, int bytes) {
  return number(text.size(), bytes) + text;
}
std::string record(const std::string& content, unsigned type = 22) {
  return number(type, 1) + number(0x0303, 2) + counted(content, 2);
}
std::string extension(unsigned type, const std::string& content) {
  return number(type, 2) + counted(content, 2);
}

struct Hello {
  std::string random = std::string(32, 'r');
  std::string session = std::string(32, 's');
  std::string extensions{};
  unsigned version = tls12, suite = 0xc02b, compression = 0;

  std::string body() const {
    return number(version, 2) + random + counted(session, 1) + number(suite, 2) +
           number(compression, 1) + counted(extensions, 2);
  }
  std::string message() const { return number(2, 1) + counted(body(), 3); }
};

const std::string retry_random =
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"
    "\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";

TEST(ServerReply, TellsWhatTheServerChose) {
  Hello hello;
  hello.compression = 1;
  hello.extensions =
      extension(0xff01, std::string(1, '\0')) + extension(23, "") + extension(16, "anything");
  const ServerReply reply = parse_server_reply(record(hello.message()));
  EXPECT_EQ(reply.kind, Kind::hello);
  EXPECT_EQ(reply.version, tls12);
  EXPECT_EQ(reply.suite, 0xc02b);
  EXPECT_EQ(reply.compression, 1);
  EXPECT_TRUE(reply.secure_renegotiation);
  EXPECT_TRUE(reply.extended_master_secret);
  hello.extensions.clear();
  const ServerReply bare = parse_server_reply(record(hello.message()));
  EXPECT_EQ(bare.kind, Kind::hello);
  EXPECT_FALSE(bare.secure_renegotiation);
  EXPECT_FALSE(bare.extended_master_secret);
}

TEST(ServerReply, MayEndBehindTheCompressionAsBeforeExtensions) {
  const Hello hello;
  std::string body = hello.body();
  body.resize(body.size() - 2);
  EXPECT_EQ(parse_server_reply(record(number(2, 1) + counted(body, 3))).kind, Kind::hello);
}

TEST(ServerReply, OfTls13NamesVersionAndGroupInExtensions) {
  Hello hello;
  hello.suite = 0x1301;
  hello.extensions = extension(43, number(tls13, 2)) + extension(51, number(29, 2));
  hello.random = retry_random;
  const ServerReply retry = parse_server_reply(record(hello.message()));
  EXPECT_EQ(retry.kind, Kind::retry);
  EXPECT_EQ(retry.version, tls13);
  EXPECT_EQ(retry.group, 29);
  hello.random = std::string(32, 'r');
  EXPECT_EQ(parse_server_reply(record(hello.message())).kind, Kind::not_tls)
      << "a share without a key";
  hello.extensions =
      extension(43, number(tls13, 2)) + extension(51, number(29, 2) + counted("key", 2));
  const ServerReply reply = parse_server_reply(record(hello.message()));
  EXPECT_EQ(reply.kind, Kind::hello);
  EXPECT_EQ(reply.group, 29);
}

TEST(ServerReply, IsIncompleteUpToItsLastByte) {
  Hello hello;
  hello.extensions = extension(0xff01, std::string(1, '\0')) + extension(23, "");
  const std::string whole = record(hello.message());
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(parse_server_reply(whole.substr(0, size)).kind, Kind::incomplete) << size;
  EXPECT_EQ(parse_server_reply(whole).kind, Kind::hello);
  EXPECT_EQ(parse_server_reply(whole + "whatever comes behind").kind, Kind::hello);
}

// Each field shortened while all the lengths around it agree.
TEST(ServerReply, ABodyThatIsCutAnywhereIsNone) {
  Hello hello;
  hello.extensions =
      extension(43, number(tls13, 2)) + extension(51, number(29, 2) + counted("k", 2));
  const std::string body = hello.body();
  const std::size_t bare = 2 + 32 + 1 + 32 + 2 + 1;  // a hello without extensions is whole
  for (std::size_t size = 0; size < body.size(); ++size) {
    const auto reply = parse_server_reply(record(number(2, 1) + counted(body.substr(0, size), 3)));
    EXPECT_EQ(reply.kind, size == bare ? Kind::hello : Kind::not_tls) << size;
  }
  const auto longer = parse_server_reply(record(number(2, 1) + counted(body + "x", 3)));
  EXPECT_EQ(longer.kind, Kind::not_tls);
}

TEST(ServerReply, MayComeInAsManyRecordsAsThereAreBytes) {
  const std::string message = Hello().message();
  std::string bytes;
  for (std::size_t i = 0; i < message.size(); ++i) {
    EXPECT_EQ(parse_server_reply(bytes).kind, Kind::incomplete);
    bytes += record(message.substr(i, 1));
  }
  EXPECT_EQ(parse_server_reply(bytes).kind, Kind::hello);
}

TEST(ServerReply, MayShareItsRecordWithTheNextMessage) {
  const std::string certificate = number(11, 1) + counted("the certificates", 3);
  EXPECT_EQ(parse_server_reply(record(Hello().message() + certificate)).kind, Kind::hello);
}

TEST(ServerReply, AnAlertIsTwoBytes) {
  const ServerReply reply = parse_server_reply(record("\x02\x46", 21));
  EXPECT_EQ(reply.kind, Kind::alert);
  EXPECT_EQ(reply.alert, 70);  // protocol_version
  EXPECT_EQ(parse_server_reply(record("\x02", 21)).kind, Kind::not_tls);
  EXPECT_EQ(parse_server_reply(record("\x02\x46\x01", 21)).kind, Kind::not_tls);
  const std::string half = record(Hello().message().substr(0, 9));
  EXPECT_EQ(parse_server_reply(half + record("\x02\x46", 21)).kind, Kind::not_tls);
}

TEST(ServerReply, OtherProtocolsAreSeenAtTheFirstBytes) {
  for (const char* text : {"HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x", "220 mail", "\x80\x2e",
                           "\x14\x03\x03", "\x17\x03\x03", "\x16\x02"})
    EXPECT_EQ(parse_server_reply(text).kind, Kind::not_tls) << text;
  EXPECT_EQ(parse_server_reply("").kind, Kind::incomplete);
  EXPECT_EQ(parse_server_reply("\x16").kind, Kind::incomplete);
}

TEST(ServerReply, LengthsHaveBounds) {
  const auto header = [](std::size_t size) { return "\x16\x03\x03" + number(size, 2); };
  EXPECT_EQ(parse_server_reply(header(0)).kind, Kind::not_tls);
  EXPECT_EQ(parse_server_reply(header(16384)).kind, Kind::incomplete);
  EXPECT_EQ(parse_server_reply(header(16385)).kind, Kind::not_tls);
  EXPECT_EQ(parse_server_reply(header(65535)).kind, Kind::not_tls);
  EXPECT_EQ(parse_server_reply(record(number(2, 1) + number(16384, 3))).kind, Kind::incomplete);
  EXPECT_EQ(parse_server_reply(record(number(2, 1) + number(16385, 3))).kind, Kind::not_tls);
  EXPECT_EQ(parse_server_reply(record(number(2, 1) + number(0xffffff, 3))).kind, Kind::not_tls);
  EXPECT_EQ(parse_server_reply(record(number(1, 1) + number(4, 3))).kind, Kind::not_tls);
  Hello hello;
  hello.session.assign(33, 's');
  EXPECT_EQ(parse_server_reply(record(hello.message())).kind, Kind::not_tls);
}

TEST(ServerReply, ExtensionsAreReadStrictly) {
  const std::string bad[] = {
      extension(23, "") + extension(23, ""),          // twice
      extension(23, "x"),                             // not empty
      extension(43, "\x03"),                          // cut
      extension(43, std::string("\x03\x04\x00", 3)),  // and longer
      extension(0xff01, std::string("\x01x", 2)),     // bound to what never was
      extension(0xff01, ""),
      std::string("\x00\x17\x00", 3),  // no length
      number(23, 2) + number(1, 2),    // beyond the end
  };
  for (const std::string& extensions : bad) {
    Hello hello;
    hello.extensions = extensions;
    EXPECT_EQ(parse_server_reply(record(hello.message())).kind, Kind::not_tls);
  }
}

// ------------------------------------------------------------------------------------------------

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ClientHello, IsOneRecordWithItsLengths) {
  InsecureSeededRandom random(1);
  for (const std::uint16_t version : {ssl30, tls10, tls11, tls12, tls13}) {
    ClientHello hello;
    hello.version = version;
    hello.suites = known_suites();
    hello.groups = known_groups();
    hello.server_name = "example.com";
    const std::string bytes = encode_client_hello(hello, random);
    ASSERT_GT(bytes.size(), 60u);
    EXPECT_EQ(bytes[0], 22);
    EXPECT_EQ(bytes.substr(1, 2), number(version == ssl30 ? ssl30 : tls10, 2));
    EXPECT_EQ(bytes.substr(3, 2), number(bytes.size() - 5, 2));
    EXPECT_EQ(bytes.substr(5, 4), number(1, 1) + number(bytes.size() - 9, 3));
    EXPECT_EQ(bytes.substr(9, 2), number(std::min(version, tls12), 2));
    EXPECT_EQ(contains(bytes, "example.com"), version != ssl30) << "SSL 3.0 has no extensions";
  }
}

TEST(ClientHello, OffersCompressionOnlyWhenAskedAndNeverWithTls13) {
  InsecureSeededRandom random(1);
  ClientHello hello;
  hello.suites = {0xc02b};
  const std::string suites = counted(number(0xc02b, 2), 2);
  EXPECT_TRUE(contains(encode_client_hello(hello, random), suites + std::string("\x01\x00", 2)));
  hello.offer_compression = true;
  EXPECT_TRUE(
      contains(encode_client_hello(hello, random), suites + std::string("\x02\x01\x00", 3)));
  hello.version = tls13;
  EXPECT_TRUE(contains(encode_client_hello(hello, random), suites + std::string("\x01\x00", 2)));
}

TEST(ClientHello, OfTls13NamesNoShare) {
  InsecureSeededRandom random(1);
  ClientHello hello;
  hello.version = tls13;
  hello.suites = {0x1301};
  hello.groups = {29};
  const std::string bytes = encode_client_hello(hello, random);
  EXPECT_TRUE(contains(bytes, extension(43, counted(number(tls13, 2), 1))));
  EXPECT_TRUE(contains(bytes, extension(51, counted("", 2))));
  EXPECT_TRUE(contains(bytes, extension(10, counted(number(29, 2), 2))));
  hello.version = tls12;
  EXPECT_FALSE(contains(encode_client_hello(hello, random), extension(51, counted("", 2))));
}

TEST(Suites, AreKnownOnceAndByName) {
  const auto& all = known_suites();
  EXPECT_EQ(std::set<std::uint16_t>(all.begin(), all.end()).size(), all.size());
  EXPECT_LT(all.size(), 1000u);
  for (const std::uint16_t suite : all) EXPECT_EQ(suite_name(suite).substr(0, 4), "TLS_");
  EXPECT_EQ(suite_name(0xc02b), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  EXPECT_EQ(suite_name(0x1301), "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(suite_name(0xfe0a), "0xfe0a");
  EXPECT_EQ(group_name(x25519mlkem768), "X25519MLKEM768");
  EXPECT_EQ(group_name(0x6399), "0x6399");
}

// What a name says of a suite and what its kind says agree.
TEST(Suites, HaveTheKindOfTheirName) {
  for (const std::uint16_t suite : known_suites()) {
    const std::string name = suite_name(suite);
    const auto says = [&name](const char* part) { return name.find(part) != std::string::npos; };
    SuiteKind expected = SuiteKind::good;
    if (says("NULL") || says("anon") || says("EXPORT") || says("RC4") || says("DES")) {
      expected = SuiteKind::broken;
    } else if (name.rfind("TLS_RSA_", 0) == 0 || name.rfind("TLS_ECDH_", 0) == 0) {
      expected = SuiteKind::no_forward_secrecy;
    } else if (says("CBC")) {
      expected = SuiteKind::cbc;
    } else if (name.rfind("TLS_DHE_", 0) == 0) {
      expected = SuiteKind::finite_field;
    }
    EXPECT_EQ(suite_kind(suite), expected) << name;
  }
  EXPECT_EQ(suite_kind(0xfe0a), SuiteKind::broken);
}

}  // namespace
}  // namespace moat::doctor
