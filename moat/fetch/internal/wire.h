// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "moat/base/clock.h"
#include "moat/base/result.h"
#include "moat/fetch/socket.h"
#include "moat/https/client_tls.h"

struct ssl_st;
struct bio_st;

namespace moat::fetch::internal {

// Wire carries one request and its answer, over TLS where there is a context.
class Wire final {
 public:
  // `socket` is connected; both outlive the wire.
  Wire(Socket& socket, const https::ClientContext* context, Tick deadline);
  Wire(const Wire&) = delete;  // OpenSSL's objects point at each other
  Wire& operator=(const Wire&) = delete;
  ~Wire();

  // Nothing to do without TLS. The error is a sentence.
  [[nodiscard]] Result<void, std::string> handshake();
  [[nodiscard]] bool write(std::string_view bytes);
  // How many bytes came; 0: the end that the server meant; negative: failed, cut off, or not in
  // time.
  [[nodiscard]] long read(char* buffer, std::size_t size);

 private:
  template <class Operation>
  long drive(Operation operation);
  bool send_out();

  Socket& socket_;
  Tick deadline_;
  const https::ClientContext* context_;
  ssl_st* ssl_ = nullptr;
  bio_st* in_ = nullptr;  // both belong to ssl_
  bio_st* out_ = nullptr;
  unsigned long error_ = 0;
};

}  // namespace moat::fetch::internal
