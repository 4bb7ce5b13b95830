// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/finding.h"

namespace moat::doctor {

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::failure:
      return "failure";
  }
  return "failure";
}

std::string_view to_string(Area area) {
  switch (area) {
    case Area::dns:
      return "dns";
    case Area::ports:
      return "ports";
    case Area::certificate:
      return "certificate";
    case Area::protocol:
      return "protocol";
    case Area::http:
      return "http";
  }
  return "http";
}

Counts count(const std::vector<Finding>& findings) {
  Counts out;
  for (const Finding& finding : findings) {
    switch (finding.severity) {
      case Severity::ok:
        ++out.ok;
        break;
      case Severity::note:
        ++out.notes;
        break;
      case Severity::warning:
        ++out.warnings;
        break;
      case Severity::failure:
        ++out.failures;
        break;
    }
  }
  return out;
}

std::string shown(std::string_view text, std::size_t most) {
  constexpr char digits[] = "0123456789abcdef";
  const bool cut = text.size() > most;
  std::string out;
  for (const char c : text.substr(0, most)) {
    const auto byte = static_cast<unsigned char>(c);
    // A backslash too, or "\x1b" in the text would look like an escaped one.
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      out += c;
    } else {
      out += "\\x";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  if (cut) out += "... (cut)";
  return out;
}

}  // namespace moat::doctor
