// SPDX-License-Identifier: Apache-2.0
#include "moat/acme/internal/answers.h"

#include <algorithm>

#include "moat/base/json.h"

namespace moat::acme {

namespace {

constexpr json::Limits limits{.depth = 12, .members = 2000, .total_bytes = max_body};

const std::string* text_of(const json::Value& value, std::string_view name) {
  const json::Value* member = value.find(name);
  return member == nullptr ? nullptr : member->as_string();
}

// Empty where there is none that can be used.
std::string url_of(const json::Value& value, std::string_view name) {
  const std::string* text = text_of(value, name);
  return text != nullptr && is_usable_url(*text) ? *text : std::string();
}

std::optional<Status> status_of(const json::Value& value) {
  const std::string* text = text_of(value, "status");
  if (text == nullptr) return std::nullopt;
  if (*text == "pending") return Status::pending;
  if (*text == "ready") return Status::ready;
  if (*text == "processing") return Status::processing;
  if (*text == "valid") return Status::valid;
  return Status::invalid;
}

// What a stranger's text may put into our log.
std::string for_people(std::string_view text) {
  constexpr std::size_t most = 500;
  std::string out;
  for (const char c : text.substr(0, most)) out += c >= ' ' && c < 0x7f ? c : '?';
  return out;
}

Problem problem_in(const json::Value* value) {
  Problem problem;
  if (value == nullptr) return problem;
  constexpr std::string_view prefix = "urn:ietf:params:acme:error:";
  const std::string* type = text_of(*value, "type");
  if (type != nullptr && type->compare(0, prefix.size(), prefix) == 0)
    problem.type = for_people(std::string_view(*type).substr(prefix.size()));
  if (const std::string* detail = text_of(*value, "detail")) problem.detail = for_people(*detail);
  // Section 6.7.1: the parts say more than the whole.
  const json::Value* parts = value->find("subproblems");
  const json::Array* list = parts == nullptr ? nullptr : parts->as_array();
  if (list != nullptr && !list->empty()) {
    const Problem first = problem_in(&list->front());
    if (!first.detail.empty() && problem.detail.size() + first.detail.size() < 500)
      problem.detail.append(problem.detail.empty() ? "" : "; ").append(first.detail);
  }
  return problem;
}

}  // namespace

bool is_usable_url(std::string_view url) {
  constexpr std::string_view scheme = "https://";
  return url.size() > scheme.size() && url.size() <= 2048 &&
         url.substr(0, scheme.size()) == scheme && url[scheme.size()] != '/' &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_base64url(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

std::optional<Directory> read_directory(std::string_view body) {
  const auto parsed = json::parse(body, limits);
  if (!parsed || parsed->as_object() == nullptr) return std::nullopt;
  Directory out;
  out.new_nonce = url_of(*parsed, "newNonce");
  out.new_account = url_of(*parsed, "newAccount");
  out.new_order = url_of(*parsed, "newOrder");
  out.revoke_certificate = url_of(*parsed, "revokeCert");
  out.renewal_info = url_of(*parsed, "renewalInfo");
  if (out.new_nonce.empty() || out.new_account.empty() || out.new_order.empty())
    return std::nullopt;
  const json::Value* meta = parsed->find("meta");
  if (meta == nullptr) return out;
  out.terms = url_of(*meta, "termsOfService");
  const json::Value* external = meta->find("externalAccountRequired");
  out.needs_external_account =
      external != nullptr && external->as_bool() != nullptr && *external->as_bool();
  const json::Value* profiles = meta->find("profiles");
  if (profiles != nullptr && profiles->as_object() != nullptr) {
    for (const auto& [name, description] : *profiles->as_object()) out.profiles.push_back(name);
  }
  return out;
}

std::optional<OrderAnswer> read_order(std::string_view body) {
  const auto parsed = json::parse(body, limits);
  if (!parsed) return std::nullopt;
  const auto status = status_of(*parsed);
  const json::Value* list = parsed->find("authorizations");
  if (!status || list == nullptr || list->as_array() == nullptr || list->as_array()->size() > 200)
    return std::nullopt;
  OrderAnswer out;
  out.status = *status;
  for (const json::Value& one : *list->as_array()) {
    const std::string* url = one.as_string();
    if (url == nullptr || !is_usable_url(*url)) return std::nullopt;
    out.authorizations.push_back(*url);
  }
  out.finalize = url_of(*parsed, "finalize");
  if (out.finalize.empty()) return std::nullopt;
  out.certificate = url_of(*parsed, "certificate");
  out.problem = problem_in(parsed->find("error"));
  return out;
}

std::optional<AuthorizationAnswer> read_authorization(std::string_view body) {
  const auto parsed = json::parse(body, limits);
  if (!parsed) return std::nullopt;
  const auto status = status_of(*parsed);
  const json::Value* identifier = parsed->find("identifier");
  const std::string* name = identifier == nullptr ? nullptr : text_of(*identifier, "value");
  const json::Value* list = parsed->find("challenges");
  if (!status || name == nullptr || name->size() > 255 || list == nullptr ||
      list->as_array() == nullptr)
    return std::nullopt;
  AuthorizationAnswer out;
  out.status = *status;
  out.name = for_people(*name);
  for (const json::Value& one : *list->as_array()) {
    const std::string* type = text_of(one, "type");
    const std::string* token = text_of(one, "token");
    const auto known = type == nullptr ? std::nullopt : parse_challenge_type(*type);
    const std::string url = url_of(one, "url");
    // Section 8.3: base64url alone, and so nothing that could lead a path elsewhere.
    if (!known || url.empty() || token == nullptr || !is_base64url(*token)) continue;
    out.challenges.push_back({*known, url, *token, problem_in(one.find("error"))});
  }
  return out;
}

Problem AuthorizationAnswer::problem_of(ChallengeType type) const {
  for (const OfferedChallenge& one : challenges) {
    if (one.type == type) return one.problem;
  }
  return {};
}

Problem AuthorizationAnswer::any_problem() const {
  for (const OfferedChallenge& one : challenges) {
    if (!one.problem.detail.empty()) return one.problem;
  }
  return {};
}

bool is_account_usable(std::string_view body) {
  const auto parsed = json::parse(body, limits);
  const std::string* status = parsed ? text_of(*parsed, "status") : nullptr;
  return status != nullptr && *status == "valid";
}

Problem read_problem(const HttpResponse& response) {
  const auto parsed = json::parse(response.body, limits);
  Problem problem = parsed ? problem_in(&*parsed) : Problem{};
  if (problem == Problem{}) problem.detail = "status " + std::to_string(response.status);
  return problem;
}

Secret write_saved(const Saved& saved) {
  json::Array names;
  for (const std::string& name : saved.names) names.emplace_back(name);
  std::string text = json::serialize(json::Object{{"version", 1},
                                                  {"directory", saved.directory},
                                                  {"order", saved.order_url},
                                                  {"names", std::move(names)}});
  text.reserve(text.size() + 1 + saved.key.size());  // grown no more: no copy of the key stays
  text.append("\n").append(saved.key.reveal());
  return Secret::take(text);
}

std::optional<Saved> read_saved(std::string_view text) {
  const std::size_t line = text.find('\n');
  if (line == text.npos) return std::nullopt;
  const auto parsed = json::parse(text.substr(0, line), limits);
  if (!parsed) return std::nullopt;
  const json::Value* version = parsed->find("version");
  const json::Value* names = parsed->find("names");
  const std::string* directory = text_of(*parsed, "directory");
  Saved out;
  out.order_url = url_of(*parsed, "order");
  if (version == nullptr || *version != json::Value(1) || names == nullptr ||
      names->as_array() == nullptr || directory == nullptr || out.order_url.empty())
    return std::nullopt;
  for (const json::Value& name : *names->as_array()) {
    if (name.as_string() == nullptr) return std::nullopt;
    out.names.push_back(*name.as_string());
  }
  out.directory = *directory;
  out.key = Secret::copy_of(text.substr(line + 1));
  return out;
}

}  // namespace moat::acme
