// SPDX-License-Identifier: Apache-2.0
// `security` of a document: whether a request brings what an operation asks for. Whether it is any
// good is for the backend to find out.
#include <algorithm>
#include <utility>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/parts.h"
#include "moat/openapi/internal/pointer.h"

namespace moat::openapi {
namespace {

using Is = Credential::Is;

// The credentials of an Authorization field of that scheme: one space or more, and token68 (RFC
// 9110 section 11.2; RFC 6750 section 2.1 and RFC 7617 section 2 have no other).
bool has_token(std::string_view field, std::string_view scheme) {
  field = trim(field);
  if (field.size() <= scheme.size() || !ascii_iequals(field.substr(0, scheme.size()), scheme) ||
      field[scheme.size()] != ' ')
    return false;
  std::string_view token = trim(field.substr(scheme.size()));
  while (!token.empty() && token.back() == '=') token.remove_suffix(1);
  return !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/").find(c) != std::string_view::npos;
  });
}

std::size_t count_header(const Request& request, std::string_view name, bool& filled) {
  std::size_t count = 0;
  for (const auto& [field, value] : request.headers) {
    if (!ascii_iequals(field, name)) continue;
    ++count;
    filled = filled || !trim(value).empty();
  }
  return count;
}

std::size_t count_query(std::string_view query, std::string_view name, bool& filled) {
  std::size_t count = 0;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    std::string raw(pair.substr(0, pair.find('=')));
    std::replace(raw.begin(), raw.end(), '+', ' ');
    const auto decoded = percent_decode(raw);
    if (!decoded || *decoded != name) continue;
    ++count;
    filled = filled || pair.size() > raw.size() + 1;
  }
  return count;
}

std::size_t count_cookie(std::string_view cookie, std::string_view name, bool& filled) {
  std::size_t count = 0;
  while (!cookie.empty()) {
    const std::string_view pair = cookie.substr(0, cookie.find(';'));
    cookie.remove_prefix(std::min(cookie.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || trim(pair.substr(0, equals)) != name) continue;
    ++count;
    filled = filled || !trim(pair.substr(equals + 1)).empty();
  }
  return count;
}

enum class Found { missing, there, repeated };

Found find_credential(const Credential& credential, const Request& request) {
  bool filled = false;
  std::size_t count = 0;
  const bool authorization =
      credential.is == Is::bearer || credential.is == Is::basic ||
      (credential.is == Is::header && ascii_iequals(credential.name, "Authorization"));
  if (authorization && request.without_authorization) return Found::missing;
  switch (credential.is) {
    case Is::unseen:
    case Is::certificate:
      return Found::there;
    case Is::header:
      // The one field that may come in several lines (RFC 9113 section 8.2.3).
      if (ascii_iequals(credential.name, "Cookie")) {
        filled = !trim(request.cookie).empty();
      } else {
        count = count_header(request, credential.name, filled);
      }
      break;
    case Is::query:
      count = count_query(request.query, credential.name, filled);
      break;
    case Is::cookie:
      count = count_cookie(request.cookie, credential.name, filled);
      break;
    case Is::bearer:
    case Is::basic:
      count = count_header(request, "Authorization", filled);
      for (const auto& [field, value] : request.headers) {
        if (ascii_iequals(field, "Authorization") && filled)
          filled = has_token(value, credential.is == Is::bearer ? "Bearer" : "Basic");
      }
      break;
  }
  // Of two, one program takes the first and another the last.
  return count > 1 ? Found::repeated : filled ? Found::there : Found::missing;
}

// RFC 9110 section 5.6.4; nothing where it cannot be said in one.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) return "";
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string_view place_of(const Credential& credential) {
  return credential.is == Is::query ? "query" : credential.is == Is::cookie ? "cookie" : "header";
}

// A 401 has a challenge (RFC 9110 section 11.6.1). RFC 6750 section 3 and RFC 7617 section 2 have
// those of Bearer, without an error where nothing was sent, and Basic; for keys there is none, so
// it says where one goes.
std::string challenge_of(const Credential& credential) {
  switch (credential.is) {
    case Is::bearer:
      return R"(Bearer realm="api")";
    case Is::basic:
      return R"(Basic realm="api", charset="UTF-8")";
    case Is::header:
    case Is::query:
    case Is::cookie: {
      const std::string name = quoted(credential.name);
      return R"(ApiKey realm="api", in=")" + std::string(place_of(credential)) + '"' +
             (name.empty() ? "" : ", name=" + name);
    }
    case Is::unseen:
    case Is::certificate:
      break;
  }
  return "";
}

