// SPDX-License-Identifier: Apache-2.0
// A server of one's own, whose certificate comes from a CA and is renewed by itself: moat::https
// for TLS, moat::acme for the order, and this program's own thread, files and HTTP client around
// them. usage: renewing_server NAME PORT DIRECTORY-URL [ROOTS.pem]     (data in ./acme)
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>

#include "moat/acme/archive.h"
#include "moat/acme/order.h"
#include "moat/acme/renewal.h"
#include "moat/base/json.h"
#include "moat/certs/directory_storage.h"
#include "moat/fetch/client.h"
#include "moat/http/security_headers.h"
#include "moat/https/certificate_request.h"
#include "moat/https/local_ca.h"
#include "moat/https/tls.h"
#include "moat/net/sockets.h"

using namespace moat;

namespace {

// What one certificate takes: who it is for, who issues it, who asks, and where it is kept and
// served.
struct Site {
  acme::OrderOptions options;
  acme::Archive archive;
  fetch::Client http;
  std::shared_ptr<https::CertificateStore> names;
};

Result<jwt::Key, std::string> account_of(const acme::Archive::Turn& turn, const std::string& ca) {
  MOAT_TRY(const Secret kept, turn.account(ca));
  if (const auto jwk = json::parse(kept.reveal())) {
    if (auto key = jwt::Key::from_jwk(*jwk)) return std::move(*key);
  }
  auto made = jwt::Key::generate(jwt::Algorithm::es256, system_random());
  if (!made) return Error{std::string("no key could be made")};
  if (auto done = turn.keep_account(ca, made->private_jwk()); !done) return Error{done.error()};
  return std::move(*made);
}

acme::HttpResponse ask(const fetch::Client& http, const acme::HttpRequest& request) {
  using Method = acme::HttpRequest::Method;
  fetch::Request out;
  out.url = request.url;
  out.body = request.body;
  if (request.method == Method::head) out.method = fetch::Request::Method::head;
  if (request.method == Method::post) out.method = fetch::Request::Method::post;
  if (request.method == Method::post) out.content_type = "application/jose+json";
  const auto reply = http.send(out);
  if (!reply) return {};  // status 0
  return {reply->status,
          reply->body,
          std::string(reply->field("content-type")),
          std::string(reply->field("location")),
          std::string(reply->field("replay-nonce")),
          std::string(reply->field("retry-after"))};
}

// Carries one order out, thing by thing. The error is a sentence.
Result<void, std::string> get_certificate(Site& site) {
  MOAT_TRY(const std::optional<acme::Archive::Turn> turn, site.archive.take_turn());
  if (!turn) return Error{std::string("another process orders just now")};
  const std::string& ca = site.options.directory;
  MOAT_TRY(jwt::Key account, account_of(*turn, ca));
  MOAT_TRY(const Secret saved, turn->order(ca));
  MOAT_TRY(acme::Order order, acme::Order::create(site.options, std::nullopt, std::move(account),
                                                  saved, system_random()));
  for (;;) {
    const Time now = system_clock().now();
    acme::Action action = order.next(now);
    if (const auto* send = std::get_if<acme::Send>(&action)) {
      const acme::HttpResponse answer = ask(site.http, send->request);
      if (answer.status == 0) order.unreachable("no answer", system_clock().now());
      if (answer.status != 0) order.received(answer, system_clock().now());
    } else if (const auto* save = std::get_if<acme::Save>(&action)) {
      order.saved(turn->keep_order(ca, save->state).has_value());
    } else if (const auto* show = std::get_if<acme::Show>(&action)) {
      const acme::Challenge& proof =
          show->challenge;  // tls-alpn-01: a certificate for the CA alone
      const auto made = https::tls_alpn_certificate(proof.name, proof.digest(), now);
      if (made) site.names->put_challenge(proof.name, *made);
      made ? order.shown() : order.not_shown("no certificate");
    } else if (const auto* hide = std::get_if<acme::Hide>(&action)) {
      site.names->remove_challenge(hide->challenge.name);
      order.hidden();
    } else if (const auto* wait = std::get_if<acme::Wait>(&action)) {
      std::this_thread::sleep_for(wait->until - now);
    } else if (const auto* issued = std::get_if<acme::Issued>(&action)) {
      return turn->keep(issued->chain, issued->key, ca);
    } else if (const auto* failed = std::get_if<acme::Failed>(&action)) {
      return Error{failed->explain()};
    }
  }
}

// For ever: serves what is kept, gets another certificate when it is time, waits longer after each
// failure.
void keep_certificate(Site& site) {
  acme::Patience patience(system_random());
  for (;;) {
    const Time now = system_clock().now();
    Time next = now;
    if (const auto kept = site.archive.load(now); kept && *kept) {
      const https::Certificate& own = (*kept)->certificate;
      site.names->replace({own});
      const acme::Schedule plan(own.not_before(), own.not_after(), now, system_random());
      next = plan.renew_at();
      std::cout << "serving " << own.names().front() << " until " << format_rfc3339(own.not_after())
                << std::endl;
    }
    std::this_thread::sleep_for(next - now);
    const auto done = get_certificate(site);
    if (done) {
      patience.succeeded();
      continue;
    }
    std::cout << "no certificate: " << done.error() << std::endl;
    const Time failed_at = system_clock().now();
    std::this_thread::sleep_for(patience.failed(failed_at, std::nullopt) - failed_at);
  }
}

net::Task<void> greet(net::Loop& loop, int fd, ssl_ctx_st* tls) {
  net::TlsStream client(loop, fd, tls);
  const Tick deadline = loop.in(std::chrono::seconds{10});
  const auto shaken = co_await client.handshake(deadline);
  if (shaken != net::TlsStream::Handshake::done) co_return;
  std::string out = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n";
  http::SecurityHeaders().append({}, out);
  if (client.write(out + "\r\nHello.\n")) co_await client.flush(deadline);
  co_await net::linger(client, 65536, deadline);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string name = argv[1];
  std::ifstream file(argc > 4 ? argv[4] : "/dev/null");
  fetch::ClientOptions trust;
  trust.roots.assign(std::istreambuf_iterator<char>(file), {});
  auto http = fetch::Client::create(std::move(trust));
  if (!http) return 1;
  acme::OrderOptions options;
  options.directory = argv[3];
  options.names = {name};
  options.agree_to_terms = true;  // once you have read them
  options.challenges = {acme::ChallengeType::tls_alpn_01};
  Site site{std::move(options), acme::Archive(std::make_shared<certs::DirectoryStorage>("acme")),
            std::move(*http), std::make_shared<https::CertificateStore>()};
  // A start waits for no CA: until its certificate has come, one is shown that nobody trusts.
  const auto own = https::self_signed(name, system_clock().now());
  if (!own) return 1;
  const auto shown = https::Certificate::from_pem(own->certificate, own->key, system_clock().now());
  if (!shown) return 1;
  site.names->put(*shown);
  std::thread([&site] { keep_certificate(site); }).detach();

  auto tickets = std::make_shared<https::TicketKeys>(system_clock(), system_random());
  auto tls = https::ServerContext::create({}, site.names, tickets);
  net::Loop loop;
  const auto port = static_cast<std::uint16_t>(std::stoi(argv[2]));
  auto listening = net::listen_on({IpAddress::from_v4(0x7f000001), port});
  if (!tls || !listening) return 1;
  net::Listener listener(loop, *listening, [&](int fd, const net::Endpoint&) {
    net::spawn(greet(loop, fd, tls->native()));
  });
  std::cout << "listening on https://" << name << ":" << listener.local().port << std::endl;
  loop.run();
}
