// SPDX-License-Identifier: Apache-2.0
// WHATWG URL section 4.4, the basic URL parser, for special schemes. The standard walks through
// states a character at a time; here each part is cut out whole, which comes to the same.
#include "moat/validate/web_url.h"

#include <algorithm>
#include <array>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/web_host.h"

namespace moat::validate {
namespace {

using internal::is_letter;

struct Scheme {
  std::string_view name;
  std::optional<std::uint16_t> port;
};
// Section 4.2, "special scheme".
constexpr Scheme special_schemes[] = {{"https", 443}, {"http", 80}, {"wss", 443},
                                      {"ws", 80},     {"ftp", 21},  {"file", std::nullopt}};

const Scheme* find_scheme(std::string_view name) {
  const auto* const end = std::end(special_schemes);
  const auto* const at = std::find_if(std::begin(special_schemes), end,
                                      [name](const Scheme& s) { return s.name == name; });
  return at == end ? nullptr : at;
}

// Section 1.3, "percent-encode sets": what is encoded beside controls and what is beyond ASCII.
constexpr std::string_view fragment_set = " \"<>`";
constexpr std::string_view special_query_set = " \"#<>'";
constexpr std::string_view path_set = " \"#<>?^`{}";
constexpr std::string_view userinfo_set = " \"#<>?^`{}/:;=@[\\]|";

using Encoded = std::array<bool, 256>;
constexpr Encoded encoded(std::string_view set) {
  Encoded out{};
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = c < 0x20 || c > 0x7e;
  for (const char c : set) out[static_cast<unsigned char>(c)] = true;
  return out;
}
constexpr Encoded in_fragment = encoded(fragment_set);
constexpr Encoded in_query = encoded(special_query_set);
constexpr Encoded in_path = encoded(path_set);
constexpr Encoded in_userinfo = encoded(userinfo_set);

void append_encoded(std::string_view text, const Encoded& set, std::string& out) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (set[byte]) {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
}

bool is_slash(char c) { return c == '/' || c == '\\'; }

// "Windows drive letter": C: or C|.
bool is_drive_letter(std::string_view text) {
  return text.size() == 2 && is_letter(text[0]) && (text[1] == ':' || text[1] == '|');
}
bool starts_with_drive_letter(std::string_view text) {
  return is_drive_letter(text.substr(0, 2)) &&
         (text.size() == 2 || internal::contains("/\\?#", text[2]));
}
// A path whose first segment is "C:", and its length; otherwise 0.
std::size_t drive_length(std::string_view path) {
  const auto first = path.substr(0, path.find('/', 1));
  return first.size() == 3 && is_letter(first[1]) && first[2] == ':' ? 3 : 0;
}

// How many dots a segment is, "%2e" being one: 1, 2, or 0 for any other text.
int count_dots(std::string_view segment) {
  int dots = 0;
  while (!segment.empty()) {
    const bool plain = segment[0] == '.';
    if (!plain && !ascii_iequals(segment.substr(0, 3), "%2e")) return 0;
    segment.remove_prefix(plain ? 1 : 3);
    if (++dots > 2) return 0;
  }
  return dots;
}

// What is left of a text when browsers begin: no controls or spaces at its ends, no tabs and line
// ends at all.
std::string strip(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  std::string out(text);
  out.erase(std::remove_if(out.begin(), out.end(),
                           [](char c) { return c == '\t' || c == '\n' || c == '\r'; }),
            out.end());
  return out;
}

// Takes the scheme and its colon off the front, lower-cased; empty where there is none.
std::string take_scheme(std::string_view& text) {
  const auto end = text.find(':');
  if (end == std::string_view::npos || end == 0 || !is_letter(text[0])) return {};
  const auto name = text.substr(0, end);
  if (!internal::all(name,
                     [](char c) { return internal::is_alnum(c) || internal::contains("+-.", c); }))
    return {};
  text.remove_prefix(end + 1);
  return ascii_lower(name);
}

void skip_slashes(std::string_view& text) {
  while (!text.empty() && is_slash(text[0])) text.remove_prefix(1);
}

}  // namespace

// Reads what stands behind the scheme into a Url.
class UrlReader final {
 public:
  UrlReader(Url& url, const Url* base, const WebUrlOptions& options)
      : url_(url), base_(base), options_(options) {}

  using Refused = std::optional<UrlRefusal>;

  // "Relative state": http and its like, without a scheme or with the base's.
  Refused relative(std::string_view rest) {
    if (!rest.empty() && is_slash(rest[0])) {
      if (rest.size() > 1 && is_slash(rest[1])) return authority(rest);
      copy_host();
      rest.remove_prefix(1);
      path(rest);
      return std::nullopt;
    }
    copy_host();
    on_base_path(rest, Shorten::yes);
    return std::nullopt;
  }

