// SPDX-License-Identifier: Apache-2.0
#include "moat/http/internal/chars.h"
#include "moat/http/internal/scan.h"

namespace moat::http {
namespace internal {
namespace {

// PathWalk reads a path as a backend will see it after decoding it once, and refuses what some
// backend would take for another path: dot segments, encoded separators and controls, broken UTF-8,
// and what a second decoding would turn into one of these.
class PathWalk final {
 public:
  explicit PathWalk(const HeadLimits& limits) : limits_(limits) {}

  PathFacts walk(std::string_view path) {
    for (std::size_t i = 0; i < path.size() && facts_.code.empty(); ++i) {
      if (path[i] != '%') {
        raw(path[i]);
        continue;
      }
      const int high = i + 2 < path.size() ? hex_value(path[i + 1]) : -1;
      const int low = i + 2 < path.size() ? hex_value(path[i + 2]) : -1;
      if (high < 0 || low < 0) {
        facts_.code = "bad_percent_encoding";
        break;
      }
      facts_.escaped = true;
      escaped(static_cast<unsigned char>(high * 16 + low));
      i += 2;
    }
    if (facts_.code.empty()) end_segment();
    if (facts_.code.empty() && pending_ != 0) facts_.code = "invalid_utf8";
    return facts_;
  }

 private:
  void raw(char c) {
    if (pending_ != 0) facts_.code = "invalid_utf8";
    if (c == '/') {
      end_segment();
      begin_segment();
    } else {
      take(static_cast<unsigned char>(c));
    }
  }

  void escaped(unsigned char c) {
    if (is_control(static_cast<char>(c))) {
      facts_.code = c == 0 ? "encoded_nul" : "encoded_control";
    } else if (c == '/' || c == '\\') {
      facts_.encoded_slash = true;
      if (!limits_.allow_encoded_slash || pending_ != 0) facts_.code = "encoded_slash";
      // Whoever decodes it sees two segments.
      if (facts_.code.empty()) end_segment();
      begin_segment();
    } else if (!utf8(c)) {
      facts_.code = "invalid_utf8";
    } else {
      take(c);
    }
  }

  // One byte of a segment, decoded.
  void take(unsigned char c) {
    second_decoding(c);
    if (c == ';') parameter_ = true;  // "..;x" is ".." to those who cut path parameters off
    if (parameter_) return;
    only_dots_ = only_dots_ && c == '.';
    if (size_ < 3) ++size_;
  }

  void begin_segment() {
    size_ = 0;
    only_dots_ = true;
    parameter_ = false;
    percent_ = 0;
  }
  void end_segment() {
    if (only_dots_ && (size_ == 1 || size_ == 2)) facts_.code = "dot_segment";
  }

  // Follows "%XX" in the decoded text.
  void second_decoding(unsigned char c) {
    if (c == '%') {
      percent_ = 1;
      return;
    }
    const int digit = percent_ == 0 ? -1 : hex_value(static_cast<char>(c));
    if (digit < 0) {
      percent_ = 0;
    } else if (percent_ == 1) {
      high_ = digit;
      percent_ = 2;
    } else {
      percent_ = 0;
      const char hidden = static_cast<char>(high_ * 16 + digit);
      const bool slash = hidden == '/' || hidden == '\\';
      if (slash && limits_.allow_encoded_slash)
        facts_.encoded_slash = true;
      else if (slash || hidden == '.' || hidden == '%' || hidden == ';' || is_control(hidden))
        facts_.code = "double_encoding";
    }
  }

  // RFC 3629 section 4, byte by byte.
  bool utf8(unsigned char c) {
    if (pending_ != 0) {
      if (c < least_ || c > most_) return false;
      least_ = 0x80;
      most_ = 0xbf;
      --pending_;
      return true;
    }
    if (c < 0x80) return true;
    if (c < 0xc2 || c > 0xf4) return false;
    pending_ = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    least_ = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    most_ = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    return true;
  }

  const HeadLimits& limits_;
  PathFacts facts_;
  unsigned size_ = 0;  // of the segment, up to 3
  bool only_dots_ = true;
  bool parameter_ = false;
  unsigned percent_ = 0;
  int high_ = 0;
  unsigned pending_ = 0;
  unsigned char least_ = 0x80;
  unsigned char most_ = 0xbf;
};

}  // namespace

PathFacts check_path(std::string_view path, const HeadLimits& limits) {
  PathFacts facts;
  if (path.empty() || path[0] != '/') {
    facts.code = "bad_target";
    return facts;
  }
  unsigned previous = 0;
  unsigned seen = 0;
  unsigned common = path_char;
  unsigned doubled = 0;
  for (const char c : path) {
    const unsigned bits = class_of(c);
    doubled |= bits & previous;
    previous = bits;
    common &= bits;
    seen |= bits;
  }
  if (common == 0) {
    facts.code = path.find('#') != path.npos ? "fragment_in_target" : "bad_target_byte";
    return facts;
  }
  if (seen & watch_char) facts = PathWalk(limits).walk(path);
  facts.empty_segment = (doubled & slash_char) != 0;
  // "//host/x" is another origin to whoever resolves it as a reference (RFC 3986 section 4.2).
  if (facts.empty_segment && facts.code.empty() &&
      (!limits.allow_empty_segments || path.substr(0, 2) == "//"))
    facts.code = "empty_segment";
  return facts;
}

}  // namespace internal

void decode_path(std::string_view path, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < path.size(); ++i) {
    const int high = path[i] == '%' && i + 2 < path.size() ? internal::hex_value(path[i + 1]) : -1;
    const int low = high >= 0 ? internal::hex_value(path[i + 2]) : -1;
    const char c = static_cast<char>(high * 16 + low);
    if (low < 0 || c == '/' || c == '\\') {
      out += path[i];
    } else {
      out += c;
      i += 2;
    }
  }
}

}  // namespace moat::http
