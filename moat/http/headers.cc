// SPDX-License-Identifier: Apache-2.0
#include "moat/http/headers.h"

#include "moat/http/connection.h"
#include "moat/http/internal/chars.h"
#include "moat/http/internal/scan.h"

namespace moat::http {

void Headers::clear() {
  size_ = 0;
  first_.fill(0);
  count_.fill(0);
}

const Header* Headers::find(std::string_view name) const {
  for (const Header& field : *this)
    if (internal::iequals(field.name, name)) return &field;
  return nullptr;
}

bool is_token(std::string_view text) {
  for (const char c : text)
    if (!(internal::class_of(c) & internal::token_char)) return false;
  return !text.empty();
}

bool is_field_value(std::string_view text) {
  if (text.empty()) return true;
  if (internal::is_blank(text.front()) || internal::is_blank(text.back())) return false;
  return internal::ControlFinder(text).find(0, text.size()) == text.size();
}

namespace {

// Cuts the first element off a comma-separated list; false at its end.
bool next_element(std::string_view& rest, bool& more, std::string_view& element) {
  if (!more) return false;
  const std::size_t comma = rest.find(',');
  more = comma != rest.npos;
  element = internal::trim_blanks(rest.substr(0, comma));
  rest = more ? rest.substr(comma + 1) : std::string_view();
  return true;
}

}  // namespace

bool list_contains(std::string_view list, std::string_view token) {
  bool more = true;
  std::string_view element;
  while (next_element(list, more, element))
    if (internal::iequals(element, token)) return true;
  return false;
}

bool append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) return false;
  out.append(name).append(": ").append(value).append("\r\n");
  return true;
}

bool ConnectionOptions::add(std::string_view field_value) {
  // What nearly everybody sends.
  if (internal::look_up(field_value) == Known::keep_alive) {
    keep_alive_ = true;
    return true;
  }
  bool more = true;
  std::string_view option;
  std::size_t empty = 0;
  while (next_element(field_value, more, option)) {
    // RFC 9110 section 5.6.1.2: "a reasonable number of empty list elements".
    if (option.empty()) {
      if (++empty > 4) return false;
      continue;
    }
    if (!is_token(option)) return false;
    if (internal::iequals(option, "close")) {
      close_ = true;
      continue;
    }
    const Known known = recognise(option);
    if (known == Known::keep_alive) keep_alive_ = true;
    if (known == Known::upgrade) upgrade_ = true;
    if (is_hop_by_hop(known)) continue;  // dropped in any case
    if (known != Known::none || size_ == capacity) return false;
    names_[size_++] = option;
  }
  return true;
}

bool ConnectionOptions::lists(std::string_view name) const {
  for (std::size_t i = 0; i < size_; ++i)
    if (internal::iequals(names_[i], name)) return true;
  return false;
}

bool is_hop_by_hop(Known known) {
  switch (known) {
    case Known::connection:
    case Known::keep_alive:
    case Known::proxy_connection:
    case Known::proxy_authorization:
    case Known::proxy_authenticate:
    case Known::proxy_authentication_info:
    case Known::http2_settings:
    case Known::te:
    case Known::trailer:
    case Known::transfer_encoding:
    case Known::upgrade:
      return true;
    default:
      return false;
  }
}

bool is_hop_by_hop(const Header& field, const ConnectionOptions& options) {
  return is_hop_by_hop(field.known) || (field.known == Known::none && options.lists(field.name));
}

bool is_intermediary_only(Known known) {
  switch (known) {
    case Known::shadow:
    case Known::x_moat:
    case Known::x_forwarded_for:
    case Known::x_forwarded_host:
    case Known::x_forwarded_proto:
    case Known::x_forwarded_other:
    case Known::forwarded:
    case Known::x_real_ip:
    case Known::x_client_ip:
    case Known::true_client_ip:
    case Known::cf_connecting_ip:
    case Known::x_original_url:
    case Known::x_rewrite_url:
    case Known::x_original_host:
    case Known::x_original_path:
    case Known::x_http_host_override:
    case Known::x_host:
    case Known::client_ip:
    case Known::x_cluster_client_ip:
    case Known::fastly_client_ip:
    case Known::forwarded_for:
    case Known::x_script_name:
    case Known::x_scheme:
    case Known::front_end_https:
    case Known::proxy:  // CGI's HTTP_PROXY
    case Known::remote_user:
    case Known::x_remote_user:
      return true;
    default:
      return false;
  }
}

}  // namespace moat::http
