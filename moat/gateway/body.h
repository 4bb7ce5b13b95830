// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/http/chunked.h"
#include "moat/http/request.h"
#include "moat/net/task.h"

namespace moat::gateway {

class Connection;

// BodyReader reads a request's body piece by piece, bounded in size, in silence and in slowness.
class BodyReader final {
 public:
  struct Piece {
    enum Kind { data, end, failed } kind = failed;
    std::string_view bytes;  // valid until the next call
  };
  // `most` bytes of data, inclusive.
  BodyReader(Connection& connection, const http::Framing& framing, std::uint64_t most);

  net::Task<Piece> next();
  bool done() const { return done_; }
  // Of a failure: 408, 413, 400, or 0 where the client is gone.
  int status() const { return status_; }
  std::string_view code() const { return code_; }

 private:
  Piece fail(int status, std::string_view code);
  Piece take();
  net::Task<bool> fill();

  Connection& connection_;
  http::Framing framing_;
  http::ChunkedDecoder decoder_;
  std::uint64_t remaining_;
  std::uint64_t most_;
  std::uint64_t total_ = 0;
  Tick started_;
  bool done_;
  bool continue_sent_ = false;
  int status_ = 0;
  std::string_view code_;
};

}  // namespace moat::gateway