  // "Special authority ignore slashes state" and what follows it.
  Refused authority(std::string_view rest) {
    skip_slashes(rest);
    const auto end = std::min(rest.find_first_of("/\\?#"), rest.size());
    auto part = rest.substr(0, end);
    const auto at = part.rfind('@');
    if (at != std::string_view::npos) {
      const auto colon = std::min(part.find(':'), at);
      append_encoded(part.substr(0, colon), in_userinfo, url_.username_);
      if (colon < at)
        append_encoded(part.substr(colon + 1, at - colon - 1), in_userinfo, url_.password_);
      part.remove_prefix(at + 1);
    }
    if (const auto refused = host_and_port(part)) return refused;
    path_start(rest.substr(end));
    return std::nullopt;
  }

  // "File state".
  Refused file(std::string_view rest) {
    const bool on_file = base_ != nullptr && base_->scheme_ == "file";
    if (!rest.empty() && is_slash(rest[0])) {
      rest.remove_prefix(1);
      if (!rest.empty() && is_slash(rest[0])) return file_host(rest.substr(1));
      if (on_file) {
        copy_host();
        if (!starts_with_drive_letter(rest))
          url_.path_ = base_->path_.substr(0, drive_length(base_->path_));
      }
      path(rest);
    } else if (on_file) {
      copy_host();
      on_base_path(rest, starts_with_drive_letter(rest) ? Shorten::whole : Shorten::yes);
    } else {
      path(rest);
    }
    return std::nullopt;
  }

 private:
  enum class Shorten { yes, whole };

  void copy_host() {
    url_.username_ = base_->username_;
    url_.password_ = base_->password_;
    url_.host_ = base_->host_;
    url_.address_ = base_->address_;
    url_.port_ = base_->port_;
  }

  void on_base_path(std::string_view rest, Shorten how) {
    url_.path_ = base_->path_;
    if (rest.empty() || rest[0] == '#') url_.query_ = base_->query_;
    if (rest.empty()) return;
    if (rest[0] == '?' || rest[0] == '#') {
      query_and_fragment(rest);
      return;
    }
    if (how == Shorten::whole) {
      url_.path_.clear();
    } else {
      shorten();
    }
    path(rest);
  }

  Refused host_and_port(std::string_view part) {
    // A colon in brackets is the address's.
    std::size_t colon = 0;
    bool in_brackets = false;
    for (; colon < part.size() && (in_brackets || part[colon] != ':'); ++colon) {
      if (part[colon] == '[') in_brackets = true;
      if (part[colon] == ']') in_brackets = false;
    }
    if (colon == 0) return UrlRefusal::missing_host;
    if (const auto refused = host(part.substr(0, colon))) return refused;
    return port(part.substr(std::min(colon + 1, part.size())));
  }

  Refused host(std::string_view text) {
    auto parsed = internal::parse_web_host(text, options_);
    if (!parsed) return parsed.error();
    url_.host_ = std::move(parsed->text);
    url_.address_ = parsed->address;
    return std::nullopt;
  }

  Refused port(std::string_view text) {
    if (text.empty()) return std::nullopt;
    std::uint32_t value = 0;
    for (const char c : text) {
      if (!internal::is_digit(c)) return UrlRefusal::bad_port;
      value = value * 10 + static_cast<std::uint32_t>(c - '0');
      if (value > 65535) return UrlRefusal::bad_port;
    }
    const auto number = static_cast<std::uint16_t>(value);
    if (find_scheme(url_.scheme_)->port != number) url_.port_ = number;
    return std::nullopt;
  }

  Refused file_host(std::string_view rest) {
    const auto end = std::min(rest.find_first_of("/\\?#"), rest.size());
    const auto name = rest.substr(0, end);
    if (is_drive_letter(name)) {
      path(rest);
      return std::nullopt;
    }
    if (!name.empty()) {
      if (const auto refused = host(name)) return refused;
      if (url_.host_ == "localhost") url_.host_.clear();
    }
    path_start(rest.substr(end));
    return std::nullopt;
  }

  void path_start(std::string_view rest) {
    if (!rest.empty() && is_slash(rest[0])) rest.remove_prefix(1);
    path(rest);
  }

  // "Path state", with the slash before the first segment taken.
  void path(std::string_view rest) {
    bool more = true;
    while (more) {
      const auto end = std::min(rest.find_first_of("/\\?#"), rest.size());
      more = end < rest.size() && is_slash(rest[end]);
      segment(rest.substr(0, end), more);
      rest.remove_prefix(more ? end + 1 : end);
    }
    query_and_fragment(rest);
  }

