// SPDX-License-Identifier: Apache-2.0
#include "moat/session/internal/access_token.h"

#include <algorithm>
#include <charconv>

#include "moat/base/encoding.h"
#include "moat/base/json.h"

namespace moat::session::internal {

namespace {

constexpr std::string_view audience_of(Kind kind) {
  return kind == Kind::api ? "moat-api" : "moat";
}
// What fits a cookie (RFC 6265bis section 5.6: 4096 bytes with its name).
constexpr std::size_t max_token_bytes = 4096;
constexpr std::size_t mac_characters = 43;             // 32 bytes
constexpr std::int64_t last_second = 253'402'300'799;  // of the year 9999

const std::string* text_claim(const json::Value& claims, std::string_view name) {
  const json::Value* claim = claims.find(name);
  return claim == nullptr ? nullptr : claim->as_string();
}

const std::int64_t* number_claim(const json::Value& claims, std::string_view name) {
  const json::Value* claim = claims.find(name);
  return claim == nullptr ? nullptr : claim->as_integer();
}

// Reader reads a claims set in the very spelling of make(), which is nearly always what there is:
// the MAC says that we wrote it. It gives up at the first thing that is otherwise, an escape in a
// string among them.
class Reader final {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  void literal(std::string_view expected) {
    if (rest_.substr(0, expected.size()) != expected) good_ = false;
    if (good_) rest_.remove_prefix(expected.size());
  }
  // A string behind its opening quote, which the literal in front of it ends with; the closing one
  // is taken too.
  std::string text() {
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) good_ = false;
    if (!good_) return {};
    std::string out(rest_.substr(0, end));
    if (out.find('\\') != std::string::npos) good_ = false;
    rest_.remove_prefix(end + 1);
    return out;
  }
  std::int64_t number(std::int64_t most) {
    std::int64_t out = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc() || out < 0 || out > most) good_ = false;
    if (!good_) return 0;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return out;
  }
  // Takes `c` if it comes next.
  bool next_is(char c) {
    if (!good_ || rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool at_end() const { return good_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::optional<Identity> read_own_spelling(std::string_view payload, Kind kind) {
  const bool api = kind == Kind::api;
  Identity out;
  out.kind = kind;
  Reader reader(payload);
  reader.literal(api ? R"({"aud":"moat-api","sub":")" : R"({"aud":"moat","sub":")");
  out.user_id = reader.text();
  reader.literal(R"(,"sid":")");
  out.session_id = reader.text();
  reader.literal(R"(,"email":")");
  out.email = reader.text();
  reader.literal(R"(,"roles":[)");
  if (!reader.next_is(']')) {
    do {
      reader.literal("\"");
      out.roles.push_back(reader.text());
    } while (reader.next_is(','));
    reader.literal("]");
  }
  if (api) {
    reader.literal(R"(,"scope":")");
    auto scopes = parse_scopes(reader.text());
    if (!scopes) return std::nullopt;
    out.scopes = std::move(*scopes);
  }
  reader.literal(R"(,"sst":)");
  out.started_at = Time(std::chrono::microseconds(reader.number(last_second * 1'000'000)));
  reader.literal(R"(,"iat":)");
  out.issued_at = from_unix_seconds(reader.number(last_second));
  reader.literal(R"(,"exp":)");
  out.expires = from_unix_seconds(reader.number(last_second));
  reader.literal("}");
  if (!reader.at_end()) return std::nullopt;
  return out;
}

std::optional<Identity> read_claims(std::string_view payload, Kind kind) {
  if (auto identity = read_own_spelling(payload, kind)) return identity;
  static constexpr json::Limits limits{
      .depth = 3, .members = 128, .string_bytes = max_token_bytes, .total_bytes = max_token_bytes};
  const auto claims = json::parse(payload, limits);
  if (!claims) return std::nullopt;
  const std::string* named = text_claim(*claims, "aud");
  const std::string* user = text_claim(*claims, "sub");
  const std::string* session = text_claim(*claims, "sid");
  const std::string* email = text_claim(*claims, "email");
  const json::Value* roles = claims->find("roles");
  const std::int64_t* started = number_claim(*claims, "sst");
  const std::int64_t* issued = number_claim(*claims, "iat");
  const std::int64_t* expires = number_claim(*claims, "exp");
  if (named == nullptr || *named != audience_of(kind) || user == nullptr || session == nullptr ||
      email == nullptr || roles == nullptr || roles->as_array() == nullptr || started == nullptr ||
      issued == nullptr || expires == nullptr) {
    return std::nullopt;
  }
  if (*started < 0 || *started > last_second * 1'000'000 || *issued < 0 || *issued > last_second ||
      *expires < 0 || *expires > last_second) {
    return std::nullopt;
  }
  Identity out;
  out.kind = kind;
  if (kind == Kind::api) {
    const std::string* scope = text_claim(*claims, "scope");
    auto scopes = scope == nullptr ? std::nullopt : parse_scopes(*scope);
    if (!scopes) return std::nullopt;
    out.scopes = std::move(*scopes);
  }
  out.user_id = *user;
  out.session_id = *session;
  out.email = *email;
  out.roles.reserve(roles->as_array()->size());
  for (const json::Value& role : *roles->as_array()) {
    if (role.as_string() == nullptr) return std::nullopt;
    out.roles.push_back(*role.as_string());
  }
  out.started_at = Time(std::chrono::microseconds(*started));
  out.issued_at = from_unix_seconds(*issued);
  out.expires = from_unix_seconds(*expires);
  return out;
}

}  // namespace

AccessTokens::AccessTokens(jwt::KeyRing ring, Kind kind) : ring_(std::move(ring)), kind_(kind) {
  // A key for each kind: no claim alone keeps them apart.
  const std::string_view purpose =
      kind == Kind::api ? "moat session bearer token v1" : "moat session access token v1";
  for (const jwt::KeyRing::Entry& entry : ring_.entries()) {
    jwt::Key key =
        jwt::Key::from_secret(entry.key.derive(purpose), jwt::Algorithm::hs256, entry.key.id())
            .value();
    // RFC 9068 section 2.1: a type of its own, so that no other token of ours passes for this one.
    const std::string header = json::serialize(
        json::Value(json::Object{{"alg", "HS256"}, {"typ", "at+jwt"}, {"kid", key.id()}}));
    keys_.push_back({std::move(key), base64url_encode(header) + "."});
  }
}

const AccessTokens::One& AccessTokens::current(Time now) const {
  const std::string_view id = ring_.current(now).id();
  for (const One& one : keys_) {
    if (one.key.id() == id) return one;
  }
  return keys_.back();
}

Secret AccessTokens::make(const Identity& identity, Time now) const {
  json::Array roles;
  for (const std::string& role : identity.roles) roles.emplace_back(role);
  json::Object claims{{"aud", audience_of(kind_)},
                      {"sub", identity.user_id},
                      {"sid", identity.session_id},
                      {"email", identity.email},
                      {"roles", std::move(roles)}};
  if (kind_ == Kind::api) claims.emplace_back("scope", to_text(identity.scopes));
  claims.emplace_back("sst", std::int64_t{identity.started_at.time_since_epoch().count()});
  claims.emplace_back("iat", unix_seconds(identity.issued_at));
  claims.emplace_back("exp", unix_seconds(identity.expires));
  const std::string payload = json::serialize(json::Value(std::move(claims)));
  const One& one = current(now);
  std::string token = one.header;
  token.reserve(token.size() + payload.size() * 4 / 3 + 48);
  token += base64url_encode(payload);
  const std::string mac = one.key.sign(token).value();
  token += '.';
  token += base64url_encode(mac);
  return Secret::take(token);
}

std::optional<Identity> AccessTokens::parse(std::string_view token) const {
  if (token.size() > max_token_bytes || token.size() < mac_characters + 1) return std::nullopt;
  const std::size_t dot = token.size() - mac_characters - 1;
  if (token[dot] != '.') return std::nullopt;
  for (const One& one : keys_) {
    if (token.substr(0, one.header.size()) != one.header || one.header.size() >= dot) continue;
    const std::optional<std::string> mac = base64url_decode(token.substr(dot + 1));
    if (!mac || !one.key.verify(token.substr(0, dot), *mac)) return std::nullopt;
    const std::optional<std::string> payload =
        base64url_decode(token.substr(one.header.size(), dot - one.header.size()));
    if (!payload) return std::nullopt;
    return read_claims(*payload, kind_);
  }
  return std::nullopt;
}

bool AccessTokens::looks_like_one(std::string_view token) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const One& one) {
    return token.substr(0, one.header.size()) == one.header;
  });
}

}  // namespace moat::session::internal
