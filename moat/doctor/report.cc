// SPDX-License-Identifier: Apache-2.0
#include "moat/doctor/report.h"

#include <algorithm>
#include <array>

#include "moat/base/json.h"

namespace moat::doctor {
namespace {

constexpr std::size_t width = 98, indent = 11;

std::string_view heading(Area area) {
  switch (area) {
    case Area::dns:
      return "DNS";
    case Area::ports:
      return "Ports";
    case Area::certificate:
      return "Certificate";
    case Area::protocol:
      return "Protocol";
    case Area::http:
      return "HTTP";
  }
  return "";
}

std::string mark(Severity severity, Colour colour) {
  const char* text = "FAIL";
  const char* code = "\x1b[1;31m";
  if (severity == Severity::ok) text = "ok", code = "\x1b[32m";
  if (severity == Severity::note) text = "note", code = "\x1b[36m";
  if (severity == Severity::warning) text = "warning", code = "\x1b[33m";
  std::string padded(text);
  padded.resize(indent - 2, ' ');
  if (colour == Colour::off) return "  " + padded;
  return std::string("  ") + code + text + "\x1b[0m" + padded.substr(std::string_view(text).size());
}

// Evidence is printable already; whatever made it, nothing else reaches a terminal.
std::string printable(std::string text) {
  for (char& c : text)
    if (c < 0x20 || c > 0x7e) c = '?';
  return text;
}

// The words from column `indent` on, broken between them.
void append_wrapped(std::string& out, std::string_view text) {
  const std::string margin(indent, ' ');
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column == 0 || column + 1 + end > width - indent) {
      if (column != 0) out += "\n";
      out += margin;
      column = 0;
    } else {
      out += " ";
      ++column;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += "\n";
}

void append_finding(std::string& out, const Finding& finding, Colour colour) {
  out += mark(finding.severity, colour) + std::string(finding.title);
  const std::string evidence = printable(finding.evidence);
  const bool fits = indent + finding.title.size() + 2 + evidence.size() <= width;
  if (!evidence.empty() && fits) out += ": " + evidence;
  out += "\n";
  if (!evidence.empty() && !fits) append_wrapped(out, evidence);
  if (!finding.explanation.empty()) append_wrapped(out, finding.explanation);
  if (!finding.remedy.empty()) append_wrapped(out, "To do: " + std::string(finding.remedy));
}

std::string counted(std::size_t number, const char* what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

}  // namespace

std::string to_text(const Target& target, const std::vector<Finding>& findings, Colour colour) {
  std::string out = target.host + ", port " + std::to_string(target.port) + "\n";
  static constexpr std::array<Area, 5> areas = {Area::dns, Area::ports, Area::certificate,
                                                Area::protocol, Area::http};
  for (const Area area : areas) {
    bool first = true;
    for (const Finding& finding : findings) {
      if (finding.area != area) continue;
      if (first) out += "\n" + std::string(heading(area)) + "\n";
      first = false;
      append_finding(out, finding, colour);
    }
  }
  const Counts counts = count(findings);
  out += "\n" + std::to_string(counts.ok) + " ok, " + counted(counts.notes, "note") + ", " +
         counted(counts.warnings, "warning") + ", " + counted(counts.failures, "failure") + ": " +
         (counts.failures == 0 ? "practice 1 is kept.\n" : "practice 1 is not kept.\n");
  return out;
}

std::string to_json(const Target& target, const std::vector<Finding>& findings, bool reached,
                    Time now) {
  json::Array list;
  for (const Finding& finding : findings) {
    json::Object item;
    item.emplace_back("id", finding.id);
    item.emplace_back("severity", to_string(finding.severity));
    item.emplace_back("area", to_string(finding.area));
    item.emplace_back("title", finding.title);
    item.emplace_back("evidence", finding.evidence);
    item.emplace_back("explanation", finding.explanation);
    item.emplace_back("remedy", finding.remedy);
    list.emplace_back(std::move(item));
  }
  const Counts counts = count(findings);
  const auto number = [](std::size_t value) { return static_cast<std::int64_t>(value); };
  json::Object totals;
  totals.emplace_back("ok", number(counts.ok));
  totals.emplace_back("note", number(counts.notes));
  totals.emplace_back("warning", number(counts.warnings));
  totals.emplace_back("failure", number(counts.failures));
  json::Object out;
  out.emplace_back("version", 1);
  out.emplace_back("host", target.host);
  out.emplace_back("port", unsigned{target.port});
  out.emplace_back("time", format_rfc3339(now));
  out.emplace_back("reached", reached);
  out.emplace_back("counts", std::move(totals));
  out.emplace_back("findings", std::move(list));
  return json::serialize(out) + "\n";
}

}  // namespace moat::doctor
