// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "moat/acme/internal/answers.h"
#include "moat/acme/order.h"
#include "moat/acme/renewal.h"

namespace {

using namespace moat;
using namespace moat::acme;

void require(bool condition) {
  if (!condition) std::abort();
}

// Bodies that lead an order on, so that the fuzzer gets behind the directory.
constexpr std::array<std::string_view, 8> bodies = {
    R"({"newNonce":"https://c/n","newAccount":"https://c/a","newOrder":"https://c/o","renewalInfo":"https://c/r"})",
    R"({"status":"valid"})",
    R"({"status":"pending","authorizations":["https://c/z"],"finalize":"https://c/f"})",
    R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[{"type":"tls-alpn-01","url":"https://c/1","token":"t"},{"type":"http-01","url":"https://c/2","token":"u"}]})",
    R"({"status":"valid","identifier":{"type":"dns","value":"a.example"},"challenges":[]})",
    R"({"status":"ready","authorizations":["https://c/z"],"finalize":"https://c/f"})",
    R"({"status":"valid","authorizations":["https://c/z"],"finalize":"https://c/f","certificate":"https://c/c"})",
    R"({"type":"urn:ietf:params:acme:error:badNonce","detail":"again"})"};

// The bytes as a CA: what it answers to each request.
class Ca {
 public:
  explicit Ca(std::string_view bytes) : rest_(bytes) {}

  HttpResponse answer() {
    HttpResponse out;
    constexpr std::array<int, 8> statuses = {200, 200, 200, 201, 400, 429, 503, 302};
    const unsigned choice = byte();
    out.status = statuses[choice & 7];
    if ((choice & 8) == 0) out.replay_nonce = "n";
    if ((choice & 16) == 0) out.location = "https://c/l";
    if ((choice & 128) == 0) {
      out.body = bodies[(choice >> 4) & 7];
    } else {
      out.body = text();
    }
    if ((choice & 96) == 96) out.retry_after = text();
    return out;
  }
  unsigned byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }

 private:
  std::string text() {
    const std::size_t end = rest_.find('\0');
    std::string out(rest_.substr(0, end));
    rest_ = end == rest_.npos ? std::string_view() : rest_.substr(end + 1);
    return out;
  }
  std::string_view rest_;
};

}  // namespace

// Whatever the CA says, an order ends, takes away what it has shown, saves before it asks for a
// certificate, and asks only servers that it may.
void fuzz(std::span<const std::uint8_t> data) {
  const std::string_view bytes(reinterpret_cast<const char*>(data.data()), data.size());
  (void)parse_renewal_info(bytes);
  if (const auto saved = read_saved(bytes)) require(is_usable_url(saved->order_url));

  InsecureSeededRandom random(1);
  static const jwt::Key account = jwt::Key::generate(jwt::Algorithm::es256, random).value();
  OrderOptions options;
  options.directory = "https://c/d";
  options.agree_to_terms = true;
  options.names = {"a.example"};
  options.replaces = "x.y";
  Ca ca(bytes);
  Order order =
      Order::create(std::move(options), std::nullopt, account, Secret::copy_of(bytes), random)
          .value();
  Time now = from_unix_seconds(1'795'000'000);
  bool saved = read_saved(bytes).has_value();
  int standing = 0;
  for (int i = 0; i < 3000; ++i) {
    Action action = order.next(now);
    if (const auto* send = std::get_if<Send>(&action)) {
      require(is_usable_url(send->request.url));
      require(send->request.url != "https://c/f" || saved);
      order.received(ca.answer(), now);
    } else if (std::holds_alternative<Save>(action)) {
      saved = ca.byte() != 1;
      order.saved(saved);
    } else if (const auto* show = std::get_if<Show>(&action)) {
      require(is_base64url(show->challenge.token));
      const bool done = ca.byte() != 1;
      standing += done ? 1 : 0;
      if (done) order.shown();
      if (!done) order.not_shown("no");
    } else if (std::holds_alternative<Hide>(action)) {
      --standing;
      order.hidden();
    } else if (const auto* wait = std::get_if<Wait>(&action)) {
      require(wait->until > now);
      now = wait->until;
    } else {
      require(standing == 0);
      require(std::holds_alternative<Failed>(action) || saved);
      return;
    }
  }
  std::abort();  // no end
}
