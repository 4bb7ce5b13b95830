// SPDX-License-Identifier: Apache-2.0
#include "moat/http/csp.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"

namespace moat::http {
namespace {

// CSP Level 3 section 6, Trusted Types, Upgrade Insecure Requests, and Fenced Frame. Those whose
// values are lists of sources stand first.
constexpr std::array<std::string_view, 19> source_directives = {
    "default-src",    "script-src",     "script-src-elem", "script-src-attr", "style-src",
    "style-src-elem", "style-src-attr", "img-src",         "font-src",        "connect-src",
    "media-src",      "object-src",     "frame-src",       "child-src",       "worker-src",
    "manifest-src",   "base-uri",       "form-action",     "frame-ancestors"};
constexpr std::array<std::string_view, 7> other_directives = {"fenced-frame-src",
                                                              "sandbox",
                                                              "upgrade-insecure-requests",
                                                              "require-trusted-types-for",
                                                              "trusted-types",
                                                              "report-to",
                                                              "report-uri"};

constexpr std::array<std::string_view, 11> keywords = {"'self'",
                                                       "'none'",
                                                       "'unsafe-inline'",
                                                       "'unsafe-eval'",
                                                       "'unsafe-hashes'",
                                                       "'strict-dynamic'",
                                                       "'report-sample'",
                                                       "'wasm-unsafe-eval'",
                                                       "'inline-speculation-rules'",
                                                       "'script'",
                                                       "'allow-duplicates'"};

template <std::size_t N>
std::string_view find_name(const std::array<std::string_view, N>& names, std::string_view name) {
  for (const std::string_view one : names)
    if (ascii_iequals(one, name)) return one;
  return {};
}

bool is_hash(std::string_view value) {
  for (const std::string_view start : {"'sha256-", "'sha384-", "'sha512-"}) {
    if (value.size() > start.size() + 1 && ascii_iequals(value.substr(0, start.size()), start))
      return true;
  }
  return false;
}

// Words by one or more spaces; `text` has no other white space.
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string shown(std::string_view text) {
  constexpr std::size_t most = 60;
  return "'" + std::string(text.substr(0, most)) + (text.size() > most ? "..." : "") + "'";
}

// What is wrong with one value of a directive; empty: nothing.
std::string value_problem(std::string_view name, std::string_view value) {
  const std::string in = " in " + std::string(name);
  if (value.front() == '\'' || value.back() == '\'') {
    if (ascii_iequals(value.substr(0, 7), "'nonce-"))
      return std::string(value) + in + ": a nonce must be new with each answer, and this is fixed";
    const bool known =
        !find_name(keywords, value).empty() || (is_hash(value) && value.back() == '\'');
    return known ? "" : std::string(value) + in + " is no keyword of a policy";
  }
  const std::string quoted = "'" + std::string(value) + "'";
  // A host of that name is what a browser would read.
  if (!find_name(keywords, quoted).empty() || is_hash(quoted))
    return std::string(value) + in + " is written with quotes: " + quoted;
  return "";
}

std::string values_problem(std::string_view name, const std::vector<std::string>& values) {
  const bool is_list = !find_name(source_directives, name).empty() || name == "fenced-frame-src";
  if (!is_list) return "";
  if (values.empty()) return std::string(name) + " has no value; 'none' allows nothing";
  for (const std::string& value : values) {
    const std::string problem = value_problem(name, value);
    if (!problem.empty()) return problem;
    if (ascii_iequals(value, "'none'") && values.size() > 1)
      return "'none' in " + std::string(name) + " stands alone";
  }
  return "";
}

bool has(const std::vector<std::string>& values, std::string_view word) {
  return std::any_of(values.begin(), values.end(),
                     [&](const std::string& value) { return ascii_iequals(value, word); });
}

// Sources as wide as the web.
bool is_anywhere(std::string_view value) {
  for (const std::string_view one : {"*", "http:", "https:", "http://*", "https://*", "data:"})
    if (ascii_iequals(one, value)) return true;
  return false;
}

}  // namespace

std::string_view known_directive(std::string_view name) {
  const std::string_view found = find_name(source_directives, name);
  return found.empty() ? find_name(other_directives, name) : found;
}

const ContentSecurityPolicy::Directive* ContentSecurityPolicy::find(std::string_view name) const {
  for (const Directive& one : directives_)
    if (one.name == name) return &one;
  return nullptr;
}

Result<ContentSecurityPolicy, std::string> ContentSecurityPolicy::parse(std::string_view text) {
  if (text.size() > longest)
    return Error{"a policy has at most " + std::to_string(longest) + " bytes"};
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!printable) return Error{std::string("a policy is one line of printable ASCII")};
  // A comma ends a policy and begins another (RFC 9110 section 5.6.1).
  if (text.find(',') != text.npos)
    return Error{std::string("a policy has no commas; sources are separated by spaces")};
  ContentSecurityPolicy policy;
  policy.text_ = text;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::vector<std::string_view> all = words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (all.empty()) continue;
    Directive directive;
    directive.name = known_directive(all.front());
    if (directive.name.empty()) return Error{"there is no directive " + shown(all.front())};
    if (directive.name == "report-to" || directive.name == "report-uri")
      return Error{std::string(directive.name) + " is left out: Moat adds its own"};
    // CSP Level 3 section 2.2.1: a browser ignores all but the first.
    if (policy.find(directive.name) != nullptr)
      return Error{std::string(directive.name) + " stands there twice"};
    directive.values.assign(all.begin() + 1, all.end());
    std::string problem = values_problem(directive.name, directive.values);
    if (!problem.empty()) return Error{std::move(problem)};
    policy.directives_.push_back(std::move(directive));
  }
  if (policy.directives_.empty()) return Error{std::string("a policy has a directive at least")};
  return policy;
}

std::vector<std::string> ContentSecurityPolicy::weaknesses() const {
  std::vector<std::string> out;
  const Directive* scripts = find("script-src");
  if (scripts == nullptr) scripts = find("default-src");
  if (scripts == nullptr) out.emplace_back("scripts are not restricted (no script-src)");
  for (const Directive* one : {scripts, find("script-src-elem"), find("script-src-attr")}) {
    if (one == nullptr) continue;
    const std::string in = " in " + std::string(one->name);
    const bool by_hash = std::any_of(one->values.begin(), one->values.end(),
                                     [](const std::string& value) { return is_hash(value); });
    const bool dynamic = has(one->values, "'strict-dynamic'");
    for (const std::string& value : one->values) {
      // CSP Level 3 section 6.7.3.2: beside a hash or 'strict-dynamic' it allows nothing.
      const bool inline_all = ascii_iequals(value, "'unsafe-inline'") && !by_hash && !dynamic;
      if (inline_all || ascii_iequals(value, "'unsafe-eval'") || (is_anywhere(value) && !dynamic))
        out.push_back(value + in);
    }
  }
  return out;
}

}  // namespace moat::http
