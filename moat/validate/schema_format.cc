// SPDX-License-Identifier: Apache-2.0
// The formats of JSON Schema 2020-12 (validation section 7.3).
#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "moat/base/encoding.h"
#include "moat/validate/dates.h"
#include "moat/validate/email.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/idna.h"
#include "moat/validate/internal/schema_program.h"
#include "moat/validate/internal/unicode.h"
#include "moat/validate/strings.h"

namespace moat::validate::schema {
namespace {

using internal::contains;
using internal::is_digit;
using internal::is_hex_digit;
using internal::is_letter;

bool take(std::string_view& text, std::string_view one_of) {
  if (text.empty() || !contains(one_of, text[0])) return false;
  text.remove_prefix(1);
  return true;
}
std::size_t take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (!text.empty() && is_digit(text[0])) text.remove_prefix(1), ++count;
  return count;
}

// RFC 3339 section 5.6.
bool is_full_date(std::string_view text) { return is_date(text, {.format = "YYYY-MM-DD"}); }
bool is_date_time(std::string_view text) { return is_rfc3339(text); }

// RFC 3339 appendix A.
bool is_duration(std::string_view text) {
  if (!take(text, "P") || text.empty()) return false;
  // Units stand in order and without a gap: P1Y2D is none.
  const auto part = [&text](std::string_view units) {
    std::size_t next = 0;
    bool any = false;
    while (!text.empty() && is_digit(text[0])) {
      take_digits(text);
      const std::size_t unit = text.empty() ? std::string_view::npos : units.find(text[0]);
      if (unit == std::string_view::npos || unit < next || (any && unit != next)) return false;
      next = unit + 1;
      any = true;
      text.remove_prefix(1);
    }
    return any;
  };
  std::string_view week = text;
  if (take_digits(week) > 0 && week == "W") return true;
  if (text[0] != 'T' && !part("YMD")) return false;
  if (text.empty()) return true;
  return take(text, "T") && part("HMS") && text.empty();
}

// Characters of RFC 3986 and whole percent-encodings.
bool are_uri_characters(std::string_view text, std::string_view marks) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3 || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2]))
        return false;
      i += 2;
    } else if (!is_letter(text[i]) && !is_digit(text[i]) && !contains(marks, text[i])) {
      return false;
    }
  }
  return true;
}
constexpr std::string_view path_marks = "-._~!$&'()*+,;=:@/";
constexpr std::string_view query_marks = "-._~!$&'()*+,;=:@/?";

bool is_authority(std::string_view text) {
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    if (!are_uri_characters(text.substr(0, at), "-._~!$&'()*+,;=:")) return false;
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (text.substr(0, 1) == "[") {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view host = text.substr(1, end - 1);
    const bool future = host.size() > 3 && (host[0] == 'v' || host[0] == 'V') &&
                        host.find('.') != std::string_view::npos &&
                        are_uri_characters(host.substr(1), "-._~!$&'()*+,;=:");
    if (!future && !is_ip(host, IpVersion::v6)) return false;
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') return false;
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    if (!are_uri_characters(text.substr(0, colon), "-._~!$&'()*+,;=")) return false;
    port = text.substr(colon);
  }
  return std::all_of(port.begin() + (port.empty() ? 0 : 1), port.end(), is_digit);
}

