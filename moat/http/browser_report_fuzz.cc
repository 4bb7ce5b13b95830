// SPDX-License-Identifier: Apache-2.0
#include "moat/http/browser_report.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "moat/http/csp.h"

namespace {

using namespace moat::http;

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_fit(const std::string& text) {
  return text.size() <= BrowserReport::longest_text &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

// Whatever a browser, or somebody who plays one, reports: what is kept of it is short, printable,
// and holds no query. The same bytes as a policy: what is taken is one line.
void fuzz(std::span<const std::uint8_t> data) {
  const std::string_view text(reinterpret_cast<const char*>(data.data()), data.size());
  if (text.size() > 8192) return;
  for (const std::string_view type : {"application/reports+json", "application/csp-report"}) {
    const auto reports = parse_reports(type, text);
    if (!reports) continue;
    require(reports->size() <= most_reports);
    for (const BrowserReport& report : *reports) {
      for (const std::string& one : {report.origin, report.path, report.blocked, report.source}) {
        require(is_fit(one));
        require(one.find_first_of("?#") == std::string::npos);
      }
      require(report.directive.empty() || report.directive == "other" ||
              !known_directive(report.directive).empty());
    }
  }
  const auto policy = ContentSecurityPolicy::parse(text);
  if (!policy) return;
  require(policy->text() == text && text.size() <= ContentSecurityPolicy::longest);
  require(text.find_first_of("\r\n,") == text.npos);
  require(ContentSecurityPolicy::parse(policy->text()).has_value());
  (void)policy->weaknesses();
}
