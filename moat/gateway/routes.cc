// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/routes.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"

namespace moat::gateway {

namespace {

// What a backend may do to a path beyond decoding it once, as bits of a set.
enum Habit : unsigned {
  fold_case = 1,
  cut_parameters = 2,
  merge_slashes = 4,
  trim_segments = 8,  // Windows: "x. " is "x", and so is "x::$DATA"
  decode_twice = 16,
  split_at_encoded_slash = 32,  // %2F, %5C and '\\' are separators
  all_habits = 63
};

// The habits that make a difference to a path.
unsigned habits_for(std::string_view path, bool capitals_in_patterns) {
  unsigned habits = capitals_in_patterns ? unsigned{fold_case} : 0U;
  char previous = 0;
  for (const char c : path) {
    if (c == '%') return all_habits;
    if (c >= 'A' && c <= 'Z') habits |= fold_case;
    if (c == ';') habits |= cut_parameters | merge_slashes;
    if (c == '\\') habits |= split_at_encoded_slash | merge_slashes;
    if (c == '/' && previous == '/') habits |= merge_slashes;
    if (c == ':' || (c == '/' && (previous == '.' || previous == ' '))) habits |= trim_segments;
    previous = c;
  }
  if (previous == '.' || previous == ' ') habits |= trim_segments;
  return habits;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// As http::decode_path, where `keep_slashes`; else encoded separators are decoded too.
std::string decoded(std::string_view path, bool keep_slashes) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? hex_digit(path[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(path[i + 2]);
    const char byte = static_cast<char>(high * 16 + low);
    if (low < 0 || (keep_slashes && (byte == '/' || byte == '\\'))) {
      out.push_back(path[i]);
    } else {
      out.push_back(byte);
      i += 2;
    }
  }
  return out;
}

// One reading of a decoded path, up to the length that patterns can tell apart.
void read_with(std::string_view text, unsigned habits, std::size_t most, std::string& out) {
  out.clear();
  bool in_parameter = false;
  const auto trim = [&] {
    while ((habits & trim_segments) != 0 && !out.empty() &&
           (out.back() == '.' || out.back() == ' '))
      out.pop_back();
  };
  for (std::size_t i = 0; i < text.size() && out.size() < most; ++i) {
    const bool slash =
        text[i] == '/' || (text[i] == '\\' && (habits & split_at_encoded_slash) != 0);
    const char c = slash ? '/' : text[i];
    if (slash) {
      in_parameter = false;
      trim();
    }
    if (c == ';' && (habits & cut_parameters) != 0) in_parameter = true;
    if (c == ':' && (habits & trim_segments) != 0) in_parameter = true;
    if (in_parameter) continue;
    if (slash && (habits & merge_slashes) != 0 && !out.empty() && out.back() == '/') continue;
    const bool capital = c >= 'A' && c <= 'Z' && (habits & fold_case) != 0;
    out.push_back(capital ? static_cast<char>(c | 0x20) : c);
  }
  trim();
}

// What backends look up in place of a whole path, beside it: without a format suffix (Rails, older
// Spring), up to a '?' or '#' that was encoded, and where a segment names a script (PHP, CGI), the
// script and what stands behind it. `visit` gives the pattern that serves a part.
template <class Visit>
void each_part(std::string_view path, const Visit& visit) {
  const std::string_view pattern = visit(path);
  const std::size_t mark = path.find_first_of("?#");
  if (mark != path.npos) each_part(path.substr(0, mark), visit);
  const std::size_t dot = path.rfind('.');
  if (dot == path.npos) return;
  constexpr std::array<std::string_view, 9> scripts = {".php", ".asp", ".aspx", ".ashx", ".jsp",
                                                       ".cgi", ".pl",  ".py",   ".do"};
  for (std::size_t slash = path.find('/', 1); slash != path.npos;
       slash = path.find('/', slash + 1)) {
    const std::string_view head = path.substr(0, slash);
    const bool script = std::any_of(scripts.begin(), scripts.end(), [&](std::string_view ending) {
      return head.size() > ending.size() &&
             ascii_iequals(head.substr(head.size() - ending.size()), ending);
    });
    if (!script) continue;
    visit(head);
    each_part(path.substr(slash), visit);
    return;
  }
  // A pattern that names the suffix, such as "/robots.txt", means that file.
  const bool named = pattern.size() > dot + 1;
  if (!named && dot > path.rfind('/') + 1) visit(path.substr(0, dot));
}

bool is_subset(const std::vector<std::string>& small, const std::vector<std::string>& large) {
  return std::all_of(small.begin(), small.end(), [&](const std::string& item) {
    return std::find(large.begin(), large.end(), item) != large.end();
  });
}

int strictness(CspMode mode) {
  return mode == CspMode::enforce ? 2 : mode == CspMode::report_only ? 1 : 0;
}

int strictness(CsrfMode mode) {
  switch (mode) {
    case CsrfMode::token:
      return 3;
    case CsrfMode::enforce:
      return 2;
    case CsrfMode::report:
      return 1;
    case CsrfMode::off:
      break;
  }
  return 0;
}

}  // namespace

bool pattern_matches(std::string_view pattern, std::string_view path) {
  if (pattern.empty() || pattern.back() != '*') {
    return path.substr(0, pattern.size()) == pattern &&
           (path.size() == pattern.size() ||
            (path.size() == pattern.size() + 1 && path.back() == '/'));
  }
  pattern.remove_suffix(1);
  if (path.substr(0, pattern.size()) == pattern) return true;
  return !pattern.empty() && pattern.back() == '/' && path == pattern.substr(0, pattern.size() - 1);
}

bool is_at_least_as_strict(const Route& route, const Route& other) {
  const bool roles =
      other.roles.empty() || (!route.roles.empty() && is_subset(route.roles, other.roles));
  const bool limit = !other.limit || route.limit == other.limit;
  return route.login >= other.login && route.client_certificate >= other.client_certificate &&
         roles && is_subset(other.scopes, route.scopes) && limit &&
         route.max_body <= other.max_body && strictness(route.csrf) >= strictness(other.csrf) &&
         (other.websocket || !route.websocket) &&
         (other.allow_encoded_slash || !route.allow_encoded_slash) &&
         (other.allow_underscore_headers || !route.allow_underscore_headers) &&
         (other.allow_unknown_methods || !route.allow_unknown_methods) &&
         strictness(route.csp) >= strictness(other.csp) &&
         // Of two enforced policies neither is known to be the stricter.
         (other.csp != CspMode::enforce || route.csp_policy == other.csp_policy) &&
         is_subset(route.script_cookies, other.script_cookies);
}

Routes::Routes(const std::vector<Route>& routes) : routes_(routes) {
  for (const Route& route : routes) {
    folded_.push_back(ascii_lower(route.match));
    capitals_ = capitals_ || folded_.back() != route.match;
    longest_ = std::max(longest_, route.match.size());
  }
  // Behind a script's name or a dot the path goes on; beyond this no pattern tells anything apart.
  longest_ = 2 * longest_ + 256;
}

const Route* Routes::first(std::string_view reading, bool fold) const {
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    if (pattern_matches(fold ? folded_[i] : routes_[i].match, reading)) return &routes_[i];
  }
  return nullptr;
}

// Adds one reading to what is known. False: nothing serves it, and the search is over.
bool Routes::consider(std::string_view reading, bool fold, Match& match) const {
  bool served = true;
  each_part(reading, [&](std::string_view part) {
    const Route* found = first(part, fold);
    if (found == nullptr) {
      served = false;
      return std::string_view();
    }
    if (match.route == nullptr) {
      match.route = found;
    } else if (found != match.route && !is_at_least_as_strict(*match.route, *found)) {
      match.ambiguous = match.ambiguous || !is_at_least_as_strict(*found, *match.route);
      match.route = found;
    }
    return std::string_view(found->match);
  });
  if (!served) match = {};
  return served;
}

Routes::Match Routes::find(std::string_view path) const {
  const unsigned habits = habits_for(path, capitals_);
  Match match;
  if (habits == 0) {
    consider(path.substr(0, longest_), false, match);
    return match;
  }
  std::string reading;
  constexpr unsigned decoding = decode_twice | split_at_encoded_slash;
  for (unsigned how = 0; how <= all_habits; how += decode_twice) {  // the sets of `decoding`
    if ((how & ~habits) != 0) continue;
    const bool keep = (how & split_at_encoded_slash) == 0;
    std::string text = decoded(path, keep);
    if ((how & decode_twice) != 0) text = decoded(text, keep);
    // What is in the text now tells which of the other habits matter.
    const unsigned rest = habits_for(text, capitals_) & ~decoding;
    for (unsigned set = 0; set < decode_twice; ++set) {
      if ((set & ~rest) != 0) continue;
      read_with(text, how | set, longest_, reading);
      if (!consider(reading, (set & fold_case) != 0, match)) return {};
    }
  }
  return match;
}

}  // namespace moat::gateway
