// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace moat::http {

// ChunkLimits bounds what is not data. The framing as a whole may take base + per_byte * data,
// which ends a stream of one-byte chunks (5 bytes of framing each) after some 5,000 of them and
// lets chunks of 3 bytes and more go on for ever.
struct ChunkLimits {
  std::size_t extension_bytes = 256;  // of one chunk
  std::size_t trailer_bytes = 4096;
  std::uint64_t overhead_base = 16384;
  std::uint64_t overhead_per_byte = 2;

  // A backend may well stream single characters.
  static constexpr ChunkLimits for_backend() {
    ChunkLimits limits;
    limits.overhead_per_byte = 8;
    return limits;
  }
};

// ChunkedDecoder takes a chunked body apart (RFC 9112 section 7.1) as the bytes come. Sizes are 1
// to 16 hex digits, line ends exactly CRLF; extensions and trailers are checked, bounded and
// dropped; a trailer that names a field of framing, routing or identity is refused.
class ChunkedDecoder final {
 public:
  enum class State { more, done, failed };
  struct Step {
    State state = State::more;
    std::string_view data;     // points into the input; may be empty
    std::size_t consumed = 0;  // bytes of the input that are dealt with, the data included
  };

  explicit ChunkedDecoder(const ChunkLimits& limits = {}) : limits_(limits) {}
  void reset() { *this = ChunkedDecoder(limits_); }

  // feed reads until it has a piece of data to give, the input ends or the body does. Call it again
  // with what is left until it consumes nothing or says done or failed; bytes behind `done` belong
  // to the next message.
  [[nodiscard]] Step feed(std::string_view input);

  State state() const { return state_; }
  std::uint64_t data_bytes() const { return data_bytes_; }
  // Of the current chunk, as announced: a body that will be too large is known before it comes.
  std::uint64_t chunk_left() const { return remaining_; }
  // Why it failed: a stable name, a literal; empty otherwise.
  std::string_view code() const { return code_; }

 private:
  enum class At : std::uint8_t {
    size,
    extension_name,
    extension_value,
    extension_quoted,
    extension_escape,
    extension_next,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf
  };
  bool step(unsigned char c);
  bool step_size(unsigned char c);
  bool step_extension(unsigned char c);
  bool step_trailer(unsigned char c);
  bool end_of_trailer_name();
  bool fail(std::string_view code);

  ChunkLimits limits_;
  At at_ = At::size;
  State state_ = State::more;
  std::uint8_t digits_ = 0;
  std::uint8_t name_size_ = 0;
  bool token_empty_ = false;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
  std::uint64_t remaining_ = 0;  // of the current chunk
  std::uint64_t data_bytes_ = 0;
  std::uint64_t overhead_ = 0;
  std::array<char, 64> name_;  // of the current trailer; longer names are none that matter
  std::string_view code_;
};

// append_chunk_header writes "1a2b\r\n"; the data follows, then "\r\n". Nothing for a size of 0,
// which would end the body.
void append_chunk_header(std::string& out, std::uint64_t size);
// append_chunk writes one whole chunk; nothing for empty data.
void append_chunk(std::string& out, std::string_view data);
// What ends a chunked body without trailers.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace moat::http
