// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "moat/base/ip.h"
#include "moat/base/result.h"
#include "moat/net/loop.h"
#include "moat/net/stream.h"
#include "moat/net/task.h"

namespace moat::net {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::string to_string() const;
};

// Nothing where no other program listens at `endpoint`, else a sentence. With SO_REUSEPORT alone a
// second one would silently get every other connection.
[[nodiscard]] Result<void, std::string> check_free(const Endpoint& endpoint);
// False where this machine has no such kind of address: IPv6 is often not there.
bool has_address(const IpAddress& address);
// Opens a listening TCP socket (SO_REUSEPORT: one a loop shares the port). Port 0 picks one. The
// error is a sentence.
[[nodiscard]] Result<int, std::string> listen_on(const Endpoint& endpoint);
// The address a socket is bound to.
Endpoint local_endpoint(int fd);

// Listener accepts until it is closed. When descriptors run out it waits and goes on: the
// connections there are served.
class Listener final {
 public:
  using OnAccept = std::function<void(int fd, const Endpoint& peer)>;
  // `on_exhausted` is called when there is no descriptor or memory for a client who waits.
  Listener(Loop& loop, int fd, OnAccept on_accept, std::function<void()> on_exhausted = {});
  // Stops accepting; the accept task ends on the loop's next turn, after which the listener may
  // die.
  void close() { descriptor_.cancel(); }
  bool closed() const { return closed_; }
  Endpoint local() const { return local_endpoint(descriptor_.fd()); }

 private:
  Task<void> accept_all();
  Loop& loop_;
  Descriptor descriptor_;
  OnAccept on_accept_;
  std::function<void()> on_exhausted_;
  bool closed_ = false;
};

enum class ConnectError {
  refused,
  timed_out,
  unreachable,
  no_descriptors,
  no_such_socket,  // a path where there is nothing
  not_permitted    // a socket that this user may not write to
};
std::string_view to_string(ConnectError error);

// Connects to `endpoint` until `deadline`.
Task<Result<std::unique_ptr<TcpStream>, ConnectError>> connect_to(Loop& loop, Endpoint endpoint,
                                                                  Tick deadline);
// The same to a Unix socket; a path is at most `longest_unix_path` bytes.
inline constexpr std::size_t longest_unix_path = 107;
Task<Result<std::unique_ptr<TcpStream>, ConnectError>> connect_to_unix(Loop& loop, std::string path,
                                                                       Tick deadline);
// The same as `connect_to`, for TLS as the client: SSL_new(context), no handshake yet.
Task<Result<std::unique_ptr<TlsStream>, ConnectError>> connect_to_tls(Loop& loop, Endpoint endpoint,
                                                                      ssl_ctx_st* context,
                                                                      Tick deadline);

}  // namespace moat::net
