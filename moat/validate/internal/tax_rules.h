// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/validate/internal/national_numbers.h"

// What tax numbers check beyond their layout, which the caller has looked at: each takes a text of
// the lengths and characters that tax_ids.cc gives for its locale.

namespace moat::validate::internal {

inline bool is_any_tax_id(std::string_view) { return true; }
bool is_argentine(std::string_view text);
bool is_austrian(std::string_view text);
bool is_belgian(std::string_view text);
bool is_brazilian(std::string_view text);
bool is_british(std::string_view text);
bool is_bulgarian(std::string_view text);
bool is_canadian(std::string_view text);
bool is_cypriot(std::string_view text);
bool is_czech(std::string_view text);
bool is_danish(std::string_view text);
bool is_dutch(std::string_view text);
bool is_estonian(std::string_view text);
bool is_french(std::string_view text);
bool is_german(std::string_view text);
bool is_greek(std::string_view text);
bool is_hungarian(std::string_view text);
bool is_irish(std::string_view text);
bool is_italian_tax_id(std::string_view text);
bool is_latvian(std::string_view text);
bool is_lithuanian(std::string_view text);
bool is_luxembourgish(std::string_view text);
bool is_polish_tax_id(std::string_view text);
bool is_portuguese(std::string_view text);
bool is_romanian(std::string_view text);
bool is_slovak(std::string_view text);
bool is_slovene(std::string_view text);
bool is_spanish_tax_id(std::string_view text);
bool is_swedish(std::string_view text);
bool is_ukrainian(std::string_view text);

}  // namespace moat::validate::internal
