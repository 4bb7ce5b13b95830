// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace moat::validate {

// Validators answer whether the whole text has a form. All are linear in the text, independent of
// any locale, and false for the empty text unless they say otherwise.

enum class IpVersion { any, v4, v6 };
// No zone, port, brackets, octal or short forms.
[[nodiscard]] bool is_ip(std::string_view text, IpVersion version = IpVersion::any);

struct FqdnOptions {
  bool allow_dotless = false;       // "localhost"
  bool allow_trailing_dot = false;  // "example.com."
  bool allow_underscores = false;   // "_dmarc.example.com": a name in DNS, not of a host
  bool allow_numeric_tld = false;   // "1.2.3", "0x7f.1" (both read as addresses to some), "a.b2"
  bool allow_wildcard = false;      // "*.example.com"
};
// A domain name of RFC 1123 labels, at most 253 bytes. Its last label is of letters or begins with
// "xn--" (RFC 3696 section 2), a name of one label is no number.
[[nodiscard]] bool is_fqdn(std::string_view text, const FqdnOptions& options = {});

struct UrlOptions {
  bool allow_userinfo = false;      // https://user:password@host/
  bool allow_dotless_host = false;  // http://localhost/
  bool allow_ip_host = true;
  std::size_t max_bytes = 2084;
  // Schemes in lower case; empty: http and https.
  std::span<const std::string_view> schemes = {};
  bool allow_any_scheme = false;
  bool allow_missing_scheme = false;   // "example.com/"; then no ':' before an '@'
  bool allow_relative_scheme = false;  // "//example.com/"
  bool allow_empty_host = false;       // file:///etc/motd
  bool allow_underscores = false;      // as in FqdnOptions
  bool allow_trailing_dot = false;
  bool require_port = false;
  bool forbid_query = false;
  bool forbid_fragment = false;
  // Hosts that are right (empty: all), then those that are wrong; is_host_in says how they are
  // compared.
  std::span<const std::string_view> only_hosts = {};
  std::span<const std::string_view> except_hosts = {};
};
// An absolute URL, http or https unless told otherwise, spelled with "//", a valid host and port,
// and visible ASCII only: no backslash, white space or control, which browsers and libraries read
// differently.
[[nodiscard]] bool is_url(std::string_view text, const UrlOptions& options = {});
// Whether a host is one of those, without regard to case, a dot at its end and an address's
// spelling. An entry that begins
// with a dot stands for all below it, but not for itself.
[[nodiscard]] bool is_host_in(std::string_view host, std::span<const std::string_view> hosts);
// What may stand in a link: such a URL, or a relative reference that stays on the host ("/a",
// "a?b", "#c"; not "//host").
[[nodiscard]] bool is_safe_link(std::string_view text);

// 8-4-4-4-12 hexadecimal digits (RFC 9562), the variant and a version 1 to 8 (or the one given)
// checked.
[[nodiscard]] bool is_uuid(std::string_view text, std::optional<unsigned> version = std::nullopt);

// The integer that `text` spells: an optional '-', no leading zeros, no '+', no white space, within
// 64 bits.
[[nodiscard]] std::optional<std::int64_t> to_int(std::string_view text);
[[nodiscard]] bool is_int(std::string_view text,
                          std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                          std::int64_t max = std::numeric_limits<std::int64_t>::max());

// Code points of valid UTF-8, bounds inclusive; true for the empty text when min is 0.
[[nodiscard]] bool is_length(std::string_view text, std::size_t min, std::size_t max);

[[nodiscard]] bool is_alphanumeric(std::string_view text);  // ASCII letters and digits
[[nodiscard]] bool is_hex(std::string_view text);
// Canonical base64url without padding (RFC 4648 section 5).
[[nodiscard]] bool is_base64url(std::string_view text);
// One line of text to show: valid UTF-8 without controls, bidi overrides or invisible characters.
[[nodiscard]] bool is_plain_line(std::string_view text);

// Sanitizers change a text. They are for convenience: no security rests on them but escape_html's.

// Without white space at both ends (ASCII space, tab, CR, LF, VT, FF).
[[nodiscard]] std::string_view trim(std::string_view text);
enum class NewLines { remove, keep };
// Without bytes below 0x20 and 0x7F; `keep` leaves CR and LF.
[[nodiscard]] std::string strip_low(std::string_view text, NewLines new_lines = NewLines::remove);
// For HTML text and quoted attribute values: & < > " ' and the backtick as references, controls
// as U+FFFD.
[[nodiscard]] std::string escape_html(std::string_view text);

}  // namespace moat::validate
