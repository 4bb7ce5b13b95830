// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/host.h"

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/idna.h"
#include "moat/validate/internal/web_host.h"
#include "moat/validate/strings.h"

namespace moat::validate {

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
  if (internal::ends_in_number(text)) return Error{HostRefusal::bad_address};
  FqdnOptions name;
  name.allow_dotless = options.allow_dotless || text.find('.') == std::string_view::npos;
  if (!is_fqdn(text, name)) return Error{HostRefusal::malformed};
  if (name.allow_dotless && !options.allow_dotless) return Error{HostRefusal::no_dot};
  host.text_ = ascii_lower(text);
  return host;
}

std::string Host::for_url() const {
  const bool brackets = address_ && !address_->is_v4();
  return brackets ? "[" + text_ + "]" : text_;
}

}  // namespace moat::validate
