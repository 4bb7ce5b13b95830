// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/mail.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

using internal::contains;
using internal::take_until;

constexpr std::size_t max_mailbox = 320;
constexpr std::size_t max_uri = 8192;
// RFC 5322 section 3.2.3: what stands in double quotes only.
constexpr std::string_view specials = "()<>[]:;@\\,\"";

// RFC 5322 section 3.2.4, without the quotes.
bool is_quoted_content(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return false;
    if (text[i] != '\\') continue;
    if (i + 1 == text.size() || !contains("\"\\", text[i + 1])) return false;
    ++i;
  }
  return !trim(text).empty();
}

bool is_display_name(std::string_view name) {
  if (name.empty() || !is_plain_line(name)) return false;
  if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
    return is_quoted_content(name.substr(1, name.size() - 2));
  return name.front() != ' ' && name.back() != ' ' && name.find("  ") == std::string_view::npos &&
         name.find_first_of(specials) == std::string_view::npos;
}

// A percent-encoded text in place; empty for one that is wrong or longer than an address.
class Decoded final {
 public:
  explicit Decoded(std::string_view text) {
    while (!text.empty()) {
      if (size_ == bytes_.size()) {
        size_ = 0;
        return;
      }
      bytes_[size_++] = internal::take_percent(text);
    }
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

 private:
  std::array<char, 254> bytes_{};
  std::size_t size_ = 0;
};

// RFC 3986's characters but "#", "%" before two hexadecimal digits only.
bool has_uri_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= 0x20 || c >= 0x7f || contains("\"<>\\^`{|}#", c)) return false;
    if (c == '%' && (i + 2 >= text.size() || !internal::is_hex_digit(text[i + 1]) ||
                     !internal::is_hex_digit(text[i + 2])))
      return false;
  }
  return true;
}

// Whether some percent-encoded byte is a control: a line break in a field begins the next one.
bool has_encoded_control(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 3)) {
    auto encoded = text.substr(at);
    const auto byte = static_cast<unsigned char>(internal::take_percent(encoded));
    if (byte < 0x20 || byte == 0x7f) return true;
  }
  return false;
}

bool are_addresses(std::string_view list, const EmailOptions& options) {
  bool more = true;
  while (more)
    if (!is_email(Decoded(take_until(list, ',', more)).text(), options)) return false;
  return true;
}

// One "name=value"; `seen` has a bit for each name.
bool is_mail_field(std::string_view field, unsigned& seen, const EmailOptions& options) {
  constexpr std::string_view names[] = {"subject", "body", "to", "cc", "bcc"};
  bool has_value = false;
  const auto name = take_until(field, '=', has_value);
  const auto* known = std::find_if(std::begin(names), std::end(names),
                                   [&](std::string_view n) { return ascii_iequals(n, name); });
  if (!has_value || known == std::end(names)) return false;
  const auto bit = 1u << (known - names);
  if ((seen & bit) != 0) return false;
  seen |= bit;
  if (*known == "body") return true;
  if (*known == "subject") return !has_encoded_control(field);
  return are_addresses(field, options);
}

bool is_provider_of_google(std::string_view domain) {
  return ascii_iequals(domain, "gmail.com") || ascii_iequals(domain, "googlemail.com");
}

}  // namespace

bool is_mailbox(std::string_view text, const MailboxOptions& options) {
  if (text.empty() || text.size() > max_mailbox) return false;
  if (text.back() != '>') return !options.require_name && is_email(text, options.email);
  const auto open = text.rfind('<');
  if (open == std::string_view::npos) return false;
  auto name = text.substr(0, open);
  if (!name.empty() && name.back() == ' ') name.remove_suffix(1);
  const auto address = text.substr(open + 1, text.size() - open - 2);
  return is_display_name(name) && is_email(address, options.email);
}

bool is_email_of_provider(std::string_view text, const EmailOptions& options) {
  if (!is_email(text, options)) return false;
  const auto at = text.find('@');
  if (!is_provider_of_google(text.substr(at + 1))) return true;
  // Google Account Help, "Create a username".
  const auto user = text.substr(0, std::min(text.find('+'), at));
  const auto dots = static_cast<std::size_t>(std::count(user.begin(), user.end(), '.'));
  const auto size = user.size() - dots;
  return size >= 6 && size <= 30 &&
         internal::all(user, [](char c) { return internal::is_alnum(c) || c == '.'; });
}

bool is_mailto_uri(std::string_view text, const EmailOptions& options) {
  constexpr std::string_view scheme = "mailto:";
  if (text.size() > max_uri || !internal::starts_with_ignoring_case(text, scheme)) return false;
  text.remove_prefix(scheme.size());
  if (!has_uri_characters(text)) return false;
  bool has_fields = false;
  const auto to = take_until(text, '?', has_fields);
  if (!to.empty() && !are_addresses(to, options)) return false;
  unsigned seen = 0;
  bool more = !text.empty();
  while (more)
    if (!is_mail_field(take_until(text, '&', more), seen, options)) return false;
  return true;
}

}  // namespace moat::validate
