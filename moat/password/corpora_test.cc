// SPDX-License-Identifier: Apache-2.0
// Runs other projects' vectors (Openwall, OpenBSD, node.bcrypt.js, Botan, the Argon2 reference)
// from the folder that MOAT_CORPORA names.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/password/hasher.h"
#include "moat/password/phc.h"

namespace moat::password {
namespace {

std::vector<json::Value> read_cases(const std::string& file) {
  std::vector<json::Value> cases;
  const char* folder = std::getenv("MOAT_CORPORA");
  if (folder == nullptr) return cases;
  std::ifstream in(std::string(folder) + "/passhash/" + file);
  for (std::string line; std::getline(in, line);) {
    auto value = json::parse(line);
    if (value) cases.push_back(std::move(*value));
  }
  return cases;
}

std::string text(const json::Value& row, std::string_view name) {
  const auto* member = row.find(name);
  return member != nullptr && member->as_string() != nullptr ? *member->as_string() : "";
}
std::string bytes(const json::Value& row, std::string_view name) {
  return hex_decode(text(row, name)).value_or("");
}
std::uint32_t number(const json::Value& row, std::string_view name) {
  const auto* member = row.find(name);
  return member != nullptr && member->as_integer() != nullptr
             ? static_cast<std::uint32_t>(*member->as_integer())
             : 0;
}
Argon2Type type_of(const json::Value& row) {
  const auto name = text(row, "type");
  return name == "argon2d" ? Argon2Type::d : name == "argon2i" ? Argon2Type::i : Argon2Type::id;
}
bool expected(const json::Value& row) {
  const auto* member = row.find("verify");
  return member != nullptr && member->as_bool() != nullptr && *member->as_bool();
}

TEST(PasswordCorpora, Argon2TagsAreThoseOfThePeers) {
  const auto cases = read_cases("argon2.jsonl");
  if (cases.empty()) GTEST_SKIP() << "passhash/argon2.jsonl is not there (MOAT_CORPORA)";
  int run = 0;
  for (const auto& row : cases) {
    const auto expected_tag = bytes(row, "hex");
    // The reference's big cases only take time; those of 64 MiB are among the strings below.
    if (expected_tag.empty() || number(row, "m_kib") >= 65536) continue;
    const auto password =
        row.find("password") != nullptr ? text(row, "password") : bytes(row, "password_hex");
    const auto salt = row.find("salt") != nullptr ? text(row, "salt") : bytes(row, "salt_hex");
    // Botan's cases for the lengths of tags (password "pass") name neither secret nor associated
    // data; the conversion has carried both over from the section before.
    const bool of_lengths = password == "pass";
    const auto secret = of_lengths ? "" : bytes(row, "secret_hex");
    const auto data = of_lengths ? "" : bytes(row, "ad_hex");
    const auto tag =
        argon2({type_of(row), number(row, "version"), number(row, "m_kib"), number(row, "t"),
                number(row, "p"), password, salt, secret, data, expected_tag.size()});
    ASSERT_TRUE(tag) << json::serialize(row);
    EXPECT_EQ(hex_encode(*tag), text(row, "hex")) << json::serialize(row);
    ++run;
  }
  EXPECT_GT(run, 300);
}

TEST(PasswordCorpora, Argon2StringsVerifyAsThePeersSay) {
  const auto cases = read_cases("argon2.jsonl");
  if (cases.empty()) GTEST_SKIP() << "passhash/argon2.jsonl is not there (MOAT_CORPORA)";
  auto hasher = Hasher::standard(system_random());
  int run = 0;
  for (const auto& row : cases) {
    const auto encoded = text(row, "encoded");
    if (encoded.empty() || number(row, "m_kib") >= 262144) continue;
    ++run;
    const auto match = hasher.verify(encoded, text(row, "password"));
    EXPECT_EQ(match && match->matches, expected(row)) << json::serialize(row);
    if (match && match->matches) {
      if (number(row, "m_kib") >= 65536) continue;
      EXPECT_FALSE(hasher.verify(encoded, text(row, "password") + "x")->matches);
      EXPECT_TRUE(match->needs_rehash) << "none of them is today's form";
    }
  }
  EXPECT_GT(run, 20);
}

TEST(PasswordCorpora, BcryptHashesVerifyAsThePeersSay) {
  const auto cases = read_cases("bcrypt.jsonl");
  if (cases.empty()) GTEST_SKIP() << "passhash/bcrypt.jsonl is not there (MOAT_CORPORA)";
  auto hasher = Hasher::standard(system_random());
  int refused = 0;
  for (const auto& row : cases) {
    const auto password = bytes(row, "password_hex");
    const auto match = hasher.verify(text(row, "hash"), password);
    // The peers cut passwords at 72 bytes; here such a password is refused and never matches.
    if (password.size() > 72 || password.find('\0') != std::string::npos) {
      EXPECT_FALSE(match) << json::serialize(row);
      ++refused;
      continue;
    }
    ASSERT_TRUE(match) << json::serialize(row);
    EXPECT_EQ(match->matches, expected(row)) << json::serialize(row);
    if (password.size() < 72) {
      EXPECT_FALSE(hasher.verify(text(row, "hash"), password + "x")->matches);
    }
  }
  EXPECT_LT(refused, 15);
}

}  // namespace
}  // namespace moat::password
