// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace moat::http {

// Names that Moat acts on, recognised once while parsing, so that no later step compares strings.
// clang-format off
enum class Known : std::uint8_t {
  none,    // any other name
  shadow,  // reads as a known name where punctuation becomes '_' (CGI, WSGI): never forwarded
  x_moat,  // the whole family x-moat-*, x_moat_*: Moat alone sets these
  // Framing and connection.
  host, connection, content_length, transfer_encoding, upgrade, expect, te, trailer, keep_alive,
  proxy_connection, proxy_authorization, proxy_authenticate, proxy_authentication_info,
  http2_settings,
  // What a client says.
  cookie, origin, referer, sec_fetch_site, sec_fetch_mode, sec_fetch_dest, sec_fetch_user,
  content_type, content_encoding, accept, accept_encoding, accept_language, user_agent,
  authorization, x_csrf_token, csrf_token, x_xsrf_token, xsrf_token, x_requested_with, x_request_id,
  traceparent, tracestate, range, if_none_match, if_modified_since, access_control_request_method,
  access_control_request_headers,
  sec_websocket_key, sec_websocket_version, sec_websocket_protocol, sec_websocket_extensions,
  sec_websocket_accept,
  // What only an intermediary says.
  x_forwarded_for, x_forwarded_host, x_forwarded_proto, x_forwarded_other, forwarded, via,
  x_real_ip, x_client_ip, true_client_ip, cf_connecting_ip, x_original_url, x_rewrite_url,
  x_original_host, x_original_path, x_http_host_override, x_host, client_ip, x_cluster_client_ip,
  fastly_client_ip, forwarded_for, x_script_name, x_scheme, front_end_https, proxy, remote_user,
  x_remote_user, x_http_method_override, x_http_method, x_method_override,
  // What a backend says.
  set_cookie, server, x_powered_by, x_aspnet_version, x_aspnetmvc_version, location, date,
  cache_control, etag, last_modified, vary, allow, age, www_authenticate, retry_after, alt_svc,
  content_disposition, clear_site_data, access_control_allow_origin,
  access_control_allow_credentials, strict_transport_security, content_security_policy,
  content_security_policy_report_only, x_frame_options, x_content_type_options, referrer_policy,
  permissions_policy, cross_origin_opener_policy, cross_origin_resource_policy,
  cross_origin_embedder_policy, x_xss_protection, expect_ct, public_key_pins,
  public_key_pins_report_only, reporting_endpoints,
};
// clang-format on
inline constexpr std::size_t known_count = static_cast<std::size_t>(Known::reporting_endpoints) + 1;

// The lower-case name; empty for none, shadow and x_forwarded_other, "x-moat-" for x_moat.
std::string_view to_string(Known known);
// recognise looks a field name up; `name` must be a token (RFC 9110 section 5.6.2).
[[nodiscard]] Known recognise(std::string_view name);

}  // namespace moat::http
