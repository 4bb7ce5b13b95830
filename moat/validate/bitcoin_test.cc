// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/bitcoin.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::validate {
namespace {

TEST(BtcAddress, HasItsChecksum) {
  constexpr const char* good[] = {
      "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
      "1111111111111111111114oLvT2", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
      "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"};
  for (const std::string text : good) {
    EXPECT_TRUE(is_btc_address(text)) << text;
    for (std::size_t i = 0; i < text.size(); ++i) {
      auto wrong = text;
      wrong[i] = wrong[i] == '2' ? '3' : '2';
      EXPECT_FALSE(is_btc_address(wrong, BitcoinNetwork::any)) << wrong;
    }
    EXPECT_FALSE(is_btc_address(text + "1", BitcoinNetwork::any));
    EXPECT_FALSE(is_btc_address("1" + text, BitcoinNetwork::any));
  }
}

TEST(BtcAddress, IsOfTheNetworkAsked) {
  for (const char* text :
       {"mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"}) {
    EXPECT_FALSE(is_btc_address(text)) << text;
    EXPECT_TRUE(is_btc_address(text, BitcoinNetwork::test)) << text;
    EXPECT_TRUE(is_btc_address(text, BitcoinNetwork::any)) << text;
  }
  EXPECT_FALSE(is_btc_address("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", BitcoinNetwork::test));
}

// BIP 173 and BIP 350 have them as invalid.
TEST(BtcAddress, IsNoWrongWitnessProgram) {
  for (const char* text :
       {"tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2",
        "bc1rw5uspcuf",
        "bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
        "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du",
        "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv",
        "bc1gmk9yu",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
        "bc1pw5dgrnzv",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
        "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
        "",
        "1",
        "bc1",
        "bc"})
    EXPECT_FALSE(is_btc_address(text, BitcoinNetwork::any)) << text;
}

// BIP 350 has them as valid.
TEST(BtcAddress, IsAWitnessProgramOfAnyVersion) {
  for (const char* text :
       {"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "bc1sw50qgdz25j", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"}) {
    // Version 1 has 32 bytes since BIP 341; the first is longer.
    const bool taproot = text[3] == 'p';
    EXPECT_EQ(is_btc_address(text), !taproot) << text;
  }
}

}  // namespace
}  // namespace moat::validate
