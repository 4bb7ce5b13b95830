// SPDX-License-Identifier: Apache-2.0
#include "moat/http/browser_report.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/http/csp.h"
#include "moat/http/internal/chars.h"

namespace moat::http {
namespace {

constexpr std::array<std::pair<std::string_view, ReportType>, 12> types = {{
    {"csp-violation", ReportType::csp_violation},
    {"csp-hash", ReportType::csp_hash},
    {"network-error", ReportType::network_error},
    {"deprecation", ReportType::deprecation},
    {"intervention", ReportType::intervention},
    {"crash", ReportType::crash},
    {"coep", ReportType::coep},
    {"coop", ReportType::coop},
    {"integrity-violation", ReportType::integrity_violation},
    {"permissions-policy-violation", ReportType::permissions_policy_violation},
    {"document-policy-violation", ReportType::document_policy_violation},
    {"other", ReportType::other},
}};

// Reports are shallow: list, report, body, and for headers in some a list more.
constexpr json::Limits limits{8, 4000, 16 * 1024, most_report_bytes};

constexpr std::string_view reports_json = "application/reports+json";
constexpr std::string_view csp_report = "application/csp-report";

std::string_view media_type(std::string_view content_type) {
  return internal::trim_blanks(content_type.substr(0, content_type.find(';')));
}

// What may be shown on a terminal and in a log.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f) {
      out.push_back(c);
    } else {
      constexpr std::string_view digits = "0123456789ABCDEF";
      out.push_back('%');
      out.push_back(digits[byte >> 4]);
      out.push_back(digits[byte & 15]);
    }
    if (out.size() <= BrowserReport::longest_text) continue;
    out.resize(BrowserReport::longest_text - 3);
    return out + "...";
  }
  return out;
}

struct Parts {
  std::string origin;  // empty: no "scheme://authority"
  std::string path;
};

bool is_scheme(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return internal::is_alnum(static_cast<unsigned char>(c)) || c == '+' || c == '-' || c == '.';
  });
}

// An address without what may be secret in it.
Parts parts_of(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t colon = url.find("://");
  if (colon == url.npos || !is_scheme(url.substr(0, colon))) return {};
  const std::size_t slash = std::min(url.find_first_of("/\\", colon + 3), url.size());
  std::string_view authority = url.substr(colon + 3, slash - colon - 3);
  const std::size_t at = authority.rfind('@');
  if (at != authority.npos) authority.remove_prefix(at + 1);
  std::string origin(url.substr(0, colon + 3));
  origin.append(authority);
  return {shown(ascii_lower(origin)), shown(url.substr(slash))};
}

// An origin; "data" of "data:text/html,…"; a word such as "inline". Else it is text of nobody's.
std::string blocked_of(std::string_view text) {
  if (text.empty()) return {};
  Parts parts = parts_of(text);
  if (!parts.origin.empty()) return std::move(parts.origin);
  constexpr std::size_t longest_word = 64;
  const std::string_view word = text.substr(0, text.find(':'));
  return is_scheme(word) && word.size() <= longest_word ? ascii_lower(word) : "other";
}

std::string source_of(std::string_view text) {
  const Parts parts = parts_of(text);
  return parts.origin.empty() ? blocked_of(text) : shown(parts.origin + parts.path);
}

// Members of one object. One of the wrong kind makes the whole malformed.
class Members final {
 public:
  explicit Members(const json::Value& object) : object_(object) {}

  // Where it is not there, or null: empty.
  std::string_view text(std::string_view name) {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->is_null()) return {};
    const std::string* text = value->as_string();
    if (text == nullptr) good_ = false;
    return text == nullptr ? std::string_view() : std::string_view(*text);
  }
  std::string_view first_text(std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
      const std::string_view found = text(name);
      if (!found.empty()) return found;
    }
    return {};
  }
  std::int64_t number(std::string_view name) {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->is_null()) return 0;
    const std::int64_t* number = value->as_integer();
    if (number == nullptr || *number < 0) good_ = false;
    return number == nullptr ? 0 : *number;
  }
  bool good() const { return good_; }

 private:
  const json::Value& object_;
  bool good_ = true;
};

