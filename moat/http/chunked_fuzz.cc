// SPDX-License-Identifier: Apache-2.0
#include "moat/http/chunked.h"

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace {

using namespace moat::http;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Outcome {
  ChunkedDecoder::State state = ChunkedDecoder::State::more;
  std::string data;
  std::size_t consumed = 0;
  std::string_view code;
};

Outcome decode(std::string_view text, std::size_t piece) {
  ChunkedDecoder decoder;
  Outcome out;
  while (out.consumed < text.size() && decoder.state() == ChunkedDecoder::State::more) {
    const ChunkedDecoder::Step step = decoder.feed(text.substr(out.consumed, piece));
    require(step.consumed > 0 || step.state == ChunkedDecoder::State::failed);
    out.data += step.data;
    out.consumed += step.consumed;
  }
  out.state = decoder.state();
  out.code = decoder.code();
  return out;
}

}  // namespace

// One byte gives the size of the pieces: the outcome must not depend on it. The data of a body that
// ends, encoded again, must come back.
void fuzz(std::span<const std::uint8_t> data) {
  if (data.empty() || data.size() > 8192) return;
  const std::string_view text(reinterpret_cast<const char*>(data.data()) + 1, data.size() - 1);
  const Outcome whole = decode(text, text.size() + 1);
  const Outcome pieced = decode(text, data[0] % 16 + 1u);
  require(whole.state == pieced.state && whole.data == pieced.data && whole.code == pieced.code);
  require(whole.consumed == pieced.consumed);
  require((whole.state == ChunkedDecoder::State::failed) == !whole.code.empty());
  if (whole.state != ChunkedDecoder::State::done) return;
  std::string again;
  append_chunk(again, whole.data);
  again += last_chunk;
  const Outcome second = decode(again, again.size());
  require(second.state == ChunkedDecoder::State::done && second.data == whole.data);
}
