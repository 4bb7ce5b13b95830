// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/email.h"

#include <algorithm>
#include <array>
#include <optional>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/idna.h"
#include "moat/validate/internal/unicode.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

constexpr std::size_t max_total = 254;  // RFC 5321 section 4.5.3.1.3, less the angle brackets
constexpr std::size_t max_local = 64;   // RFC 5321 section 4.5.3.1.1

// RFC 5322 section 3.2.3's atext, without the backtick, which a shell would run.
constexpr std::array<bool, 256> atext = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < 128; ++c) out[c] = internal::is_alnum(static_cast<char>(c));
  for (const char c : std::string_view("!#$%&'*+-/=?^_{|}~"))
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();
bool is_atext(char c) { return atext[static_cast<unsigned char>(c)]; }

// What of ASCII no address may have anywhere, so that it can be put into a header, a command or a
// page.
constexpr std::array<bool, 256> forbidden = [] {
  std::array<bool, 256> out{};
  for (std::size_t c = 0; c < 0x20; ++c) out[c] = true;
  out[0x7f] = true;
  for (const char c : std::string_view(" \"`\\<>()[],:;"))
    out[static_cast<unsigned char>(c)] = true;
  return out;
}();

bool has_forbidden(std::string_view text) {
  bool ascii = true;
  for (const char c : text) {
    if (forbidden[static_cast<unsigned char>(c)]) return true;
    ascii = ascii && (c & 0x80) == 0;
  }
  if (ascii) return false;
  if (!is_valid_utf8(text)) return true;
  while (!text.empty()) {
    const char32_t c = internal::next_code_point(text);
    if (internal::is_invisible(c) || internal::is_wide_space(c)) return true;
  }
  return false;
}

bool is_local_part(std::string_view local, const EmailOptions& options) {
  // A leading hyphen would be an option to a mail program.
  if (local.empty() || local.front() == '.' || local.back() == '.' || local.front() == '-')
    return false;
  if (local.find("..") != std::string_view::npos) return false;
  return std::all_of(local.begin(), local.end(), [&](char c) {
    return c == '.' || is_atext(c) || ((c & 0x80) != 0 && options.allow_utf8_local_part);
  });
}

// Why an address is refused; allocates nothing.
std::optional<EmailRefusal> refuse(std::string_view text, const EmailOptions& options) {
  if (text.empty()) return EmailRefusal::empty;
  if (text.size() > max_total) return EmailRefusal::too_long;
  if (has_forbidden(text)) return EmailRefusal::forbidden_character;
  const auto at = text.find('@');
  if (at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos)
    return EmailRefusal::malformed;
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  if (local.size() > max_local) return EmailRefusal::too_long;
  if (!is_local_part(local, options)) return EmailRefusal::malformed;
  if (local.find_first_of(options.forbid_characters) != std::string_view::npos)
    return EmailRefusal::forbidden_character;
  FqdnOptions name;
  name.allow_dotless = domain.find('.') == std::string_view::npos;
  if (!is_fqdn(domain, name)) return EmailRefusal::bad_domain;
  if (name.allow_dotless && !options.allow_dotless_domain) return EmailRefusal::no_dot;
  if ((!options.only_domains.empty() && !is_host_in(domain, options.only_domains)) ||
      is_host_in(domain, options.except_domains))
    return EmailRefusal::forbidden_domain;
  return std::nullopt;
}

bool has_idn_domain(std::string_view text, const EmailOptions& options) {
  return options.allow_idn_domain && text.size() <= max_total &&
         internal::is_beyond_ascii(text.substr(std::min(text.rfind('@'), text.size())));
}

// The address with its domain in A-labels, which is judged as any other then.
std::optional<std::string> with_a_labels(std::string_view text) {
  const auto domain = text.rfind('@') + 1;
  const auto name = internal::encode_u_labels(text.substr(domain));
  if (!name) return std::nullopt;
  return std::string(text.substr(0, domain)) + *name;
}

}  // namespace

std::string_view to_string(EmailRefusal refusal) {
  switch (refusal) {
    case EmailRefusal::empty:
      return "empty";
    case EmailRefusal::too_long:
      return "too_long";
    case EmailRefusal::forbidden_character:
      return "forbidden_character";
    case EmailRefusal::malformed:
      return "malformed";
    case EmailRefusal::bad_domain:
      return "bad_domain";
    case EmailRefusal::no_dot:
      return "no_dot";
    case EmailRefusal::forbidden_domain:
      return "forbidden_domain";
  }
  return "unknown";
}

Result<Email, EmailRefusal> Email::parse(std::string_view text, const EmailOptions& options) {
  if (has_idn_domain(text, options)) {
    const auto address = with_a_labels(text);
    return address ? parse(*address, options) : Error{EmailRefusal::bad_domain};
  }
  if (const auto refusal = refuse(text, options)) return Error{*refusal};
  const auto at = text.find('@');
  Email email;
  email.canonical_ = std::string(text.substr(0, at + 1)) + ascii_lower(text.substr(at + 1));
  email.lookup_key_ = ascii_lower(text);
  email.at_ = at;
  return email;
}

bool is_email(std::string_view text, const EmailOptions& options) {
  if (has_idn_domain(text, options)) {
    const auto address = with_a_labels(text);
    return address && !refuse(*address, options);
  }
  return !refuse(text, options);
}

}  // namespace moat::validate