std::string words_of(const Credential& credential) {
  switch (credential.is) {
    case Is::bearer:
      return "a bearer token";
    case Is::basic:
      return "a name and a password (Basic)";
    case Is::certificate:
      return "a client certificate";
    case Is::unseen:
      return "a login that is not looked at here";
    case Is::header:
    case Is::query:
    case Is::cookie:
      break;
  }
  return "a key in the " + std::string(place_of(credential)) + " '" + printable(credential.name) +
         "'";
}

Refusal missing(const Operation& operation) {
  Refusal out{401, "schema_credentials", "This needs credentials.", {}, ""};
  for (const Credential& credential : operation.credentials) {
    const std::string challenge = challenge_of(credential);
    if (challenge.empty()) continue;
    out.challenge += (out.challenge.empty() ? "" : ", ") + challenge;
    const bool plain = credential.is == Is::bearer || credential.is == Is::basic;
    out.errors.push_back({place_of(credential), plain ? "Authorization" : credential.name, "",
                          "missing", words_of(credential) + " is missing"});
  }
  return out;
}

}  // namespace

std::optional<Refusal> check_credentials(const Operation& operation, const Request& request,
                                         const ReadRules& rules) {
  std::vector<Found> found;
  for (const Credential& credential : operation.credentials) {
    found.push_back(find_credential(credential, request));
    if (found.back() == Found::repeated)
      return Refusal{400,
                     "schema_parameters",
                     "The request is not what is expected here.",
                     {{place_of(credential), credential.name, "", "repeated",
                       words_of(credential) + " is given more than once"}},
                     ""};
  }
  if (request.authenticated || rules.allow_missing_credentials || operation.security.empty())
    return std::nullopt;
  const bool enough =
      std::any_of(operation.security.begin(), operation.security.end(), [&found](const auto& all) {
        return std::all_of(all.begin(), all.end(),
                           [&found](std::size_t i) { return found[i] == Found::there; });
      });
  return enough ? std::nullopt : std::optional(missing(operation));
}

Asked asked_by(const Operation& operation) {
  const auto& all = operation.security;
  if (all.empty()) return Asked::nothing;
  bool unseen = false;
  for (const auto& one : all) {
    if (one.empty()) return Asked::nothing;
    const auto is_seen = [&operation](std::size_t i) {
      return operation.credentials[i].is != Is::unseen &&
             operation.credentials[i].is != Is::certificate;
    };
    unseen = unseen || std::none_of(one.begin(), one.end(), is_seen);
  }
  return unseen ? Asked::unseen : Asked::credentials;
}

bool asks_for_certificate(const Operation& operation) {
  const auto& all = operation.security;
  return !all.empty() && std::all_of(all.begin(), all.end(), [&operation](const auto& one) {
    return std::any_of(one.begin(), one.end(), [&operation](std::size_t i) {
      return operation.credentials[i].is == Is::certificate;
    });
  });
}

std::vector<std::string> key_headers(const Operation& operation) {
  std::vector<std::string> out;
  for (const Credential& credential : operation.credentials) {
    if (credential.is == Is::header) out.push_back(credential.name);
  }
  return out;
}

