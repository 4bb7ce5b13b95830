// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/validate/internal/unicode.h"
#include "moat/validate/texts.h"

namespace moat::validate {
namespace {

// The providers' own domains, sorted. Google's and Apple's have two each.
constexpr std::string_view outlook_domains[] = {
    "hotmail.at",     "hotmail.be",     "hotmail.ca",     "hotmail.cl",     "hotmail.co.il",
    "hotmail.co.nz",  "hotmail.co.th",  "hotmail.co.uk",  "hotmail.com",    "hotmail.com.ar",
    "hotmail.com.au", "hotmail.com.br", "hotmail.com.gr", "hotmail.com.mx", "hotmail.com.pe",
    "hotmail.com.tr", "hotmail.com.vn", "hotmail.cz",     "hotmail.de",     "hotmail.dk",
    "hotmail.es",     "hotmail.fr",     "hotmail.hu",     "hotmail.id",     "hotmail.ie",
    "hotmail.in",     "hotmail.it",     "hotmail.jp",     "hotmail.kr",     "hotmail.lv",
    "hotmail.my",     "hotmail.ph",     "hotmail.pt",     "hotmail.sa",     "hotmail.sg",
    "hotmail.sk",     "live.be",        "live.ca",        "live.co.uk",     "live.com",
    "live.com.ar",    "live.com.mx",    "live.de",        "live.es",        "live.eu",
    "live.fr",        "live.it",        "live.nl",        "msn.com",        "outlook.at",
    "outlook.be",     "outlook.cl",     "outlook.co.il",  "outlook.co.nz",  "outlook.co.th",
    "outlook.com",    "outlook.com.ar", "outlook.com.au", "outlook.com.br", "outlook.com.gr",
    "outlook.com.pe", "outlook.com.tr", "outlook.com.vn", "outlook.cz",     "outlook.de",
    "outlook.dk",     "outlook.es",     "outlook.fr",     "outlook.hu",     "outlook.id",
    "outlook.ie",     "outlook.in",     "outlook.it",     "outlook.jp",     "outlook.kr",
    "outlook.lv",     "outlook.my",     "outlook.ph",     "outlook.pt",     "outlook.sa",
    "outlook.sg",     "outlook.sk",     "passport.com"};
constexpr std::string_view yahoo_domains[] = {"rocketmail.com", "yahoo.ca", "yahoo.co.uk",
                                              "yahoo.com",      "yahoo.de", "yahoo.fr",
                                              "yahoo.in",       "yahoo.it", "ymail.com"};
constexpr std::string_view yandex_domains[] = {
    "ya.ru",     "yandex.az", "yandex.by", "yandex.com", "yandex.com.tr", "yandex.ee",
    "yandex.fr", "yandex.kz", "yandex.lt", "yandex.lv",  "yandex.md",     "yandex.ru",
    "yandex.tj", "yandex.tm", "yandex.ua", "yandex.uz"};

template <std::size_t size>
bool has(const std::string_view (&domains)[size], std::string_view domain) {
  return std::binary_search(std::begin(domains), std::end(domains), domain);
}

bool is_visible(std::string_view text) {
  if (!is_valid_utf8(text)) return false;
  while (!text.empty()) {
    const char32_t c = internal::next_code_point(text);
    if (c == ' ' || internal::is_invisible(c) || internal::is_wide_space(c)) return false;
  }
  return true;
}

// Single dots; two and more in a row are no address of theirs and stay as they are.
std::string without_dots(std::string_view local) {
  std::string out;
  for (std::size_t i = 0; i < local.size(); ++i) {
    const bool beside = (i > 0 && local[i - 1] == '.') || local.substr(i + 1, 1) == ".";
    if (local[i] != '.' || beside) out += local[i];
  }
  return out;
}

struct Address {
  std::string local, domain;
};

void remove_subaddress(Address& address, char separator) {
  address.local.resize(std::min(address.local.find(separator), address.local.size()));
}

// Changes the address as its provider would; returns whether the local part's case is nothing to
// it.
bool normalize(Address& address, const NormalizeEmailOptions& options) {
  if (address.domain == "gmail.com" || address.domain == "googlemail.com") {
    if (options.gmail_remove_subaddress) remove_subaddress(address, '+');
    if (options.gmail_remove_dots) address.local = without_dots(address.local);
    if (options.gmail_convert_googlemaildotcom) address.domain = "gmail.com";
    return options.gmail_lowercase;
  }
  if (address.domain == "icloud.com" || address.domain == "me.com") {
    if (options.icloud_remove_subaddress) remove_subaddress(address, '+');
    return options.icloud_lowercase;
  }
  if (has(outlook_domains, address.domain)) {
    if (options.outlookdotcom_remove_subaddress) remove_subaddress(address, '+');
    return options.outlookdotcom_lowercase;
  }
  if (has(yahoo_domains, address.domain)) {
    if (options.yahoo_remove_subaddress) remove_subaddress(address, '-');
    return options.yahoo_lowercase;
  }
  if (has(yandex_domains, address.domain)) {
    if (options.yandex_convert_yandexru) address.domain = "yandex.ru";
    return options.yandex_lowercase;
  }
  return false;
}

}  // namespace

std::optional<std::string> normalize_email(std::string_view text,
                                           const NormalizeEmailOptions& options) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos ||
      !is_visible(text))
    return std::nullopt;
  Address address{std::string(text.substr(0, at)), ascii_lower(text.substr(at + 1))};
  const bool lower = normalize(address, options) || options.all_lowercase;
  if (address.local.empty() || address.domain.empty()) return std::nullopt;
  if (lower) address.local = ascii_lower(address.local);
  return address.local + '@' + address.domain;
}

}  // namespace moat::validate
