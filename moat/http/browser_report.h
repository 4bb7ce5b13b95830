// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"

namespace moat::http {

// What a browser reports of: the types of the Reporting API and of those who use it.
enum class ReportType {
  csp_violation,
  csp_hash,
  network_error,
  deprecation,
  intervention,
  crash,
  coep,
  coop,
  integrity_violation,
  permissions_policy_violation,
  document_policy_violation,
  other
};
std::string_view to_string(ReportType type);

// Whether the browser blocked what it reports, or only says so.
enum class Disposition { enforce, report, unknown };
std::string_view to_string(Disposition disposition);

// BrowserReport is one report, reduced to what helps to write a policy. Its texts are printable
// ASCII without spaces: other bytes are written as %XX, and what is longer than `longest_text` is
// cut and ends in "...". Queries, fragments, user names and samples of code are left out, since
// they may hold secrets. Anybody can send a report: nothing in it is known to be true.
struct BrowserReport {
  static constexpr std::size_t longest_text = 200;
  ReportType type = ReportType::other;
  // Of a policy's violation: a known directive, or "other"; else empty. A literal.
  std::string_view directive;
  Disposition disposition = Disposition::unknown;
  std::string origin;   // of the document: "https://example.com:8443", in lower case, or empty
  std::string path;     // of the document
  std::string blocked;  // an origin, or a word such as "inline"; of other types what it is about
  std::string source;   // origin and path of the script that did it
  std::int64_t line = 0;
  std::int64_t column = 0;
};

// Why a body is none that is taken; the answers are 415, 413 and 400.
enum class ReportRefusal {
  wrong_type,  // neither application/reports+json nor application/csp-report
  too_large,   // more than `most_report_bytes`
  malformed    // no strict JSON, no reports, or more than `most_reports`
};

// Each report repeats the whole policy, so that a page with many violations sends much.
inline constexpr std::size_t most_report_bytes = 256 * 1024;
inline constexpr std::size_t most_reports = 100;  // in one body

// Whether parse_reports reads bodies of that type, whatever its parameters.
[[nodiscard]] bool is_report_type(std::string_view content_type);

// parse_reports reads the body of a POST to a reporting endpoint: a list of the Reporting API
// (application/reports+json) or one report of a policy's report-uri (application/csp-report).
// Unknown members are passed over; one that is known and of the wrong kind refuses the whole. It
// costs no more than reading the JSON.
[[nodiscard]] Result<std::vector<BrowserReport>, ReportRefusal> parse_reports(
    std::string_view content_type, std::string_view body);

}  // namespace moat::http
