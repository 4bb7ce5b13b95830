// SPDX-License-Identifier: Apache-2.0
#include "moat/http/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace moat::http {
namespace {

using State = ChunkedDecoder::State;
using std::string;
using std::string_view;

struct Outcome {
  State state = State::more;
  string data;
  std::size_t consumed = 0;
  string_view code;
};

// Feeds `text` in pieces of `piece` bytes.
Outcome decode(string_view text, std::size_t piece, const ChunkLimits& limits = {}) {
  ChunkedDecoder decoder(limits);
  Outcome out;
  while (out.consumed < text.size() && decoder.state() == State::more) {
    string_view input = text.substr(out.consumed, piece);
    const ChunkedDecoder::Step step = decoder.feed(input);
    out.data += step.data;
    out.consumed += step.consumed;
    if (step.consumed == 0 && step.state == State::more) break;
  }
  out.state = decoder.state();
  out.code = decoder.code();
  EXPECT_EQ(decoder.data_bytes(), out.data.size());
  return out;
}
string refusal(string_view text, const ChunkLimits& limits = {}) {
  const Outcome out = decode(text, text.size(), limits);
  const Outcome slow = decode(text, 1, limits);
  EXPECT_EQ(out.state, slow.state);
  EXPECT_EQ(out.data, slow.data);
  EXPECT_EQ(out.code, slow.code);
  EXPECT_EQ(out.consumed, slow.consumed);
  if (out.state == State::failed) return string(out.code);
  return out.state == State::done ? "done " + out.data : "more " + out.data;
}

TEST(Chunked, JoinsChunks) {
  EXPECT_EQ(refusal("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"), "done hello world");
  EXPECT_EQ(refusal("0\r\n\r\n"), "done ");
  EXPECT_EQ(refusal("A\r\n0123456789\r\n00a\r\n0123456789\r\n000\r\n\r\n"),
            "done 01234567890123456789");
}

TEST(Chunked, StopsAtTheEndOfTheBody) {
  const string_view text = "1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
  const Outcome out = decode(text, text.size());
  EXPECT_EQ(out.state, State::done);
  EXPECT_EQ(out.consumed, 11u);
}

TEST(Chunked, WaitsForMore) {
  const string_view text = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(decode(text.substr(0, size), 3).state, State::more) << size;
  EXPECT_EQ(decode(text, 3).state, State::done);
}

TEST(Chunked, RefusesOtherSizes) {
  for (const char* size : {"", "g", "+5", "-5", "0x5", " 5", "5 ", "5\t", "1_0", "5\v"})
    EXPECT_EQ(refusal(string(size) + "\r\nhello\r\n0\r\n\r\n"), "bad_chunk_size") << size;
  EXPECT_EQ(refusal("5\nhello\r\n0\r\n\r\n"), "bad_chunk_size");
  EXPECT_EQ(refusal("5\rhello\r\n0\r\n\r\n"), "bad_chunk_line_end");
}

TEST(Chunked, CountsSixteenDigitsAndNoMore) {
  EXPECT_EQ(refusal("ffffffffffffffff\r\nx"), "more x");
  EXPECT_EQ(refusal("0000000000000001\r\nx\r\n0\r\n\r\n"), "done x");
  EXPECT_EQ(refusal("10000000000000000\r\nx"), "chunk_size_overflow");
  EXPECT_EQ(refusal("00000000000000001\r\nx"), "chunk_size_overflow");
}

TEST(Chunked, RefusesChunksThatEndElsewhere) {
  EXPECT_EQ(refusal("5\r\nhello0\r\n\r\n"), "bad_chunk_end");
  EXPECT_EQ(refusal("4\r\nhello\r\n0\r\n\r\n"), "bad_chunk_end");
  EXPECT_EQ(refusal("5\r\nhello\n0\r\n\r\n"), "bad_chunk_end");
  EXPECT_EQ(refusal("5\r\nhello\rX"), "bad_chunk_end");
}

TEST(Chunked, DropsExtensionsByTheGrammar) {
  EXPECT_EQ(refusal("1;a=b;c;d=\"e;\\\"\xc3\"\r\nx\r\n0\r\n\r\n"), "bad_chunk_extension");
  EXPECT_EQ(refusal("1;a=b;c;d=\"e; \\\"f\"\r\nx\r\n0;z\r\n\r\n"), "done x");
  for (const char* extension : {";", ";;a", "; a", ";a ", ";a =b", ";a=", ";a=;b", ";=b",
                                ";a=\"b\"c", ";a=\"b", ";a\x01", ";a=b=c", ";a\n", ";\x7f"})
    EXPECT_EQ(refusal("1" + string(extension) + "\r\nx\r\n0\r\n\r\n"), "bad_chunk_extension")
        << extension;
  EXPECT_EQ(refusal("1;a\rX\r\nx"), "bad_chunk_line_end");
  EXPECT_EQ(refusal("1;" + string(255, 'a') + "\r\nx"), "more x");
  EXPECT_EQ(refusal("1;" + string(256, 'a') + "\r\nx"), "chunk_extension_too_long");
  EXPECT_EQ(refusal("1;" + string(254, 'a') + "\r\nx\r\n1;" + string(254, 'a') + "\r\ny"),
            "more xy");
}

TEST(Chunked, DropsTrailersAndRefusesThoseThatMatter) {
  EXPECT_EQ(refusal("1\r\nx\r\n0\r\nX-Sum: a b\r\nETag: \"1\"\r\n\r\n"), "done x");
  for (const char* trailer :
       {"Content-Length: 5", "Transfer-Encoding: chunked", "Host: a", "Authorization: b",
        "Cookie: a", "X-Moat-User: a", "x_moat_user: a", "Content_Length: 5", "Set-Cookie: a"})
    EXPECT_EQ(refusal("1\r\nx\r\n0\r\n" + string(trailer) + "\r\n\r\n"), "forbidden_trailer")
        << trailer;
  const string long_name = "X-Moat-" + string(80, 'a');
  EXPECT_EQ(refusal("0\r\n" + long_name + ": a\r\n\r\n"), "forbidden_trailer");
  for (const char* trailer : {": a", "A : b", "A", " A: b", "A: b\n", "A: \x01", "A: b\rC"})
    EXPECT_EQ(refusal("0\r\n" + string(trailer) + "\r\n\r\n"), "bad_trailer") << trailer;
  EXPECT_EQ(refusal("0\r\n\n"), "bad_trailer");
  EXPECT_EQ(refusal("0\r\n\rX"), "bad_trailer");
  EXPECT_EQ(refusal("0\r\nA: " + string(5000, 'a') + "\r\n\r\n"), "trailer_too_long");
}

TEST(Chunked, EndsStreamsThatAreMostlyFraming) {
  string tiny;
  for (int i = 0; i < 10000; ++i) tiny += "1\r\nx\r\n";
  EXPECT_EQ(refusal(tiny), "chunk_overhead");
  string small;
  for (int i = 0; i < 10000; ++i) small += "3\r\nxyz\r\n";
  EXPECT_EQ(decode(small, 4096).state, State::more);
  EXPECT_EQ(decode(tiny, 4096, ChunkLimits::for_backend()).state, State::more);
  string extended;
  for (int i = 0; i < 1000; ++i) extended += "1;" + string(200, 'a') + "\r\nx\r\n";
  EXPECT_EQ(decode(extended, 4096, ChunkLimits::for_backend()).code, "chunk_overhead");
}

TEST(Chunked, StaysFailedAndDone) {
  ChunkedDecoder decoder;
  EXPECT_EQ(decoder.feed("x").state, State::failed);
  EXPECT_EQ(decoder.feed("0\r\n\r\n").state, State::failed);
  EXPECT_EQ(decoder.feed("0\r\n\r\n").consumed, 0u);
  decoder.reset();
  EXPECT_EQ(decoder.feed("0\r\n\r\n").state, State::done);
  EXPECT_EQ(decoder.feed("0\r\n\r\n").consumed, 0u);
}

TEST(Chunked, IsWrittenSoThatItReadsBack) {
  string out;
  append_chunk(out, "hello");
  append_chunk(out, "");
  append_chunk(out, string(300, 'x'));
  append_chunk_header(out, 0);
  out += last_chunk;
  EXPECT_EQ(out.substr(0, 10), "5\r\nhello\r\n");
  EXPECT_EQ(out.substr(10, 5), "12c\r\n");
  EXPECT_EQ(refusal(out), "done hello" + string(300, 'x'));
}

}  // namespace
}  // namespace moat::http
