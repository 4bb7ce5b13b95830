// SPDX-License-Identifier: Apache-2.0
#include "moat/http/internal/scan.h"

#include <algorithm>

#include "moat/http/internal/chars.h"

namespace moat::http {
namespace {

using internal::refuse;

ParseStatus refuse_byte(char c) { return refuse(400, c == '\n' ? "bare_lf" : "control_byte"); }

// Fields that say one thing. Two of them would be read as the first, the last or both joined.
constexpr bool is_singleton(Known known) {
  switch (known) {
    case Known::host:
    case Known::content_length:
    case Known::transfer_encoding:
    case Known::expect:
    case Known::origin:
    case Known::referer:
    case Known::sec_fetch_site:
    case Known::sec_fetch_mode:
    case Known::sec_fetch_dest:
    case Known::sec_fetch_user:
    case Known::content_type:
    case Known::user_agent:
    case Known::authorization:
    case Known::proxy_authorization:
    case Known::x_csrf_token:
    case Known::csrf_token:
    case Known::x_xsrf_token:
    case Known::xsrf_token:
    case Known::range:
    case Known::if_modified_since:
    case Known::access_control_request_method:
    case Known::x_http_method_override:
    case Known::x_http_method:
    case Known::x_method_override:
    case Known::sec_websocket_key:
    case Known::sec_websocket_version:
    case Known::sec_websocket_accept:
    case Known::location:
    case Known::content_disposition:
      return true;
    default:
      return false;
  }
}

constexpr std::array<bool, known_count> make_singletons() {
  std::array<bool, known_count> table{};
  for (std::size_t i = 0; i < known_count; ++i) table[i] = is_singleton(static_cast<Known>(i));
  return table;
}
constexpr std::array<bool, known_count> singletons = make_singletons();

std::string_view bad_name_code(std::string_view line, std::size_t name_size) {
  if (name_size == 0 && internal::is_blank(line[0])) return "folded_line";
  if (name_size == line.size()) return "no_colon";
  if (name_size == 0 && line[0] == ':') return "empty_field_name";
  return internal::is_blank(line[name_size]) ? "space_before_colon" : "bad_field_name";
}

// A shadow of a field that frames or routes: one of the two readers would obey it.
bool is_dangerous_shadow(std::string_view name) {
  const Known known = internal::recognise_shadowed(name);
  return known == Known::content_length || known == Known::host || is_hop_by_hop(known);
}

// "gzip, chunked" and the like: understood, but not offered.
bool is_compressed_chunked(std::string_view value) {
  const std::size_t comma = value.find(',');
  if (comma == value.npos) return false;
  const std::string_view first = internal::trim_blanks(value.substr(0, comma));
  return internal::iequals(internal::trim_blanks(value.substr(comma + 1)), "chunked") &&
         (internal::iequals(first, "gzip") || internal::iequals(first, "deflate") ||
          internal::iequals(first, "compress"));
}

ParseStatus end_of_head(std::size_t lines, std::size_t consumed) {
  if (lines == 0) return refuse(400, "empty_start_line");
  ParseStatus verdict;
  verdict.kind = ParseStatus::Kind::complete;
  verdict.consumed = consumed;
  return verdict;
}

}  // namespace

ParseStatus HeadScanner::scan(std::string_view buffer, const Rules& rules, ParseState& state) {
  if (state.scanned_ == 0 && rules.skip_empty_line && !buffer.empty() && buffer[0] == '\r') {
    if (buffer.size() < 2) return {};
    if (buffer[1] != '\n') return refuse(400, "bare_cr");
    state.begin_ = state.scanned_ = 2;
  }
  const std::size_t max_lines = 1 + std::min(rules.fields, Headers::capacity);
  internal::ControlFinder controls(buffer);
  std::size_t at = state.scanned_;
  std::size_t lines = state.lines_;
  std::size_t line = lines == 0 ? state.begin_ : state.ends_[lines - 1] + 2u;
  // The last CR that may come: of the start line, or of the empty line behind a full section.
  const auto limit_now = [&] {
    return lines == 0 ? line + rules.start_line + 1 : state.ends_[0] + 2u + rules.section + 1;
  };
  std::size_t limit = limit_now();
  std::size_t stop = std::min(buffer.size(), limit);
  while (true) {
    if (at < stop) at = controls.find(at, stop);
    if (at >= stop || at + 1 == buffer.size()) break;
    if (buffer[at] != '\r') return refuse_byte(buffer[at]);
    if (buffer[at + 1] != '\n') return refuse(400, "bare_cr");
    if (at == line) {
      state.lines_ = lines;
      return end_of_head(lines, at + 2);
    }
    if (lines == max_lines) return refuse(431, "too_many_fields");
    state.ends_[lines++] = static_cast<std::uint32_t>(at);
    at += 2;
    line = at;
    if (lines > 1) continue;
    limit = limit_now();
    stop = std::min(buffer.size(), limit);
  }
  state.lines_ = lines;
  state.scanned_ = at;
  if (at >= limit)
    return lines == 0 ? refuse(414, "target_too_long") : refuse(431, "fields_too_long");
  if (at < stop && buffer[at] != '\r') return refuse_byte(buffer[at]);
  return {};
}

namespace internal {

namespace {

// What is to be done about a field beside keeping it. Gives the code of a refusal, or empty.
std::string_view take_known(const Header& field, const Headers& headers,
                            ConnectionOptions& connection) {
  if (singletons[static_cast<std::size_t>(field.known)] && headers.has(field.known))
    return field.known == Known::host ? "duplicate_host" : "duplicate_field";
  if (field.known == Known::connection && !connection.add(field.value))
    return "bad_connection_option";
  if (field.known == Known::shadow && is_dangerous_shadow(field.name))
    return "ambiguous_field_name";
  return {};
}

}  // namespace

std::string_view parse_fields(std::string_view buffer, const ParseState& state, Headers& headers,
                              ConnectionOptions& connection) {
  const std::size_t lines = HeadScanner::lines(state);
  const char* const end = buffer.data() + buffer.size();
  for (std::size_t number = 1; number < lines; ++number) {
    const std::string_view line = HeadScanner::field_line(buffer, state, number);
    const std::size_t name_size = find_colon(line.data(), line.size(), end);
    Header field;
    field.name = {line.data(), name_size};
    if (name_size < line.size()) field.known = look_up(field.name);
    if (field.known == Known::none) {
      std::size_t token = 0;
      while (token < line.size() && (class_of(line[token]) & token_char)) ++token;
      if (token == 0 || token != name_size || name_size == line.size())
        return bad_name_code(line, token);
      field.known = recognise_unlisted(field.name);
    }
    field.value = trim_blanks({line.data() + name_size + 1, line.size() - name_size - 1});
    if (field.known != Known::none) {
      const std::string_view code = take_known(field, headers, connection);
      if (!code.empty()) return code;
    }
    if (!headers.add(field)) return "too_many_fields";
  }
  return {};
}

std::optional<std::uint64_t> parse_length(std::string_view text) {
  // RFC 9112 section 6.3: a recipient must anticipate large numerals and overflow.
  if (text.empty() || text.size() > 19 || (text[0] == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > 0x7fffffffffffffffu) return std::nullopt;
  return value;
}

std::string_view parse_body_fields(const Headers& headers, int minor_version, BodyFields& out) {
  const Header* encoding = headers.find(Known::transfer_encoding);
  const Header* length = headers.find(Known::content_length);
  if (encoding != nullptr) {
    // RFC 9112 section 6.1: "ought to be handled as an error" (request smuggling).
    if (length != nullptr) return "two_framings";
    if (minor_version == 0) return "transfer_encoding_in_http_1_0";
    if (!iequals(encoding->value, "chunked"))
      return is_compressed_chunked(encoding->value) ? "unsupported_transfer_coding"
                                                    : "bad_transfer_encoding";
    out.chunked = true;
    return {};
  }
  if (length == nullptr) return {};
  const std::optional<std::uint64_t> value = parse_length(length->value);
  if (!value) return "bad_content_length";
  out.has_length = true;
  out.length = *value;
  return {};
}

}  // namespace internal
}  // namespace moat::http
