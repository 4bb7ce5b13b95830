// SPDX-License-Identifier: Apache-2.0
#include "moat/base/encoding.h"
#include "moat/validate/bitcoin.h"
#include "moat/validate/identifiers.h"
#include "moat/validate/locales.h"
#include "tests/conform/validate_call.h"

namespace moat::conform {
namespace {

using namespace validate;

std::string ascii_upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return text;
}

Answer uuid(const Call& call) {
  struct Name {
    std::string_view name;
    UuidForm form;
  };
  constexpr Name names[] = {
      {"1", UuidForm::v1},    {"2", UuidForm::v2},    {"3", UuidForm::v3},
      {"4", UuidForm::v4},    {"5", UuidForm::v5},    {"6", UuidForm::v6},
      {"7", UuidForm::v7},    {"8", UuidForm::v8},    {"nil", UuidForm::nil},
      {"max", UuidForm::max}, {"all", UuidForm::any}, {"loose", UuidForm::loose}};
  const json::Value* version = call.at(0);
  if (version == nullptr) return from(is_uuid(call.text(), UuidForm::any));
  const std::string word =
      version->as_integer() != nullptr ? std::to_string(*version->as_integer()) : call.word(0);
  for (const Name& name : names)
    if (name.name == word) return from(is_uuid(call.text(), name.form));
  return Answer::no;
}

Answer credit_card(const Call& call) {
  struct Name {
    std::string_view name;
    CardProvider provider;
  };
  constexpr Name names[] = {{"amex", CardProvider::amex},
                            {"dinersclub", CardProvider::diners_club},
                            {"discover", CardProvider::discover},
                            {"jcb", CardProvider::jcb},
                            {"mastercard", CardProvider::mastercard},
                            {"unionpay", CardProvider::union_pay},
                            {"visa", CardProvider::visa}};
  constexpr auto separators = Separators::allow_spaces_and_hyphens;
  const json::Value* provider = call.option("provider");
  if (provider == nullptr) return from(is_credit_card(call.text(), std::nullopt, separators));
  if (provider->as_string() == nullptr) return Answer::error;
  for (const Name& name : names)
    if (ascii_iequals(name.name, *provider->as_string()))
      return from(is_credit_card(call.text(), name.provider, separators));
  return Answer::error;
}

Answer iban(const Call& call) {
  const auto only = words(call.option("whitelist"));
  const auto except = words(call.option("blacklist"));
  IbanOptions options;
  options.only = only;
  options.except = except;
  options.allow_separators = options.allow_lower_case = true;
  return from(is_iban(call.text(), options));
}

Answer isbn(const Call& call) {
  constexpr auto separators = Separators::allow_spaces_and_hyphens;
  const json::Value* version = call.option("version");
  if (version == nullptr && call.at(0) != nullptr && call.at(0)->as_object() == nullptr)
    version = call.at(0);
  if (version == nullptr) return from(is_isbn(call.text(), IsbnVersion::any, separators));
  if (*version == json::Value(10) || *version == json::Value("10"))
    return from(is_isbn(call.text(), IsbnVersion::isbn10, separators));
  if (*version == json::Value(13) || *version == json::Value("13"))
    return from(is_isbn(call.text(), IsbnVersion::isbn13, separators));
  return Answer::no;
}

Answer issn(const Call& call) {
  IssnOptions options;
  options.allow_missing_hyphen = !call.flag("require_hyphen", false);
  options.allow_lower_case = !call.flag("case_sensitive", false);
  return from(is_issn(call.text(), options));
}

// The peer's userAssignedCodes: a list beside the standard's, its codes of the right size only.
bool is_user_assigned(const Call& call, std::size_t size) {
  const auto codes = words(call.option("userAssignedCodes"));
  return call.text().size() == size &&
         std::any_of(codes.begin(), codes.end(),
                     [&](std::string_view code) { return ascii_iequals(code, call.text()); });
}

Answer locale(const Call& call) {
  LocaleOptions options;
  options.allow_underscores = true;
  return from(is_locale(call.text(), options));
}

constexpr Validator table[] = {
    {"isBtcAddress",
     [](const Call& c) { return from(is_btc_address(c.text(), BitcoinNetwork::any)); }},
    {"isLocale", locale},
    {"isAbaRouting", [](const Call& c) { return from(is_aba_routing(c.text())); }},
    {"isBIC", [](const Call& c) { return from(is_bic(ascii_upper(c.text()))); }},
    {"isCreditCard", credit_card},
    {"isEAN", [](const Call& c) { return from(is_ean(c.text())); }},
    {"isEthereumAddress", [](const Call& c) { return from(is_ethereum_address(c.text())); }},
    {"isFreightContainerID", [](const Call& c) { return from(is_iso6346(c.text())); }},
    {"isIBAN", iban},
    {"isIMEI",
     [](const Call& c) {
       return from(is_imei(
           c.text(), c.flag("allow_hyphens", false) ? ImeiHyphens::required : ImeiHyphens::none));
     }},
    {"isISBN", isbn},
    {"isISIN", [](const Call& c) { return from(is_isin(c.text())); }},
    {"isISO15924", [](const Call& c) { return from(is_iso15924(c.text())); }},
    {"isISO31661Alpha2",
     [](const Call& c) {
       return from(is_iso31661_alpha2(c.text(), Case::ignore) || is_user_assigned(c, 2));
     }},
    {"isISO31661Alpha3",
     [](const Call& c) {
       return from(is_iso31661_alpha3(c.text(), Case::ignore) || is_user_assigned(c, 3));
     }},
    {"isISO31661Numeric", [](const Call& c) { return from(is_iso31661_numeric(c.text())); }},
    {"isISO4217", [](const Call& c) { return from(is_iso4217(c.text(), Case::ignore)); }},
    {"isISO6346", [](const Call& c) { return from(is_iso6346(c.text())); }},
    {"isISO6391", [](const Call& c) { return from(is_iso6391(c.text())); }},
    {"isISRC", [](const Call& c) { return from(is_isrc(ascii_upper(c.text()))); }},
    {"isISSN", issn},
    {"isLuhnNumber", [](const Call& c) { return from(is_luhn_number(c.text())); }},
    {"isMongoId", [](const Call& c) { return from(is_mongo_id(c.text())); }},
    {"isSemVer", [](const Call& c) { return from(is_semver(c.text())); }},
    {"isSlug", [](const Call& c) { return from(is_slug(c.text())); }},
    {"isULID", [](const Call& c) { return from(is_ulid(c.text())); }},
    {"isUUID", uuid},
};

}  // namespace

std::span<const Validator> identifier_validators() { return table; }

}  // namespace moat::conform
