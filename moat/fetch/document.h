// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "moat/base/result.h"

namespace moat::fetch {

struct Options {
  // "https://host[:port]/path?query"; nothing that a stranger had a hand in.
  std::string url;
  // Who may have issued the server's certificate, in PEM; empty: the authorities that this system
  // trusts.
  std::string roots{};
  std::string accept = "application/json";
  // For the whole of it: name, connection, handshake, answer.
  std::chrono::milliseconds timeout{5'000};
  std::size_t max_bytes = 65536;
  // "http://" too, to this machine only: whoever is on the way could change everything.
  bool insecure_http_to_loopback = false;
  // Ends what is under way soon once it is true; may be null, and outlives the Document.
  const std::atomic<bool>* cancelled = nullptr;
};

// Document is one document at one address that the configuration names. It is asked for by a GET
// over HTTP/1.1 on a connection of its own, in the versions and suites of Moat's servers. A
// redirect is an error, and so is every status but 200, a coded body and one that was cut off; what
// the answer says of its own type does not matter. No proxy is used, and no environment read.
//
// A name may lead to a private network, where the operator's own servers are, but not to link-local
// addresses and other places where clouds keep their machines' credentials, nor to this machine,
// unless the URL itself says "localhost" or a loopback address.
class Document final {
 public:
  // The error is a sentence for the operator: a URL or `roots` of no use.
  [[nodiscard]] static Result<Document, std::string> create(const Options& options);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  // The body. Blocks for at most `timeout`: not for a thread that serves connections. The error is
  // a sentence for the log, without a word of the server's. Safe for concurrent use.
  [[nodiscard]] Result<std::string, std::string> get() const;

 private:
  struct State;
  explicit Document(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace moat::fetch