void set_document(std::string_view url, BrowserReport& report) {
  Parts parts = parts_of(url);
  report.origin = std::move(parts.origin);
  report.path = std::move(parts.path);
}

// CSP Level 2 has no effective-directive: the first word of the directive as it was written.
std::string_view directive_of(std::string_view text) {
  const std::string_view known = known_directive(text.substr(0, text.find(' ')));
  return known.empty() ? std::string_view("other") : known;
}

Disposition disposition_of(std::string_view text) {
  if (text == "enforce") return Disposition::enforce;
  return text == "report" || text == "reporting" ? Disposition::report : Disposition::unknown;
}

// CSP Level 3 section 5.3, the report of report-uri.
std::optional<BrowserReport> read_csp_report(const json::Value& value) {
  const json::Value* inner = value.find("csp-report");
  if (inner == nullptr || inner->as_object() == nullptr) return std::nullopt;
  Members members(*inner);
  BrowserReport report;
  report.type = ReportType::csp_violation;
  set_document(members.text("document-uri"), report);
  report.directive =
      directive_of(members.first_text({"effective-directive", "violated-directive"}));
  report.disposition = disposition_of(members.text("disposition"));
  report.blocked = blocked_of(members.text("blocked-uri"));
  report.source = source_of(members.text("source-file"));
  report.line = members.number("line-number");
  report.column = members.number("column-number");
  if (!members.good()) return std::nullopt;
  return report;
}

// Reporting API section 3.1, with the bodies of those who use it.
std::optional<BrowserReport> read_report(const json::Value& value) {
  const json::Value* type = value.find("type");
  if (type == nullptr || type->as_string() == nullptr) return std::nullopt;
  Members outer(value);
  BrowserReport report;
  const auto known = std::find_if(types.begin(), types.end(),
                                  [&](const auto& one) { return one.first == *type->as_string(); });
  report.type = known == types.end() ? ReportType::other : known->second;
  set_document(outer.text("url"), report);
  if (!outer.good()) return std::nullopt;
  const json::Value* body = value.find("body");
  if (body == nullptr || body->is_null()) return report;
  if (body->as_object() == nullptr) return std::nullopt;
  Members members(*body);
  if (report.type == ReportType::csp_violation)
    report.directive = directive_of(members.text("effectiveDirective"));
  report.disposition = disposition_of(members.text("disposition"));
  report.blocked =
      blocked_of(members.first_text({"blockedURL", "id", "policyId", "reason", "type"}));
  report.source = source_of(members.text("sourceFile"));
  report.line = members.number("lineNumber");
  report.column = members.number("columnNumber");
  if (!members.good()) return std::nullopt;
  return report;
}

}  // namespace

std::string_view to_string(ReportType type) {
  for (const auto& [name, value] : types)
    if (value == type) return name;
  return "other";
}

std::string_view to_string(Disposition disposition) {
  switch (disposition) {
    case Disposition::enforce:
      return "enforce";
    case Disposition::report:
      return "report";
    case Disposition::unknown:
      break;
  }
  return "unknown";
}

bool is_report_type(std::string_view content_type) {
  const std::string_view type = media_type(content_type);
  return ascii_iequals(type, reports_json) || ascii_iequals(type, csp_report);
}

Result<std::vector<BrowserReport>, ReportRefusal> parse_reports(std::string_view content_type,
                                                                std::string_view body) {
  if (!is_report_type(content_type)) return Error{ReportRefusal::wrong_type};
  if (body.size() > most_report_bytes) return Error{ReportRefusal::too_large};
  const auto value = json::parse(body, limits);
  if (!value) return Error{ReportRefusal::malformed};
  std::vector<BrowserReport> out;
  if (ascii_iequals(media_type(content_type), csp_report)) {
    auto report = read_csp_report(*value);
    if (!report) return Error{ReportRefusal::malformed};
    out.push_back(std::move(*report));
    return out;
  }
  const json::Array* list = value->as_array();
  if (list == nullptr || list->size() > most_reports) return Error{ReportRefusal::malformed};
  for (const json::Value& one : *list) {
    auto report = read_report(one);
    if (!report) return Error{ReportRefusal::malformed};
    out.push_back(std::move(*report));
  }
  return out;
}

}  // namespace moat::http