// RFC 3986 section 4.1.
bool is_uri_reference(std::string_view text) {
  const auto cut = [&text](char mark, std::string_view marks) {
    const std::size_t at = text.find(mark);
    if (at == std::string_view::npos) return true;
    const bool good = are_uri_characters(text.substr(at + 1), marks);
    text = text.substr(0, at);
    return good;
  };
  if (!cut('#', query_marks) || !cut('?', query_marks)) return false;
  const std::size_t colon = text.find_first_of(":/");
  if (colon != std::string_view::npos && text[colon] == ':') {
    const std::string_view scheme = text.substr(0, colon);
    const bool good = !scheme.empty() && is_letter(scheme[0]) &&
                      std::all_of(scheme.begin(), scheme.end(), [](char c) {
                        return is_letter(c) || is_digit(c) || contains("+-.", c);
                      });
    if (!good) return false;
    text.remove_prefix(colon + 1);
  }
  if (text.substr(0, 2) == "//") {
    const std::size_t end = std::min(text.find('/', 2), text.size());
    if (!is_authority(text.substr(2, end - 2))) return false;
    text.remove_prefix(end);
  }
  return are_uri_characters(text, path_marks);
}
bool has_scheme(std::string_view text) {
  const std::size_t colon = text.find_first_of(":/?#");
  return colon != std::string_view::npos && text[colon] == ':';
}
bool is_uri(std::string_view text) { return has_scheme(text) && is_uri_reference(text); }

struct Range {
  char32_t first, last;
};
// RFC 3987 section 2.2, ucschar up to the Basic Multilingual Plane's end; and section 4.1: no
// formatting characters that change the order of what is shown (with the isolates, U+2066 to
// U+2069, which are younger than the RFC).
constexpr Range ucschar[] = {{0x00a0, 0x200d}, {0x2010, 0x2029}, {0x202f, 0x2065},
                             {0x206a, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xffef}};
// In the further planes all but the two last code points of each and the tags; the two last planes
// are private.
bool is_ucschar(char32_t c) {
  if (c >= 0x10000) return c < 0xf0000 && (c & 0xffff) < 0xfffe && (c < 0xe0000 || c >= 0xe1000);
  return std::any_of(std::begin(ucschar), std::end(ucschar),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}
// Section 2.2, iprivate: in a query only.
bool is_private(char32_t c) {
  return (c >= 0xe000 && c <= 0xf8ff) || (c >= 0xf0000 && (c & 0xffff) < 0xfffe);
}

// RFC 3987 section 2.2: an IRI is a URI with ucschar where RFC 3986 has unreserved characters. So
// a "~" stands in for each, which no scheme, port or address has, and the rest must be a URI.
bool is_iri_reference(std::string_view text) {
  if (!internal::is_beyond_ascii(text)) return is_uri_reference(text);
  if (!is_valid_utf8(text)) return false;
  std::string uri;
  bool in_query = false, in_fragment = false;
  while (!text.empty()) {
    const char32_t c = internal::next_code_point(text);
    in_fragment |= c == '#';
    in_query = !in_fragment && (in_query || c == '?');
    if (c >= 0x80 && !is_ucschar(c) && !(in_query && is_private(c))) return false;
    uri += c < 0x80 ? static_cast<char>(c) : '~';
  }
  return is_uri_reference(uri);
}
bool is_iri(std::string_view text) { return has_scheme(text) && is_iri_reference(text); }

// RFC 6570, levels 1 to 4, with erratum 6937 (the apostrophe is a literal).
bool is_uri_template_expression(std::string_view text) {
  if (!text.empty() && contains("+#./;?&", text[0])) text.remove_prefix(1);
  for (;;) {
    std::string_view name = text.substr(0, text.find(','));
    const std::size_t whole = name.size();
    if (name.empty()) return false;
    if (name.back() == '*') {
      name.remove_suffix(1);
    } else if (const auto colon = name.find(':'); colon != std::string_view::npos) {
      const std::string_view length = name.substr(colon + 1);
      if (length.empty() || length.size() > 4 || length[0] == '0' ||
          !std::all_of(length.begin(), length.end(), is_digit))
        return false;
      name = name.substr(0, colon);
    }
    if (name.empty() || name.front() == '.' || name.back() == '.') return false;
    if (name.find("..") != std::string_view::npos || !are_uri_characters(name, "_.")) return false;
    if (whole == text.size()) return true;
    text.remove_prefix(whole + 1);
  }
}
bool is_uri_template(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos) return false;
      if (!is_uri_template_expression(text.substr(i + 1, end - i - 1))) return false;
      i = end;
    } else if (c == '%') {
      if (!are_uri_characters(text.substr(i, 3), "")) return false;
      i += 2;
    } else if (static_cast<unsigned char>(c) <= ' ' || c == 0x7f || contains("\"<>\\^`|}", c)) {
      return false;
    }
  }
  return true;
}