std::string describe_security(const Operation& operation) {
  std::string out;
  for (const auto& one : operation.security) {
    std::string all;
    for (const std::size_t i : one)
      all += (all.empty() ? "" : " and ") + words_of(operation.credentials[i]);
    out += (out.empty() ? "" : ", or ") + (all.empty() ? "nothing" : all);
  }
  return out;
}

// -------------------------------------------------------------------------------------- document

// A security scheme (OpenAPI 3.1.1 section 4.8.27).
Credential Builder::read_scheme(const Place& place) {
  Credential out;
  const std::string type = text(place, "type");
  const auto needs = [&](std::string_view field) {
    if (text(place, field).empty())
      files_.report(place, "a security scheme of this type needs '" + std::string(field) + "'");
  };
  if (type == "apiKey") {
    needs("name");
    out.name = text(place, "name");
    const std::string in = text(place, "in");
    if (in == "header") {
      out.is = Is::header;
    } else if (in == "query") {
      out.is = Is::query;
    } else if (in == "cookie") {
      out.is = Is::cookie;
    } else {
      files_.report(place, "'in' of a key is query, header or cookie");
    }
  } else if (type == "http") {
    needs("scheme");
    const std::string scheme = ascii_lower(text(place, "scheme"));
    if (scheme == "bearer") out.is = Is::bearer;
    if (scheme == "basic") out.is = Is::basic;
  } else if (type == "mutualTLS") {
    if (files_.is_3_0()) files_.report(place, "'mutualTLS' came with OpenAPI 3.1");
    out.is = Is::certificate;
  } else if (type == "oauth2") {
    const auto flows = Files::member(place, "flows");
    if (!flows || flows->value->as_object() == nullptr)
      files_.report(place, "a security scheme of this type needs 'flows'");
  } else if (type == "openIdConnect") {
    needs("openIdConnectUrl");
  } else {
    files_.report(place, std::string("the types of security schemes are: apiKey, http, oauth2, "
                                     "openIdConnect") +
                             (files_.is_3_0() ? "" : ", mutualTLS"));
  }
  return out;
}

void Builder::read_schemes() {
  const Place top{0, &files_.root(), ""};
  const auto components = Files::member(top, "components");
  const auto all = components ? Files::member(*components, "securitySchemes") : std::nullopt;
  if (!all) return;
  for (const auto& [name, value] : *all->value->as_object())
    schemes_[name] = read_scheme(files_.target(Files::member(*all, name).value()));
}

// Security requirements (section 4.8.30): one of them must be met, and each scheme in it. Those of
// an operation go before the document's. Names are those of the first document (section 4.6).
void Builder::read_security(const Place& place, Operation& out) {
  const json::Array* list = place.value->as_array();
  if (list == nullptr) return files_.report(place, "this is a list of security requirements");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Place at{place.file, &(*list)[i], place.pointer + "/" + std::to_string(i)};
    if (at.value->as_object() == nullptr) {
      files_.report(at, "a security requirement is a mapping of the names of security schemes");
      continue;
    }
    std::vector<std::size_t>& needed = out.security.emplace_back();
    for (const auto& [name, scopes] : *at.value->as_object()) {
      const Place entry{at.file, &scopes, at.pointer + pointer_step(name)};
      const json::Array* names = scopes.as_array();
      const auto is_text = [](const json::Value& one) { return one.as_string() != nullptr; };
      if (names == nullptr || !std::all_of(names->begin(), names->end(), is_text))
        files_.report(entry, "this is a list of scopes, [] where there are none");
      const auto scheme = schemes_.find(name);
      if (scheme == schemes_.end()) {
        files_.report(entry, "components/securitySchemes has no '" + name + "'");
        continue;
      }
      auto& known = out.credentials;
      const auto same = std::find(known.begin(), known.end(), scheme->second);
      needed.push_back(static_cast<std::size_t>(same - known.begin()));
      if (same == known.end()) known.push_back(scheme->second);
    }
  }
}

}  // namespace moat::openapi
