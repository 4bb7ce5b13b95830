// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace moat::validate {

enum class BitcoinNetwork { main, test, any };
// An address of Bitcoin with its checksum right: base58check of a key or script hash (20 bytes), or
// bech32 and bech32m of a witness program (BIP 173 and 350), in lower case. Money that is sent to
// an address with a typing error is lost.
[[nodiscard]] bool is_btc_address(std::string_view text,
                                  BitcoinNetwork network = BitcoinNetwork::main);

}  // namespace moat::validate
