// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace moat::doctor {

// note: worth knowing, or a matter of taste. warning: weaker than it should be. failure: the
// practice is not kept.
enum class Severity { ok, note, warning, failure };
std::string_view to_string(Severity severity);

enum class Area { dns, ports, certificate, protocol, http };
std::string_view to_string(Area area);  // "dns", as in JSON

// Finding is one thing that was looked at and what came of it. All but the evidence are literals.
struct Finding {
  Severity severity = Severity::ok;
  Area area = Area::dns;
  std::string_view id;  // stable: "certificate.expired"
  std::string_view title;
  std::string evidence;          // what was seen, printable ASCII; see `shown`
  std::string_view explanation;  // why it matters; empty for ok
  std::string_view remedy;       // what to do; empty for ok
};

// finding makes the finding of that id. Aborts for an id that the catalogue lacks: that is a bug.
[[nodiscard]] Finding finding(std::string_view id, std::string evidence);
// Every id there is, in the catalogue's order.
std::vector<std::string_view> finding_ids();

struct Counts {
  std::size_t ok = 0, notes = 0, warnings = 0, failures = 0;
};
[[nodiscard]] Counts count(const std::vector<Finding>& findings);

// shown makes a stranger's text fit for a terminal: what is not printable ASCII becomes \xNN, so
// neither control characters nor marks of writing direction get through, and what is beyond `most`
// bytes is cut off, with a word.
[[nodiscard]] std::string shown(std::string_view text, std::size_t most = 160);

}  // namespace moat::doctor
