// SPDX-License-Identifier: Apache-2.0
// The operations "validate" and "sanitize": validator.js's functions by its names and arguments,
// mapped to ours. Where our default is stricter than validator.js's, the looser option is set here.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "moat/base/encoding.h"
#include "moat/validate/encodings.h"
#include "moat/validate/identifiers.h"
#include "moat/validate/strings.h"
#include "tests/conform/conform.h"

namespace moat::conform {

std::span<const Operation> validate_operations();

namespace {

using namespace validate;

// Call is one call of the peer's function: its text and its further arguments.
class Call {
 public:
  Call(const std::string& text, const json::Array& args) : text_(text), args_(args) {}

  const std::string& text() const { return text_; }
  // An argument, or nullptr for none, null and undefined.
  const json::Value* at(std::size_t i) const {
    return i < args_.size() ? given(&args_[i]) : nullptr;
  }
  // A member of the first argument, which holds the options.
  const json::Value* option(std::string_view name) const {
    const json::Value* options = at(0);
    return options == nullptr ? nullptr : given(options->find(name));
  }
  bool flag(std::string_view name, bool otherwise) const {
    const json::Value* value = option(name);
    return value != nullptr && value->as_bool() != nullptr ? *value->as_bool() : otherwise;
  }
  std::string word(std::size_t i) const {
    const json::Value* value = at(i);
    return value != nullptr && value->as_string() != nullptr ? *value->as_string() : std::string();
  }
  // An integer from the options or from the arguments themselves ("{min, max}" and "min, max").
  std::optional<std::int64_t> integer(std::string_view name, std::size_t position) const {
    const json::Value* value = option(name);
    if (value == nullptr) value = at(position);
    if (value == nullptr || value->as_integer() == nullptr) return std::nullopt;
    return *value->as_integer();
  }
  std::size_t bound(std::string_view name, std::size_t position, std::size_t otherwise) const {
    const auto value = integer(name, position);
    return value ? static_cast<std::size_t>(*value) : otherwise;
  }
  // Whether the options hold nothing but what is named.
  bool knows_only(std::initializer_list<std::string_view> names) const {
    const json::Value* options = at(0);
    if (options == nullptr || options->as_object() == nullptr) return true;
    return std::all_of(options->as_object()->begin(), options->as_object()->end(),
                       [&](const json::Member& member) {
                         return std::find(names.begin(), names.end(), member.first) != names.end();
                       });
  }

