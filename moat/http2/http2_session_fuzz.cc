// SPDX-License-Identifier: Apache-2.0
// A hostile client: any bytes, in pieces, while answers are given, withheld and broken off.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <span>
#include <string>

#include "moat/http2/session.h"

namespace {

using namespace moat;
using namespace moat::http2;

void require(bool condition) {
  if (!condition) std::abort();
}

class Server final : public Session::Events {
 public:
  Server() : session(*this, limits()) {}

  static Limits limits() {
    Limits out;
    out.head = 2000;
    return out;
  }

  bool on_request(Session::Stream id, std::string_view head, Session::RequestBody body) override {
    require(streams.count(id) == 0);
    // A head is one message: nothing in it ends a line but what ends each.
    require(head.size() > 4 && head.compare(head.size() - 4, 4, "\r\n\r\n") == 0);
    require(head.find("\r\n\r\n") == head.size() - 4);
    for (std::size_t i = 0; i < head.size(); ++i) {
      require(head[i] != '\n' || (i > 0 && head[i - 1] == '\r'));
      require(head[i] != '\r' || (i + 1 < head.size() && head[i + 1] == '\n'));
      require(head[i] != '\0');
    }
    require(head.find("transfer-encoding:") == head.npos || body == Session::RequestBody::chunked);
    if (id % 7 == 0) return false;
    streams[id] = 3000;
    return true;
  }
  void on_data(Session::Stream id, std::string_view bytes) override {
    require(streams.count(id) != 0);
    held += bytes.size();
    require(held <= limits().connection_window);
    if (id % 3 != 0) {
      session.consumed(id, bytes.size());
      held -= bytes.size();
    }
  }
  void on_end(Session::Stream id) override {
    if (streams.count(id) == 0) return;
    if (id % 5 == 0) return session.reset(id, Session::End::failed);
    session.respond(id, "HTTP/1.1 200 OK\r\nContent-Length: 3000\r\nX-Y: z\r\n\r\n", false);
  }
  void on_closed(Session::Stream id) override { require(streams.erase(id) == 1); }
  std::size_t on_pull(Session::Stream id, char* to, std::size_t size, bool& end) override {
    require(streams.count(id) != 0);
    const std::size_t count = std::min(size, streams[id]);
    std::fill_n(to, count, 'x');
    streams[id] -= count;
    end = streams[id] == 0;
    return count;
  }

  std::map<Session::Stream, std::size_t> streams;  // and how much of the answer is left
  std::size_t held = 0;
  Session session;
};

}  // namespace

// The first byte says how large the pieces are; a second one whether the preface is given.
void fuzz(std::span<const std::uint8_t> input) {
  if (input.size() < 2) return;
  const std::size_t piece = 1 + input[0] * std::size_t{8};
  const bool skip_preface = input[1] % 2 == 0;
  std::string bytes(reinterpret_cast<const char*>(input.data()) + 2, input.size() - 2);
  if (skip_preface) {
    bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\0", 9) + bytes;
  }
  Server server;
  std::string out;
  Tick now{std::chrono::seconds{1}};
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const bool going = server.session.feed(std::string_view(bytes).substr(at, piece), now);
    out.clear();
    if (!server.session.output(out, 1 << 16)) break;
    require(server.session.open_streams() == server.streams.size());
    if (!going) break;
    now += std::chrono::milliseconds{1};
  }
}
