// SPDX-License-Identifier: Apache-2.0
// Personal API keys of whoever is logged in at a browser.
#include "moat/session/api_keys.h"
#include "moat/shield/internal/auth_impl.h"
#include "moat/validate/strings.h"

namespace moat::shield {

namespace {

using session::MakeKeyRefusal;
using validate::ObjectShape;
using validate::Presence;

constexpr std::int64_t longest_seconds = 365 * 86'400;

ObjectShape key_fields() {
  return ObjectShape()
      .string("name", {Presence::required, 64, 1})
      .string("password", {Presence::required, 1024, 0})
      .string("scope", {Presence::optional, 512, 0})
      .integer("expires_in", {Presence::optional, 1, longest_seconds});
}

json::Object key_json(const session::ApiKey& key) {
  json::Value used;
  if (key.last_used_at) used = format_rfc3339(*key.last_used_at);
  return json::Object{{"id", key.id},
                      {"name", key.name},
                      {"scope", session::to_text(key.scopes)},
                      {"created_at", format_rfc3339(key.created_at)},
                      {"expires_at", format_rfc3339(key.expires_at)},
                      {"last_used_at", std::move(used)}};
}

Failure failure_of(MakeKeyRefusal refusal) {
  switch (refusal) {
    case MakeKeyRefusal::invalid_name:
      return {422, "invalid_name", "A key's name is 1 to 64 bytes of text."};
    case MakeKeyRefusal::invalid_life:
      return {422, "invalid_life", "A key lives for a year at most."};
    case MakeKeyRefusal::too_many:
      return {409, "too_many_keys", "You have as many keys as you may. Revoke one first."};
    case MakeKeyRefusal::store_unavailable:
      break;
  }
  return {503, "unavailable", std::string(busy_detail)};
}

}  // namespace

Response AuthApi::Impl::list_keys(const Call& call) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto keys = services.keys->list(identity->user_id, call.now);
  if (!keys) return problem(503, "unavailable", std::string(busy_detail));
  json::Array out;
  for (const session::ApiKey& key : *keys) out.push_back(key_json(key));
  return json_answer(200, std::move(out));
}

Response AuthApi::Impl::make_key(Call& call) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  static const ObjectShape json = key_fields();
  static const ObjectShape form = key_fields()
                                      .string("username", {Presence::optional, 254, 0})
                                      .string("_csrf", {Presence::optional, 512, 0});
  auto fields = read_body(call, json, form);
  if (!fields) return problem(fields.error());
  AccountPage page;
  page.key_name = fields->string("name");
  page.key_scope = fields->optional_string("scope").value_or("");
  const auto failed = [&](const Failure& failure, Response answer) {
    if (!call.form || services.pages == nullptr) return answer;
    (failure.code == "wrong_credentials" ? page.key_password_error : page.key_error) =
        failure.detail;
    Response shown = account_page(call, page, failure.status);
    shown.headers = std::move(answer.headers);
    return shown;
  };
  const auto refuse = [&](const Failure& failure) { return failed(failure, problem(failure)); };
  if (!comes_from_our_form(call, *fields)) return refuse(stale_form());
  if (!validate::is_plain_line(page.key_name))
    return refuse(failure_of(session::MakeKeyRefusal::invalid_name));
  const auto scopes = known_scopes(page.key_scope);
  if (!scopes) return refuse(invalid_scope());
  std::optional<std::chrono::seconds> life;
  if (const auto given = fields->optional_integer("expires_in")) life.emplace(*given);
  // A stolen session must not become a key that outlives it.
  auto confirmed = confirm_password(call, fields->take_secret("password"));
  if (!confirmed) return failed(confirmed.error().failure, std::move(confirmed.error().answer));
  auto made = services.keys->make(identity->user_id, page.key_name, *scopes, life, call.now);
  if (!made) return refuse(failure_of(made.error()));
  audit(call, "api_key_made", Subject::user, identity->user_id);
  if (call.form && services.pages != nullptr) {
    AccountPage shown;
    shown.new_key = made->key.reveal();
    Response response = account_page(call, shown, 200);
    wipe(shown.new_key);
    return response;
  }
  json::Object answer = key_json(made->about);
  answer.emplace_back("key", made->key.reveal());
  return json_answer(201, std::move(answer));
}

Response AuthApi::Impl::revoke_key(Call& call, std::string_view id) const {
  const session::Identity* identity = call.admission.identity;
  if (identity == nullptr) return problem(401, "login_required", "Please log in.");
  auto fields = read_body(call, empty_json(), token_form());
  if (!fields) return problem(fields.error());
  if (!comes_from_our_form(call, *fields)) return problem(stale_form());
  auto revoked = services.keys->revoke(id, identity->user_id, call.now);
  if (!revoked) return problem(503, "unavailable", std::string(busy_detail));
  if (!*revoked && !call.form) return problem(404, "not_found", "There is no such key.");
  if (*revoked) audit(call, "api_key_revoked", Subject::user, identity->user_id);
  return done(call, "/auth/account");
}

}  // namespace moat::shield
