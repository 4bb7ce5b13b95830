// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/host.h"

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/idna.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

// What some resolver or browser would take for an IPv4 address: the last label is a number.
bool ends_in_number(std::string_view text) {
  const auto dot = text.rfind('.');
  const auto last = dot == std::string_view::npos ? text : text.substr(dot + 1);
  if (internal::all(last, internal::is_digit)) return true;
  return ascii_iequals(last.substr(0, 2), "0x") &&
         (last.size() == 2 || internal::all(last.substr(2), internal::is_hex_digit));
}

}  // namespace

std::string_view to_string(HostRefusal refusal) {
  switch (refusal) {
    case HostRefusal::empty:
      return "empty";
    case HostRefusal::malformed:
      return "malformed";
    case HostRefusal::no_dot:
      return "no_dot";
    case HostRefusal::bad_address:
      return "bad_address";
    case HostRefusal::mapped_address:
      return "mapped_address";
  }
  return "unknown";
}

Result<Host, HostRefusal> Host::parse(std::string_view text, const HostOptions& options) {
  if (text.empty()) return Error{HostRefusal::empty};
  if (options.allow_idn && internal::is_beyond_ascii(text)) {
    const auto name = internal::encode_u_labels(text);
    // Judged as any other from here on.
    return name ? parse(*name, options) : Error{HostRefusal::malformed};
  }
  const bool brackets = text.front() == '[';
  if (brackets) {
    if (text.back() != ']') return Error{HostRefusal::malformed};
    text = text.substr(1, text.size() - 2);
  }
  const bool colons = text.find(':') != std::string_view::npos;
  if (brackets && !colons) return Error{HostRefusal::bad_address};
  Host host;
  host.address_ = IpAddress::parse(text);
  if (host.address_) {
    if (colons && host.address_->is_v4()) return Error{HostRefusal::mapped_address};
    host.text_ = host.address_->to_string();
    return host;
  }
  if (colons) return Error{HostRefusal::bad_address};
  if (ends_in_number(text)) return Error{HostRefusal::bad_address};
  FqdnOptions dotless;
  dotless.allow_dotless = true;
  if (!is_fqdn(text, dotless)) return Error{HostRefusal::malformed};
  if (!options.allow_dotless && text.find('.') == std::string_view::npos)
    return Error{HostRefusal::no_dot};
  host.text_ = ascii_lower(text);
  return host;
}

std::string Host::for_url() const {
  const bool brackets = address_ && !address_->is_v4();
  return brackets ? "[" + text_ + "]" : text_;
}

}  // namespace moat::validate