  void segment(std::string_view text, bool more) {
    const int dots = count_dots(text);
    if (dots == 2) shorten();
    if (dots > 0) {
      if (!more) url_.path_ += '/';
      return;
    }
    const bool drive = url_.scheme_ == "file" && url_.path_.empty() && is_drive_letter(text);
    url_.path_ += '/';
    append_encoded(text, in_path, url_.path_);
    if (drive) url_.path_.back() = ':';
  }

  // "Shorten a url's path": a drive letter stays.
  void shorten() {
    if (url_.scheme_ == "file" && url_.path_.size() == 3 && drive_length(url_.path_) == 3) return;
    if (!url_.path_.empty()) url_.path_.resize(url_.path_.rfind('/'));
  }

  void query_and_fragment(std::string_view rest) {
    const auto hash = rest.find('#');
    if (!rest.empty() && rest[0] == '?')
      append_encoded(rest.substr(1, hash == std::string_view::npos ? hash : hash - 1), in_query,
                     url_.query_.emplace());
    if (hash != std::string_view::npos)
      append_encoded(rest.substr(hash + 1), in_fragment, url_.fragment_.emplace());
  }

  Url& url_;
  const Url* base_;
  const WebUrlOptions& options_;
};

Result<Url, UrlRefusal> Url::read(std::string_view given, const Url* base,
                                  const WebUrlOptions& options) {
  if (given.size() > max_bytes) return Error{UrlRefusal::too_long};
  if (!is_valid_utf8(given)) return Error{UrlRefusal::not_utf8};
  const std::string stripped = strip(given);
  std::string_view rest = stripped;
  if (rest.empty() && base == nullptr) return Error{UrlRefusal::empty};
  Url url;
  url.scheme_ = take_scheme(rest);
  const bool absolute = !url.scheme_.empty();
  if (!absolute) {
    if (base == nullptr) return Error{UrlRefusal::missing_scheme};
    url.scheme_ = base->scheme_;
  } else if (find_scheme(url.scheme_) == nullptr) {
    return Error{UrlRefusal::unknown_scheme};
  }
  UrlReader reader(url, base, options);
  // "http:a" is relative to a base of http: the colon alone makes no URL absolute.
  const bool of_base = base != nullptr && base->scheme_ == url.scheme_;
  const auto refused = url.scheme_ == "file" ? reader.file(rest)
                       : of_base && (!absolute || rest.substr(0, 2) != "//")
                           ? reader.relative(rest)
                           : reader.authority(rest);
  if (refused) return Error{*refused};
  url.print();
  // Encoding makes texts longer, and what was printed must be readable again.
  if (url.text_.size() > max_bytes) return Error{UrlRefusal::too_long};
  return url;
}

Result<Url, UrlRefusal> Url::parse(std::string_view text, const WebUrlOptions& options) {
  return read(text, nullptr, options);
}
Result<Url, UrlRefusal> Url::parse(std::string_view text, const Url& base,
                                   const WebUrlOptions& options) {
  return read(text, &base, options);
}

std::optional<std::uint16_t> Url::effective_port() const {
  return port_ ? port_ : find_scheme(scheme_)->port;
}

std::string Url::origin() const {
  if (scheme_ == "file") return "null";
  return scheme_ + "://" + host_ + (port_ ? ":" + std::to_string(*port_) : "");
}

// Section 4.5, "URL serializer".
void Url::print() {
  text_ = scheme_ + "://";
  if (has_userinfo()) text_ += username_ + (password_.empty() ? "" : ":" + password_) + "@";
  text_ += host_;
  if (port_) text_ += ":" + std::to_string(*port_);
  text_ += path_;
  if (query_) text_ += "?" + *query_;
  if (fragment_) text_ += "#" + *fragment_;
}

std::string_view to_string(UrlRefusal refusal) {
  switch (refusal) {
    case UrlRefusal::empty:
      return "empty";
    case UrlRefusal::too_long:
      return "too_long";
    case UrlRefusal::not_utf8:
      return "not_utf8";
    case UrlRefusal::missing_scheme:
      return "missing_scheme";
    case UrlRefusal::unknown_scheme:
      return "unknown_scheme";
    case UrlRefusal::missing_host:
      return "missing_host";
    case UrlRefusal::bad_host:
      return "bad_host";
    case UrlRefusal::non_ascii_host:
      return "non_ascii_host";
    case UrlRefusal::bad_port:
      return "bad_port";
  }
  return "unknown";
}

}  // namespace moat::validate
