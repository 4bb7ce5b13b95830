// SPDX-License-Identifier: Apache-2.0
// A backend on cpp-httplib with Moat's shield in front of its own routes.
// usage: guestbook [--port N] [--data DIRECTORY] [--limit POLICY]
#include <httplib.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "moat/base/json.h"
#include "moat/certs/local_ca_files.h"
#include "moat_httplib.h"
#include "shield_stack.h"

using namespace moat;

namespace {

struct Arguments {
  int port = 8443;
  ShieldStack::Options stack{"guestbook-data", {}};
};

std::optional<Arguments> read_arguments(int argc, char** argv) {
  Arguments out;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--port") {
      out.port = std::stoi(value);
    } else if (name == "--data") {
      out.stack.directory = value;
    } else if (auto policy = limit::Policy::parse(value); name == "--limit" && policy) {
      out.stack.limit = *policy;
    } else {
      return std::nullopt;
    }
  }
  return argc % 2 == 1 ? std::optional(out) : std::nullopt;
}

// The application: it knows nothing of passwords, tokens, limits or forged requests.
class Guestbook {
 public:
  void add_routes(httplib::Server& server, const moat_httplib::Guard& guard) {
    server.Get("/", [](const auto&, auto& response) {
      response.set_content("<!doctype html><title>Guest book</title><h1>Guest book</h1>\n",
                           "text/html; charset=utf-8");
    });
    server.Get("/entries", [this](const auto&, auto& response) {
      const std::lock_guard lock(mutex_);
      response.set_content(json::serialize(entries_) + "\n", "application/json");
    });
    server.Post("/entries", [this, &guard](const auto& request, auto& response) {
      const auto body = json::parse(request.body, {.depth = 2, .string_bytes = 1000});
      const json::Value* text = body ? body->find("text") : nullptr;
      if (text == nullptr || text->as_string() == nullptr) {
        response.status = 400;
        return;
      }
      const std::lock_guard lock(mutex_);
      if (entries_.size() == most) entries_.erase(entries_.begin());
      entries_.push_back(json::Object{{"by", guard.user()->email}, {"text", *text}});
      response.status = 201;
      response.set_header("Set-Cookie", "last_entry=1; Path=/");
    });
    server.Get("/admin/entries/count", [this](const auto&, auto& response) {
      const std::lock_guard lock(mutex_);
      response.set_content(std::to_string(entries_.size()) + "\n", "text/plain");
    });
  }

 private:
  static constexpr std::size_t most = 1000;
  std::mutex mutex_;
  json::Array entries_;  // the latest `most`
};

int fail(const std::string& message) {
  std::cerr << "guestbook: " << message << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto arguments = read_arguments(argc, argv);
  if (!arguments) return fail("[--port N] [--data DIRECTORY] [--limit POLICY]");
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);  // before any thread: all inherit it

  const Log log = Log::to_stderr(system_clock());
  auto stack = ShieldStack::open(arguments->stack, log);
  if (!stack) return fail(stack.error());
  const certs::LocalCaFiles ca(arguments->stack.directory + "/ca");
  auto certificate = ca.load_or_create({}, system_clock().now(), log);
  if (!certificate) return fail(certificate.error().message);

  httplib::SSLServer server((ca.directory() / "leaf.crt").c_str(),
                            (ca.directory() / "leaf.key").c_str());
  if (!server.is_valid()) return fail("httplib does not take the certificate");
  SSL_CTX_set_min_proto_version(server.ssl_context(), TLS1_2_VERSION);

  // [readme]
  const std::vector<std::string> admins{"admin"};
  shield::Rules everybody, administrators;  // a Rules asks for a login unless told otherwise
  everybody.login = shield::Rules::Login::none;
  administrators.roles = admins;
  moat_httplib::Guard guard((*stack)->shield(), (*stack)->auth(), log, {});
  guard.allow("/", everybody);
  guard.allow("/admin/*", administrators);
  guard.attach(server);  // and /auth/signup, /auth/login, …
  // [/readme]
  Guestbook guestbook;
  guestbook.add_routes(server, guard);

  int port = arguments->port;
  if (port == 0) {
    port = server.bind_to_any_port("127.0.0.1");
  } else if (!server.bind_to_port("127.0.0.1", port)) {
    port = -1;
  }
  if (port < 0) return fail("the port cannot be had");
  std::cout << "guestbook: listening on https://localhost:" << port << std::endl;
  std::thread stopper([&] {
    int signal = 0;
    sigwait(&ending, &signal);
    server.stop();
  });
  const bool served = server.listen_after_bind();
  if (!served) ::kill(::getpid(), SIGTERM);
  stopper.join();
  return served ? 0 : 1;
}