 private:
  static const json::Value* given(const json::Value* value) {
    const bool absent =
        value == nullptr || value->is_null() || value->find("$undefined") != nullptr;
    return absent ? nullptr : value;
  }
  const std::string& text_;
  const json::Array& args_;
};

// What a function answers: a decision, or nothing where the peer throws or an option is not ours.
enum class Answer { no, yes, error, unsupported };
Answer from(bool ok) { return ok ? Answer::yes : Answer::no; }

struct Validator {
  std::string_view name;
  Answer (*run)(const Call& call);
};
struct Sanitizer {
  std::string_view name;
  json::Value (*run)(const Call& call);
};

std::string ascii_upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return text;
}

Answer base64(const Call& call) {
  Base64Options options;
  options.allow_empty = options.allow_non_canonical = true;
  const bool url_safe = call.flag("urlSafe", false);
  if (url_safe) options.alphabet = Base64Alphabet::url_safe;
  if (!call.flag("padding", !url_safe)) options.padding = Base64Padding::absent;
  return from(is_base64(call.text(), options));
}

Answer base32(const Call& call) {
  if (call.flag("crockford", false)) return from(is_base32_crockford(call.text()));
  Base32Options options;
  options.allow_non_canonical = true;
  return from(is_base32(call.text(), options));
}

Answer hexadecimal(const Call& call) {
  HexadecimalOptions options;
  options.allow_prefix = true;
  return from(is_hexadecimal(call.text(), options));
}

Answer hex_color(const Call& call) {
  HexColorOptions options;
  options.allow_missing_hash = !call.flag("require_hashtag", false);
  return from(is_hex_color(call.text(), options));
}

Answer hash(const Call& call) {
  struct Name {
    std::string_view name;
    HashName hash;
  };
  constexpr Name names[] = {{"crc32", HashName::crc32},
                            {"crc32b", HashName::crc32b},
                            {"md4", HashName::md4},
                            {"md5", HashName::md5},
                            {"ripemd128", HashName::ripemd128},
                            {"ripemd160", HashName::ripemd160},
                            {"sha1", HashName::sha1},
                            {"sha256", HashName::sha256},
                            {"sha384", HashName::sha384},
                            {"sha512", HashName::sha512},
                            {"tiger128", HashName::tiger128},
                            {"tiger160", HashName::tiger160},
                            {"tiger192", HashName::tiger192}};
  const std::string word = call.word(0);
  for (const Name& name : names)
    if (name.name == word) return from(is_hash(call.text(), name.hash));
  return Answer::no;
}

Answer length(const Call& call) {
  LengthOptions options;
  options.min = call.bound("min", 0, 0);
  options.max = call.bound("max", 1, options.max);
  options.ignore_variation_selectors = true;
  std::vector<std::size_t> discrete;
  const json::Value* lengths = call.option("discreteLengths");
  if (lengths != nullptr && lengths->as_array() != nullptr)
    for (const json::Value& value : *lengths->as_array())
      if (value.as_integer() != nullptr)
        discrete.push_back(static_cast<std::size_t>(*value.as_integer()));
  options.discrete = discrete;
  return from(is_length(call.text(), options));
}

Answer byte_length(const Call& call) {
  return from(is_byte_length(call.text(), call.bound("min", 0, 0),
                             call.bound("max", 1, std::numeric_limits<std::size_t>::max())));
}

Answer fqdn(const Call& call) {
  if (!call.knows_only({"require_tld", "allow_trailing_dot"})) return Answer::unsupported;
  FqdnOptions options;
  options.allow_dotless = !call.flag("require_tld", true);
  options.allow_trailing_dot = call.flag("allow_trailing_dot", false);
  return from(is_fqdn(call.text(), options));
}

Answer ip(const Call& call) {
  const json::Value* version = call.option("version");
  if (version == nullptr && call.at(0) != nullptr && call.at(0)->as_object() == nullptr)
    version = call.at(0);
  if (version == nullptr) return from(is_ip(call.text()));
  if (*version == json::Value(4) || *version == json::Value("4"))
    return from(is_ip(call.text(), IpVersion::v4));
  if (*version == json::Value(6) || *version == json::Value("6"))
    return from(is_ip(call.text(), IpVersion::v6));
  return Answer::no;
}

Answer alphanumeric(const Call& call) {
  if (!call.word(0).empty() && call.word(0) != "en-US") return Answer::unsupported;
  if (call.at(1) != nullptr) return Answer::unsupported;
  return from(is_alphanumeric(call.text()));
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

// The words of an option that is a list; views into the request.
std::vector<std::string_view> words(const json::Value* list) {
  std::vector<std::string_view> out;
  if (list != nullptr && list->as_array() != nullptr)
    for (const json::Value& value : *list->as_array())
      if (value.as_string() != nullptr) out.push_back(*value.as_string());
  return out;
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

constexpr Validator validators[] = {
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
    {"isAlphanumeric", alphanumeric},
    {"isAscii", [](const Call& c) { return from(is_ascii(c.text())); }},
    {"isBase32", base32},
    {"isBase58", [](const Call& c) { return from(is_base58(c.text())); }},
    {"isBase64", base64},
    {"isByteLength", byte_length},
    {"isDataURI", [](const Call& c) { return from(is_data_uri(c.text())); }},
    {"isFQDN", fqdn},
    {"isFullWidth", [](const Call& c) { return from(is_full_width(c.text())); }},
    {"isHalfWidth", [](const Call& c) { return from(is_half_width(c.text())); }},
    {"isHash", hash},
    {"isHexColor", hex_color},
    {"isHexadecimal", hexadecimal},
    {"isIP", ip},
    {"isJWT", [](const Call& c) { return from(is_jwt(c.text())); }},
    {"isLength", length},
    {"isMD5", [](const Call& c) { return from(is_md5(c.text())); }},
    {"isMagnetURI", [](const Call& c) { return from(is_magnet_uri(c.text())); }},
    {"isMimeType", [](const Call& c) { return from(is_mime_type(c.text())); }},
    {"isMultibyte", [](const Call& c) { return from(is_multibyte(c.text())); }},
    {"isSurrogatePair", [](const Call& c) { return from(is_surrogate_pair(c.text())); }},
    {"isVariableWidth", [](const Call& c) { return from(is_variable_width(c.text())); }},
};

constexpr Sanitizer sanitizers[] = {
    {"stripLow",
     [](const Call& c) {
       const bool keep = c.at(0) != nullptr && c.at(0)->as_bool() != nullptr && *c.at(0)->as_bool();
       return json::Value(strip_low(c.text(), keep ? NewLines::keep : NewLines::remove));
     }},
    {"toString", [](const Call& c) { return json::Value(c.text()); }},
};

template <class Function, std::size_t size>
const Function* find(const Function (&table)[size], std::string_view name) {
  const auto* found = std::find_if(std::begin(table), std::end(table),
                                   [name](const Function& f) { return f.name == name; });
  return found == std::end(table) ? nullptr : found;
}

const json::Array& arguments(const json::Value& request) {
  static const json::Array none;
  const json::Value* args = request.find("args");
  return args != nullptr && args->as_array() != nullptr ? *args->as_array() : none;
}

std::string function_name(const json::Value& request) {
  const json::Value* name = request.find("fn");
  return name != nullptr && name->as_string() != nullptr ? *name->as_string() : std::string();
}

json::Object validate_text(const json::Value& request) {
  const Validator* validator = find(validators, function_name(request));
  if (validator == nullptr) return {{"error", "unsupported"}};
  const json::Value* input = request.find("input");
  // The peer throws on what is no string, and our functions take nothing else.
  if (input == nullptr || input->as_string() == nullptr) return {{"error", "input is no string"}};
  switch (validator->run(Call(*input->as_string(), arguments(request)))) {
    case Answer::no:
      return {{"ok", false}};
    case Answer::yes:
      return {{"ok", true}};
    case Answer::error:
      return {{"error", "bad argument"}};
    case Answer::unsupported:
      break;
  }
  return {{"error", "unsupported"}};
}

json::Object sanitize_text(const json::Value& request) {
  const json::Value* input = request.find("input");
  if (input == nullptr || input->as_string() == nullptr) return {{"error", "input is no string"}};
  const Call call(*input->as_string(), arguments(request));
  if (const Sanitizer* sanitizer = find(sanitizers, function_name(request)))
    return {{"result", sanitizer->run(call)}};
  return {{"error", "unsupported"}};
}

constexpr std::array operations{Operation{"validate", &validate_text},
                                Operation{"sanitize", &sanitize_text}};

}  // namespace

std::span<const Operation> validate_operations() { return operations; }

}  // namespace moat::conform
