// SPDX-License-Identifier: Apache-2.0
// isMobilePhone, where the room that has it was built.
#include "tests/conform/validate_call.h"
#ifdef MOAT_HAS_PHONE
#include "moat/phone/phone.h"
#endif

namespace moat::conform {

#ifdef MOAT_HAS_PHONE

namespace {

Answer mobile_phone(const Call& call) {
  const json::Value* strict = call.at(1) == nullptr ? nullptr : call.at(1)->find("strictMode");
  phone::MobilePhoneOptions options;
  options.allow_missing_plus = strict == nullptr || *strict != json::Value(true);
  options.allow_separators = true;
  const json::Value* places = call.at(0);
  if (places == nullptr || *places == json::Value("any"))
    return from(phone::is_mobile_phone(call.text(), options));
  auto names = words(places);
  if (places->as_array() == nullptr) {
    if (!phone::is_phone_place(call.word(0))) return Answer::error;
    names.push_back(*places->as_string());
  }
  return from(phone::is_mobile_phone(call.text(), names, options));
}

constexpr Validator table[] = {{"isMobilePhone", mobile_phone}};

}  // namespace

std::span<const Validator> phone_validators() { return table; }

#else

std::span<const Validator> phone_validators() { return {}; }

#endif

}  // namespace moat::conform
