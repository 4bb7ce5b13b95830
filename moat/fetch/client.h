// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/result.h"

namespace moat::fetch {

struct ClientOptions {
  // Who may have issued the servers' certificates, in PEM; empty: the authorities that this system
  // trusts.
  std::string roots{};
  std::chrono::milliseconds timeout{30'000};  // for each request, as in Options
  std::size_t max_bytes = 262144;
};

struct Request {
  enum class Method { get, head, post } method = Method::get;
  std::string url;  // https
  std::string body{};
  std::string content_type{};  // of the body
  std::string accept = "*/*";
};

struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string body;
  // The first of that name (lower case), or empty.
  std::string_view field(std::string_view name) const;
};

// Client asks servers that tell each other's URLs, such as those of a CA: over HTTPS, each request
// on a connection of its own, with the same rules as Document. Every status is an answer; redirects
// are not followed.
class Client final {
 public:
  // The error is a sentence for the operator: `roots` of no use.
  [[nodiscard]] static Result<Client, std::string> create(ClientOptions options);
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;
  ~Client();

  // Blocks for at most `timeout`. The error is a sentence for the log, without a word of the
  // server's. Safe for concurrent use.
  [[nodiscard]] Result<Reply, std::string> send(const Request& request) const;
  // Ends what is under way soon, and lets nothing begin any more. From any thread.
  void cancel() const;

 private:
  struct State;
  explicit Client(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace moat::fetch
