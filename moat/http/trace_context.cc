// SPDX-License-Identifier: Apache-2.0
#include "moat/http/trace_context.h"

#include <algorithm>

namespace moat::http {

namespace {

constexpr std::size_t most_members = 32;
constexpr std::size_t most_bytes = 512;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// -1 for what is no lower-case hex digit.
int nibble(char c) {
  if (is_digit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return nibble(c) >= 0; });
}
bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

void write_hex(std::uint64_t word, char* to) {
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[(word >> shift) & 15];
}

// Section 3.3.1.3.1: `key`, or `tenant@system`.
bool is_state_key(std::string_view key) {
  const auto is_part = [](std::string_view part, std::size_t most) {
    return !part.empty() && part.size() <= most &&
           std::all_of(part.begin(), part.end(), [](char c) {
             return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
           });
  };
  const std::size_t at = key.find('@');
  if (at == key.npos) return is_part(key, 256) && is_lower(key[0]);
  const std::string_view tenant = key.substr(0, at);
  const std::string_view system = key.substr(at + 1);
  return is_part(tenant, 241) && (is_lower(tenant[0]) || is_digit(tenant[0])) &&
         is_part(system, 14) && is_lower(system[0]);
}

// Section 3.3.1.3.2: printable ASCII but ',' and '='; blanks not at the end.
bool is_state_value(std::string_view value) {
  return !value.empty() && value.size() <= 256 && value.back() != ' ' &&
         std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string_view without_blanks(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

std::optional<Trace> parse_traceparent(std::string_view value) {
  if (value.size() < traceparent_size) return std::nullopt;
  const std::string_view version = value.substr(0, 2);
  const std::string_view id = value.substr(3, 32);
  const std::string_view parent = value.substr(36, 16);
  const std::string_view flags = value.substr(53, 2);
  if (value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  if (!is_hex(version) || !is_hex(id) || !is_hex(parent) || !is_hex(flags)) return std::nullopt;
  if (version == "ff" || is_zero(id) || is_zero(parent)) return std::nullopt;
  if (value.size() > traceparent_size && (version == "00" || value[traceparent_size] != '-'))
    return std::nullopt;
  Trace trace;
  std::copy(id.begin(), id.end(), trace.id.begin());
  trace.sampled = (nibble(flags[1]) & 1) != 0;
  return trace;
}

std::optional<Trace> trace_of(const Headers& headers) {
  if (headers.count(Known::traceparent) != 1) return std::nullopt;
  return parse_traceparent(headers.value(Known::traceparent));
}

Trace new_trace(std::uint64_t high, std::uint64_t low) {
  Trace trace;
  write_hex(high, trace.id.data());
  write_hex((high | low) == 0 ? 1 : low, trace.id.data() + 16);
  // Nobody was before who could have decided. Samplers that follow their parent would be silenced
  // by a 0.
  trace.sampled = true;
  return trace;
}

Traceparent make_traceparent(const Trace& trace, std::uint64_t parent) {
  Traceparent out{'0', '0', '-'};
  std::copy(trace.id.begin(), trace.id.end(), out.begin() + 3);
  out[35] = '-';
  write_hex(parent == 0 ? 1 : parent, out.data() + 36);
  out[52] = '-';
  out[53] = '0';
  out[54] = trace.sampled ? '1' : '0';
  return out;
}

std::optional<std::size_t> tracestate_members(std::string_view line) {
  std::size_t count = 0;
  for (;;) {
    const std::size_t comma = std::min(line.find(','), line.size());
    const std::string_view member = without_blanks(line.substr(0, comma));
    if (!member.empty()) {
      const std::size_t equals = member.find('=');
      if (equals == member.npos || !is_state_key(member.substr(0, equals)) ||
          !is_state_value(member.substr(equals + 1)))
        return std::nullopt;
      ++count;
    }
    if (comma == line.size()) return count;
    line.remove_prefix(comma + 1);
  }
}

void append_tracestate(const Headers& headers, std::string& out) {
  if (!headers.has(Known::tracestate)) return;
  const std::size_t start = out.size();
  out += "tracestate: ";
  const std::size_t value = out.size();
  std::size_t members = 0;
  bool good = true;
  for (const Header& field : headers) {
    if (field.known != Known::tracestate) continue;
    const auto count = tracestate_members(field.value);
    good = good && count && out.size() - value + field.value.size() + 1 <= most_bytes + 1;
    if (!good) break;
    if (*count == 0) continue;
    members += *count;
    if (out.size() > value) out.push_back(',');
    out += field.value;
  }
  good = good && members > 0 && members <= most_members && out.size() - value <= most_bytes;
  if (good) {
    out += "\r\n";
  } else {
    out.resize(start);
  }
}

bool is_request_id(std::string_view value) {
  return !value.empty() && value.size() <= 128 &&
         std::all_of(value.begin(), value.end(), [](char c) {
           const char lower = static_cast<char>(c | 0x20);
           return is_lower(lower) || is_digit(c) || c == '.' || c == '_' || c == '-';
         });
}

}  // namespace moat::http
