// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/pages.h"

#include <span>
#include <stdexcept>
#include <utility>

#include "moat/session/device_name.h"
#include "moat/validate/template.h"

namespace moat::gateway {

// The files of web/, made by the build.
std::span<const std::pair<std::string_view, std::string_view>> web_files();

namespace {

using validate::Names;
using validate::Template;
using validate::Values;

std::string_view file(std::string_view name) {
  for (const auto& [known, bytes] : web_files()) {
    if (known == name) return bytes;
  }
  throw std::logic_error("web/" + std::string(name) + " is not compiled in");
}

// The pages are part of the program: one that does not parse is a bug, found at the first start and
// by a test.
Template load(std::string_view name, const Names& names) {
  auto parsed = Template::parse(file(name), names);
  if (parsed) return std::move(*parsed);
  throw std::logic_error("web/" + std::string(name) + ":" + std::to_string(parsed.error().line) +
                         ": " + parsed.error().message);
}

Names texts(std::initializer_list<std::string_view> list) {
  Names names;
  for (const std::string_view name : list) names.text(name);
  return names;
}

std::string shown_time(Time time) {
  std::string text = format_rfc3339(time).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

void set_error(Values& values, std::string_view name, std::string_view text) {
  values.text(std::string(name) + "_error", text);
  values.text(std::string(name) + "_invalid", text.empty() ? "false" : "true");
}

void add_keys(const shield::AccountPage& page, Values& values) {
  values.flag("has_keys", page.has_keys).text("new_key", page.new_key).text("scopes", page.scopes);
  values.text("key_name", page.key_name).text("key_scope", page.key_scope);
  values.text("key_error", page.key_error);
  set_error(values, "key_password", page.key_password_error);
  std::vector<Values> keys;
  for (const session::ApiKey& key : page.keys) {
    keys.emplace_back()
        .text("id", key.id)
        .text("name", key.name)
        .text("scope", session::to_text(key.scopes))
        .text("expires_at", shown_time(key.expires_at))
        .text("last_used_at", key.last_used_at ? shown_time(*key.last_used_at) : "");
  }
  values.list("keys", std::move(keys));
}

}  // namespace

struct WebPages::Templates {
  std::string site;
  std::string min_length;
  Template layout = load("layout.html", texts({"title", "site", "nonce"}).html("body"));
  Template login =
      load("login.html", texts({"csrf", "next", "email", "error", "notice"}).flag("signup_open"));
  Template signup =
      load("signup.html", texts({"csrf", "next", "email", "min_length", "error", "email_error",
                                 "email_invalid", "password_error", "password_invalid"}));
  Template setup =
      load("setup.html",
           texts({"csrf", "token", "email", "min_length", "error", "token_error", "token_invalid",
                  "email_error", "email_invalid", "password_error", "password_invalid"}));
  Template account =
      load("account.html",
           texts({"csrf",
                  "email",
                  "roles",
                  "created_at",
                  "min_length",
                  "notice",
                  "error",
                  "current_error",
                  "current_invalid",
                  "new_error",
                  "new_invalid",
                  "next",
                  "confirm_session",
                  "confirm_device",
                  "confirm_error",
                  "confirm_invalid",
                  "new_key",
                  "scopes",
                  "key_name",
                  "key_scope",
                  "key_error",
                  "key_password_error",
                  "key_password_invalid"})
               .flag("has_keys")
               .list("keys", texts({"id", "name", "scope", "expires_at", "last_used_at"}))
               .list("notices", texts({"id", "device", "address", "at"}))
               .list("sessions", texts({"id", "device", "name", "name_error", "address",
                                        "created_at", "last_seen_at"})
                                     .flag("current")
                                     .flag("program")
                                     .flag("renaming")));

  std::string whole(std::string_view title, const Template& page, const Values& values,
                    std::string_view nonce) const {
    Values outer;
    outer.text("title", title)
        .text("site", site)
        .text("nonce", nonce)
        .html("body", page.render(values));
    return layout.render(outer).str();
  }
};

WebPages::WebPages(std::string site_name, std::uint32_t min_password)
    : templates_(std::make_unique<Templates>()) {
  templates_->site = std::move(site_name);
  templates_->min_length = std::to_string(min_password);
}
WebPages::~WebPages() = default;

std::string WebPages::login(const shield::LoginPage& page, std::string_view nonce) const {
  Values values;
  values.text("csrf", page.csrf).text("next", page.next).text("email", page.email);
  values.text("error", page.error)
      .text("notice", page.notice)
      .flag("signup_open", page.signup_open);
  return templates_->whole("Log in", templates_->login, values, nonce);
}

std::string WebPages::signup(const shield::SignupPage& page, std::string_view nonce) const {
  Values values;
  values.text("csrf", page.csrf)
      .text("next", page.next)
      .text("email", page.email)
      .text("error", page.error);
  values.text("min_length", templates_->min_length);
  set_error(values, "email", page.email_error);
  set_error(values, "password", page.password_error);
  return templates_->whole("Sign up", templates_->signup, values, nonce);
}

std::string WebPages::setup(const shield::SetupPage& page, std::string_view nonce) const {
  Values values;
  values.text("csrf", page.csrf)
      .text("token", page.token)
      .text("email", page.email)
      .text("error", page.error);
  values.text("min_length", templates_->min_length);
  set_error(values, "token", page.token_error);
  set_error(values, "email", page.email_error);
  set_error(values, "password", page.password_error);
  return templates_->whole("Set up", templates_->setup, values, nonce);
}

std::string WebPages::account(const shield::AccountPage& page, std::string_view nonce) const {
  Values values;
  values.text("csrf", page.csrf).text("email", page.email).text("roles", page.roles);
  values.text("created_at", page.created_at).text("min_length", templates_->min_length);
  values.text("notice", page.notice).text("error", page.error);
  set_error(values, "current", page.current_error);
  set_error(values, "new", page.new_error);
  std::vector<Values> sessions;
  for (const session::Session& session : page.sessions) {
    Values& item = sessions.emplace_back();
    item.text("id", session.id)
        .text("device", session::device_name_of(session))
        .text("address", session.address);
    item.text("name", session.name);
    if (session.id == page.name_session)
      item.text("name_error", page.name_error).flag("renaming", true);
    if (session.id == page.confirm_session) {
      values.text("confirm_session", session.id)
          .text("confirm_device", session::device_name_of(session));
    }
    item.text("created_at", shown_time(session.started_at))
        .text("last_seen_at", shown_time(session.last_seen_at));
    item.flag("current", session.id == page.current_session);
    item.flag("program", session.kind == session::Kind::api);
  }
  values.list("sessions", std::move(sessions));
  add_keys(page, values);
  set_error(values, "confirm", page.confirm_error);
  std::vector<Values> notices;
  for (const session::ReuseNotice& notice : page.notices) {
    notices.emplace_back()
        .text("id", notice.session_id)
        .text("device", session::device_name_of(notice))
        .text("address", notice.address)
        .text("at", shown_time(notice.at));
  }
  values.list("notices", std::move(notices)).text("next", page.next);
  return templates_->whole("Your account", templates_->account, values, nonce);
}

std::optional<shield::Asset> WebPages::asset(std::string_view path) const {
  if (path == "/auth/moat.css") return shield::Asset{"text/css; charset=utf-8", file("moat.css")};
  if (path == "/auth/moat.js")
    return shield::Asset{"text/javascript; charset=utf-8", file("moat.js")};
  if (path == "/auth/moat.svg") return shield::Asset{"image/svg+xml", file("moat.svg")};
  return std::nullopt;
}

}  // namespace moat::gateway
