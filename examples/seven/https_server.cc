// SPDX-License-Identifier: Apache-2.0
// 1. HTTPS everywhere. In Node: https.createServer({key, cert}, handler).listen(port).
// usage: https_server [PORT]. Its local CA is in ./ca: curl --cacert ca/root.crt
// https://localhost:8443
#include <iostream>
#include <string>

#include "moat/certs/local_ca_files.h"
#include "moat/http/request.h"
#include "moat/http/security_headers.h"
#include "moat/https/tls.h"
#include "moat/net/sockets.h"

using namespace moat;

net::Task<void> serve(net::Loop& loop, int fd, ssl_ctx_st* tls) {
  net::TlsStream client(loop, fd, tls);
  const Tick deadline = loop.in(std::chrono::seconds{10});
  const auto shaken = co_await client.handshake(deadline);
  if (shaken != net::TlsStream::Handshake::done) co_return;
  std::string in;
  http::RequestHead head;
  for (http::ParseStatus status; !status.complete();) {
    const net::Wait wait = co_await client.readable(deadline);
    if (wait != net::Wait::ready) co_return;
    char some[4096];
    const net::Io got = client.read(some, sizeof some);
    if (got.state == net::Io::blocked) continue;
    if (got.state != net::Io::ok) co_return;
    in.append(some, got.bytes);
    status = http::parse_request_head(in, {}, head);
    if (status.refused()) co_return;  // two meanings: no answer
  }
  std::string out = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nConnection: close\r\n";
  http::SecurityHeaders().append({}, out);
  if (client.write(out + "\r\nHello, secure!\n")) co_await client.flush(deadline);
  co_await net::linger(client, 65536, deadline);
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::stoi(argv[1]) : 8443);
  // [readme]
  const Log log = Log::to_stderr(system_clock());
  auto certificate = certs::LocalCaFiles("ca").load_or_create({}, system_clock().now(), log);
  if (!certificate) return 1;  // certificate.error().message says what to do
  auto names = std::make_shared<https::CertificateStore>();
  names->put(*certificate);  // or certs::load_files("chain.pem", "key.pem", now)
  auto tickets = std::make_shared<https::TicketKeys>(system_clock(), system_random());
  auto tls = https::ServerContext::create({}, names, tickets);  // TLS 1.2 and 1.3 only
  net::Loop loop;
  auto listening = net::listen_on({IpAddress::from_v4(0x7f000001), port});
  if (!tls || !listening) return 1;
  net::Listener listener(loop, *listening, [&](int fd, const net::Endpoint&) {
    net::spawn(serve(loop, fd, tls->native()));
  });
  // [/readme]
  std::cout << "listening on https://localhost:" << listener.local().port << std::endl;
  loop.run();
}
