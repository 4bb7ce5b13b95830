// SPDX-License-Identifier: Apache-2.0
#include "moat/http/chunked.h"

#include <algorithm>

#include "moat/http/headers.h"
#include "moat/http/internal/chars.h"

namespace moat::http {
namespace {

bool is_token_char(unsigned char c) { return (internal::classes[c] & internal::token_char) != 0; }
// What may stand in a quoted extension value: visible ASCII, space and tab.
bool is_text(unsigned char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); }

}  // namespace

bool ChunkedDecoder::fail(std::string_view code) {
  state_ = State::failed;
  code_ = code;
  return false;
}

ChunkedDecoder::Step ChunkedDecoder::feed(std::string_view input) {
  Step result;
  while (state_ == State::more && result.consumed < input.size()) {
    if (at_ == At::data) {
      const std::size_t here = input.size() - result.consumed;
      const std::size_t size = remaining_ < here ? static_cast<std::size_t>(remaining_) : here;
      result.data = input.substr(result.consumed, size);
      result.consumed += size;
      remaining_ -= size;
      data_bytes_ += size;
      if (remaining_ == 0) at_ = At::data_cr;
      return result;
    }
    const auto c = static_cast<unsigned char>(input[result.consumed]);
    if (++overhead_ > limits_.overhead_base + limits_.overhead_per_byte * data_bytes_)
      fail("chunk_overhead");
    else if (step(c))
      ++result.consumed;
  }
  result.state = state_;
  return result;
}

bool ChunkedDecoder::step(unsigned char c) {
  switch (at_) {
    case At::size:
      return step_size(c);
    case At::extension_name:
    case At::extension_value:
    case At::extension_quoted:
    case At::extension_escape:
    case At::extension_next:
      return step_extension(c);
    case At::size_lf:
      if (c != '\n') return fail("bad_chunk_line_end");
      at_ = remaining_ == 0 ? At::trailer_start : At::data;
      return true;
    case At::data:
      return true;
    case At::data_cr:
      if (c != '\r') return fail("bad_chunk_end");
      at_ = At::data_lf;
      return true;
    case At::data_lf:
      if (c != '\n') return fail("bad_chunk_end");
      at_ = At::size;
      digits_ = 0;
      extension_bytes_ = 0;
      return true;
    case At::trailer_start:
    case At::trailer_name:
    case At::trailer_value:
    case At::trailer_lf:
    case At::end_lf:
      return step_trailer(c);
  }
  return fail("bad_chunk_size");
}

// chunk-size = 1*HEXDIG, and here at most 16 of them: more could not be counted in 64 bits.
bool ChunkedDecoder::step_size(unsigned char c) {
  const int digit = internal::hex_value(static_cast<char>(c));
  if (digit >= 0) {
    if (digits_ == 16) return fail("chunk_size_overflow");
    ++digits_;
    remaining_ = remaining_ * 16 + static_cast<unsigned>(digit);
    return true;
  }
  if (digits_ == 0) return fail("bad_chunk_size");
  token_empty_ = true;
  if (c == ';') {
    at_ = At::extension_name;
  } else if (c == '\r') {
    at_ = At::size_lf;
  } else {
    return fail("bad_chunk_size");
  }
  return true;
}

// *( ";" token [ "=" ( token / quoted-string ) ] ), without the white space that RFC 9112 calls
// bad.
bool ChunkedDecoder::step_extension(unsigned char c) {
  if (++extension_bytes_ > limits_.extension_bytes) return fail("chunk_extension_too_long");
  if (at_ == At::extension_escape) {
    at_ = At::extension_quoted;
    return is_text(c) || fail("bad_chunk_extension");
  }
  if (at_ == At::extension_quoted) {
    if (c == '"') at_ = At::extension_next;
    if (c == '\\') at_ = At::extension_escape;
    return is_text(c) || fail("bad_chunk_extension");
  }
  if (at_ != At::extension_next && is_token_char(c)) {
    token_empty_ = false;
    return true;
  }
  if (at_ == At::extension_value && c == '"' && token_empty_) {
    at_ = At::extension_quoted;
    token_empty_ = false;
    return true;
  }
  if (token_empty_) return fail("bad_chunk_extension");
  if (c == '\r') {
    at_ = At::size_lf;
  } else if (c == ';') {
    at_ = At::extension_name;
    token_empty_ = true;
  } else if (c == '=' && at_ == At::extension_name) {
    at_ = At::extension_value;
    token_empty_ = true;
  } else {
    return fail("bad_chunk_extension");
  }
  return true;
}

bool ChunkedDecoder::step_trailer(unsigned char c) {
  if (++trailer_bytes_ > limits_.trailer_bytes) return fail("trailer_too_long");
  switch (at_) {
    case At::end_lf:
      if (c != '\n') return fail("bad_trailer");
      state_ = State::done;
      return true;
    case At::trailer_lf:
      at_ = At::trailer_start;
      return c == '\n' || fail("bad_trailer");
    case At::trailer_value:
      if (c == '\r')
        at_ = At::trailer_lf;
      else if (c != '\t' && internal::is_control(static_cast<char>(c)))
        return fail("bad_trailer");
      return true;
    case At::trailer_start:
      if (c == '\r') {
        at_ = At::end_lf;
        return true;
      }
      name_size_ = 0;
      at_ = At::trailer_name;
      [[fallthrough]];
    default:
      if (c == ':' && name_size_ > 0) return end_of_trailer_name();
      if (!is_token_char(c)) return fail("bad_trailer");
      if (name_size_ < name_.size()) name_[name_size_++] = static_cast<char>(c);
      return true;
  }
}

// RFC 9110 section 6.5.1: no trailer for framing, routing, authentication, request modifiers,
// content. All are dropped here; who sends such a one counts on somebody merging it.
bool ChunkedDecoder::end_of_trailer_name() {
  at_ = At::trailer_value;
  switch (recognise({name_.data(), name_size_})) {
    case Known::none:
    case Known::etag:
    case Known::date:
    case Known::last_modified:
      return true;
    default:
      return fail("forbidden_trailer");
  }
}

void append_chunk_header(std::string& out, std::uint64_t size) {
  if (size == 0) return;
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, 16> text;
  std::size_t at = text.size();
  for (; size != 0; size >>= 4) text[--at] = digits[size & 15];
  out.append(text.data() + at, text.size() - at).append("\r\n");
}

void append_chunk(std::string& out, std::string_view data) {
  if (data.empty()) return;
  append_chunk_header(out, data.size());
  out.append(data).append("\r\n");
}

}  // namespace moat::http
