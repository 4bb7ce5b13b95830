// SPDX-License-Identifier: Apache-2.0
// Bearer tokens of programs: made by password, refreshed, revoked.
#include <algorithm>

#include "moat/session/api_keys.h"
#include "moat/session/credentials.h"
#include "moat/shield/internal/auth_impl.h"
#include "moat/shield/users.h"

namespace moat::shield {

namespace {

using validate::ObjectShape;
using validate::Presence;

constexpr std::size_t most_token_bytes = 4200;

Response tokens_json(const session::Issued& issued) {
  return json_answer(200, json::Object{{"access_token", issued.access_token.reveal()},
                                       {"token_type", "Bearer"},
                                       {"expires_in", issued.access_max_age.count()},
                                       {"refresh_token", issued.refresh_token.reveal()},
                                       {"refresh_expires_in", issued.refresh_max_age.count()},
                                       {"scope", session::to_text(issued.session.scopes)}});
}

}  // namespace

std::optional<session::Scopes> AuthApi::Impl::known_scopes(std::string_view text) const {
  auto scopes = session::parse_scopes(text);
  if (!scopes) return std::nullopt;
  const auto& known = options.scopes;
  const bool all = std::all_of(scopes->begin(), scopes->end(), [&](const std::string& scope) {
    return std::find(known.begin(), known.end(), scope) != known.end();
  });
  return all ? scopes : std::nullopt;
}

Response AuthApi::Impl::token(Call& call) const {
  static const ObjectShape shape = ObjectShape()
                                       .string("email", {Presence::required, 254, 0})
                                       .string("password", {Presence::required, 1024, 0})
                                       .string("scope", {Presence::optional, 512, 0});
  auto fields = read_body(call, shape, shape);
  if (!fields) return problem(fields.error());
  const auto scopes = known_scopes(fields->optional_string("scope").value_or(""));
  if (!scopes) return problem(invalid_scope());
  const std::string email(fields->string("email"));
  auto account = check_password(call, email, fields->take_secret("password"));
  if (!account) return std::move(account.error().answer);
  session::Client client;
  client.address = call.client;
  client.user_agent = call.request.user_agent;
  const session::User user = session_user(*account);
  auto issued = services.sessions.start_api(user, client, *scopes, call.now);
  if (!issued) return problem(503, "unavailable", std::string(busy_detail));
  if (auto changed = changed_meanwhile(call, *account, issued->session)) return std::move(*changed);
  audit(call, "token_issued", Subject::user, account->id);
  return tokens_json(*issued);
}

Response AuthApi::Impl::refresh_token(Call& call) const {
  static const ObjectShape shape =
      ObjectShape().string("refresh_token", {Presence::required, most_token_bytes, 0});
  auto fields = read_body(call, shape, shape);
  if (!fields) return problem(fields.error());
  const Secret token = fields->take_secret("refresh_token");
  session::Client client;
  client.address = call.client;
  client.user_agent = call.request.user_agent;
  session::UserSource& users = services.shield.services().users;
  auto issued = services.sessions.refresh_api(token.reveal(), client, users, call.now);
  if (issued) return tokens_json(*issued);
  if (issued.error() == session::RefreshRefusal::store_unavailable) {
    return problem(503, "unavailable", std::string(busy_detail));
  }
  if (issued.error() == session::RefreshRefusal::reused) {
    // As at a browser: with the session that the owner's notice names.
    const auto of =
        services.sessions.session_of(token.reveal().substr(session::bearer_refresh_prefix.size()));
    services.log.warn("refresh_token_reused",
                      {{"session", of.value_or("")},
                       {"client", call.client},
                       {"user_agent", call.request.user_agent.substr(0, 200)}});
  } else {
    audit(call, "token_refresh_refused", Subject::nobody, "", session::to_string(issued.error()));
  }
  // RFC 6749 section 5.2.
  return problem(400, "invalid_grant", "This refresh token is not valid, or not any more.");
}

// RFC 7009. Whoever holds a token may end it; what there was to end is not told.
Response AuthApi::Impl::revoke_token(Call& call) const {
  static const ObjectShape shape =
      ObjectShape()
          .string("token", {Presence::required, most_token_bytes, 0})
          .string("token_type_hint", {Presence::optional, 64, 0})  // section 2.1: no more than that
          .string("client_id", {Presence::optional, 256, 0});      // of public clients
  auto fields = read_body(call, shape, shape);
  if (!fields) return problem(400, "invalid_request", std::move(fields.error().detail));
  const Secret token = fields->take_secret("token");
  auto revoked = services.sessions.revoke_api(token.reveal(), call.now);
  if (revoked && !*revoked && services.keys != nullptr) {
    revoked = services.keys->revoke_by_key(token.reveal(), call.now);
  }
  if (!revoked) return problem(503, "unavailable", std::string(busy_detail));
  if (*revoked) audit(call, "token_revoked", Subject::nobody, "");
  return Response();
}

}  // namespace moat::shield