// RFC 6901 section 3.
bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')))
      return false;
  }
  return true;
}
bool is_relative_json_pointer(std::string_view text) {
  const bool zero = text.substr(0, 1) == "0";
  const std::size_t count = take_digits(text);
  if (count == 0 || (zero && count > 1)) return false;
  return text == "#" || is_json_pointer(text);
}

bool is_hostname(std::string_view text) { return is_fqdn(text, {.allow_dotless = true}); }
// RFC 5890 section 2.3.2.3. The suite of JSON Schema has the other three full stops between labels
// (RFC 3490 section 3.1), and no other letters that would have to be mapped.
bool is_idn_hostname(std::string_view text) {
  if (!internal::is_beyond_ascii(text)) return is_hostname(text);
  if (text.size() > 1024) return false;  // as domain_to_ascii has it
  std::string name(text);
  for (const std::string_view stop : {"\u3002", "\uff0e", "\uff61"})
    for (auto at = name.find(stop); at != std::string::npos; at = name.find(stop, at + 1))
      name.replace(at, stop.size(), ".");
  return is_fqdn(name, {.allow_dotless = true, .allow_idn = true});
}
bool is_ipv4(std::string_view text) { return is_ip(text, IpVersion::v4); }
bool is_ipv6(std::string_view text) { return is_ip(text, IpVersion::v6); }
bool is_address(std::string_view text) { return is_email(text, {.allow_dotless_domain = true}); }
bool is_idn_address(std::string_view text) {
  return is_email(
      text,
      {.allow_dotless_domain = true, .allow_utf8_local_part = true, .allow_idn_domain = true});
}
// RFC 4122 leaves the version open, so that the nil UUID and versions to come are UUIDs, too.
bool has_uuid_form(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? text[i] != '-' : !is_hex_digit(text[i])) return false;
  }
  return true;
}
bool is_regex(std::string_view text) { return translate_pattern(text).has_value(); }

}  // namespace

FormatCheck find_format(std::string_view name) {
  constexpr std::pair<std::string_view, FormatCheck> formats[] = {
      {"date-time", is_date_time},
      {"date", is_full_date},
      {"time", is_rfc3339_time},
      {"duration", is_duration},
      {"email", is_address},
      {"hostname", is_hostname},
      {"ipv4", is_ipv4},
      {"ipv6", is_ipv6},
      {"uri", is_uri},
      {"uri-reference", is_uri_reference},
      {"uri-template", is_uri_template},
      {"uuid", has_uuid_form},
      {"json-pointer", is_json_pointer},
      {"relative-json-pointer", is_relative_json_pointer},
      {"regex", is_regex},
      {"idn-email", is_idn_address},
      {"idn-hostname", is_idn_hostname},
      {"iri", is_iri},
      {"iri-reference", is_iri_reference},
  };
  for (const auto& [known, check] : formats) {
    if (known == name) return check;
  }
  return nullptr;
}

std::size_t format_steps(FormatCheck check, std::string_view text) {
  const bool idn = check == is_idn_hostname || check == is_idn_address;
  const bool names = idn || check == is_hostname || check == is_address;
  // Where a label is decoded or encoded, a byte costs up to 200 ns. What is longer is refused
  // unread.
  if (names && text.size() <= 1024 &&
      (text.find("--") != std::string_view::npos || (idn && internal::is_beyond_ascii(text))))
    return text.size() * 8;
  return text.size() / 16;
}

}  // namespace moat::validate::schema
