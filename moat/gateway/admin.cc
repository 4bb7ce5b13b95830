// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/admin.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "moat/http/answer.h"
#include "moat/http/request.h"

namespace moat::gateway {

namespace {

Result<sockaddr_un, std::string> socket_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return Error{"the path of the admin socket is too long: " + path};
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

// A name in Host would let a web page reach the listener by DNS rebinding: only addresses and
// localhost are answered.
bool is_address(std::string_view host) {
  const auto parsed = HostPort::parse(host);
  return parsed && (parsed->host == "localhost" || IpAddress::parse(parsed->host).has_value());
}

constexpr std::size_t most_bytes = 16 * 1024;

}  // namespace

Result<std::unique_ptr<Admin>, std::string> Admin::start(const std::string& socket_path,
                                                         const std::vector<net::Endpoint>& tcp,
                                                         Handler handler) {
  std::unique_ptr<Admin> admin(new Admin(std::move(handler)));
  auto address = socket_address(socket_path);
  if (!address) return Error{address.error()};
  ::unlink(socket_path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const mode_t before = ::umask(0177);
  const bool bound =
      fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0;
  ::umask(before);
  if (!bound || ::listen(fd, 16) != 0) {
    std::string why = "cannot listen on " + socket_path + ": " + std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return Error{std::move(why)};
  }
  admin->socket_path_ = socket_path;
  struct stat bound_at {};
  if (::stat(socket_path.c_str(), &bound_at) == 0) admin->socket_inode_ = bound_at.st_ino;
  admin->listen(fd, true);
  for (const net::Endpoint& endpoint : tcp) {
    auto listening = net::listen_on(endpoint);
    if (!listening) return Error{listening.error()};
    admin->listen(*listening, false);
  }
  admin->thread_ = std::thread([raw = admin.get()] { raw->loop_.run(); });
  return admin;
}

void Admin::listen(int fd, bool local) {
  listeners_.push_back(std::make_unique<net::Listener>(
      loop_, fd,
      [this, local](int client, const net::Endpoint&) { net::spawn(serve(client, local)); }));
}

Admin::~Admin() {
  if (thread_.joinable()) {
    loop_.post([this] {
      for (const auto& listener : listeners_) listener->close();
      for (net::Stream* stream : open_) stream->cancel();
      loop_.stop();
    });
    thread_.join();
  }
  for (const auto& listener : listeners_) listener->close();
  // The coroutines end on the loop's next turns.
  for (int i = 0; i < 100; ++i) {
    loop_.turn(std::chrono::milliseconds{0});
    const bool all = std::all_of(listeners_.begin(), listeners_.end(),
                                 [](const auto& l) { return l->closed(); });
    if (all && open_.empty()) break;
  }
  // A process that took over has one of its own there.
  struct stat there {};
  if (!socket_path_.empty() && ::stat(socket_path_.c_str(), &there) == 0 &&
      there.st_ino == socket_inode_)
    ::unlink(socket_path_.c_str());
}

net::Task<void> Admin::serve(int fd, bool local) {
  net::TcpStream stream(loop_, fd);
  open_.push_back(&stream);
  const Tick deadline = loop_.in(std::chrono::seconds(10));
  std::string in;
  http::RequestHead head;
  std::size_t consumed = 0;
  bool good = false;
  char buffer[4096];
  for (;;) {
    const http::ParseStatus status = http::parse_request_head(in, http::HeadLimits(), head);
    if (status.complete()) {
      consumed = status.consumed;
      good = head.body.kind == http::Framing::Kind::none ||
             (head.body.kind == http::Framing::Kind::length && head.body.length <= most_bytes);
      if (!good || in.size() - consumed >= head.body.length) break;
    } else if (status.refused() || in.size() > most_bytes) {
      break;
    }
    const net::Io got = stream.read(buffer, sizeof buffer);
    if (got.state == net::Io::ok) {
      in.append(buffer, got.bytes);
      continue;
    }
    if (got.state != net::Io::blocked) break;
    const net::Wait wait = co_await stream.readable(deadline);
    if (wait != net::Wait::ready) break;
  }
  AdminAnswer answer;
  if (!good || (!local && !is_address(head.host))) {
    answer.status = 400;
    answer.body = "{\"code\":\"bad_request\"}\n";
  } else {
    answer = handler_(head.method_text, head.path, std::string_view(in).substr(consumed), local);
  }
  std::string out;
  http::append_status_line(answer.status, out);
  out +=
      "Content-Type: " + answer.content_type +
      "\r\nContent-Length: " + std::to_string(answer.body.size()) +
      "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
  if (head.method != http::Method::head) out += answer.body;
  if (stream.write(out)) co_await net::linger(stream, most_bytes, deadline);
  open_.erase(std::find(open_.begin(), open_.end(), &stream));
}

Result<AdminReply, std::string> ask_admin(const std::string& socket_path, std::string_view method,
                                          std::string_view path, std::string_view body) {
  auto address = socket_address(socket_path);
  if (!address) return Error{address.error()};
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string out =
      std::string(method) + " " + std::string(path) +
      " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + std::string(body);
  const bool sent =
      fd >= 0 &&
      ::connect(fd, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0 &&
      ::send(fd, out.data(), out.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(out.size());
  if (!sent) {
    std::string why = "no running Moat answers at " + socket_path + ": " + std::strerror(errno);
    if (fd >= 0) ::close(fd);
    return Error{std::move(why)};
  }
  std::string in;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    in.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  AdminReply reply;
  if (in.size() < 12 ||
      std::from_chars(in.data() + 9, in.data() + 12, reply.status).ec != std::errc()) {
    return Error{std::string("the running Moat gave no answer")};
  }
  const std::size_t end = in.find("\r\n\r\n");
  if (end != std::string::npos) reply.body = in.substr(end + 4);
  return reply;
}

}  // namespace moat::gateway
