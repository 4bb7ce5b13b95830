// SPDX-License-Identifier: Apache-2.0
#include "moat/http/security_headers.h"

#include "moat/http/internal/chars.h"

namespace moat::http {
namespace {

// The line of a setting, or of its default where the setting could split the answer.
std::string line(std::string_view name, std::string_view value, std::string_view otherwise) {
  std::string out;
  if (value.empty() || !append_field(out, name, value)) {
    out.clear();
    out.append(name).append(": ").append(otherwise).append("\r\n");
  }
  return out;
}

bool is_nonce(std::string_view text) {
  for (const char c : text)
    if (!internal::is_alnum(static_cast<unsigned char>(c)) && c != '-' && c != '_') return false;
  return text.size() >= 16;
}

// What every answer carries whatever the backend says.
constexpr std::string_view no_xss_filter = "X-XSS-Protection: 0\r\n";
constexpr std::string_view nosniff = "X-Content-Type-Options: nosniff\r\n";
constexpr std::string_view no_store = "Cache-Control: no-store\r\n";

}  // namespace

SecurityHeaders::SecurityHeaders(const Options& options) {
  const Options defaults;
  if (!options.report_uri.empty() && is_field_value(options.report_uri) &&
      options.report_uri.find_first_of(" ;,\"\\") == std::string::npos) {
    reporting_ = "Reporting-Endpoints: moat=\"" + options.report_uri + "\"\r\n";
    // A browser that knows report-to passes report-uri over (CSP Level 3 section 6.5.1).
    report_ = "; report-to moat; report-uri " + options.report_uri;
  }
  common_.append(nosniff).append(no_xss_filter);
  permissions_policy_ =
      line("Permissions-Policy", options.permissions_policy, defaults.permissions_policy);
  frame_options_ =
      line("X-Frame-Options", options.proxied_frame_options, defaults.proxied_frame_options);
  opener_policy_ = line("Cross-Origin-Opener-Policy", options.proxied_opener_policy,
                        defaults.proxied_opener_policy);
  resource_policy_ = line("Cross-Origin-Resource-Policy", options.proxied_resource_policy,
                          defaults.proxied_resource_policy);
  policy_ = lines(options.proxied_csp, defaults.proxied_csp);

  const std::string own = common_ +
                          "X-Frame-Options: DENY\r\n"
                          "Cross-Origin-Opener-Policy: same-origin\r\n"
                          "Cross-Origin-Resource-Policy: same-origin\r\n" +
                          permissions_policy_ + std::string(no_store);
  page_before_nonce_ = own +
                       // A form post needs an Origin, which no-referrer would turn into "null".
                       "Referrer-Policy: same-origin\r\n"
                       "Cross-Origin-Embedder-Policy: require-corp\r\n" +
                       reporting_ + "Content-Security-Policy: default-src 'none'; script-src ";
  page_between_ = "; style-src 'self'";
  page_after_nonce_ =
      "; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
      "object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'" +
      report_ + "\r\n";
  api_ = own +
         "Referrer-Policy: no-referrer\r\n"
         "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; sandbox\r\n";
}

SecurityHeaders::Policy SecurityHeaders::lines(std::string_view text,
                                               const std::string& otherwise) const {
  const std::string value = std::string(text) + report_;
  return {line("Content-Security-Policy", value, otherwise + report_),
          line("Content-Security-Policy-Report-Only", value, otherwise + report_)};
}

SecurityHeaders::Policy SecurityHeaders::policy(std::string_view text) const {
  if (text.empty() || !is_field_value(text)) return policy_;
  return lines(text, Options().proxied_csp);
}

void SecurityHeaders::append(const Answer& answer, std::string& out) const {
  if (!answer.hsts.empty() && is_field_value(answer.hsts))
    out.append("Strict-Transport-Security: ").append(answer.hsts).append("\r\n");
  switch (answer.kind) {
    case AnswerKind::moat_page:
      out.append(page_before_nonce_);
      if (is_nonce(answer.nonce)) {
        out.append("'nonce-").append(answer.nonce).append("' 'strict-dynamic'");
        out.append(page_between_).append(" 'nonce-").append(answer.nonce).append("'");
      } else {
        out.append("'none'").append(page_between_);
      }
      out.append(page_after_nonce_);
      return;
    case AnswerKind::moat_api:
      out.append(api_);
      return;
    case AnswerKind::proxied_html:
    case AnswerKind::proxied_other:
      append_proxied(answer, out);
      return;
  }
}

void SecurityHeaders::append_proxied(const Answer& answer, std::string& out) const {
  const auto sent = [&answer](Known known) {
    return answer.backend != nullptr && answer.backend->has(known);
  };
  const bool html = answer.kind == AnswerKind::proxied_html;
  if (sent(Known::x_content_type_options))
    out.append(no_xss_filter);
  else
    out.append(common_);
  if (!sent(Known::x_frame_options)) out.append(frame_options_);
  if (!sent(Known::referrer_policy))
    out.append("Referrer-Policy: strict-origin-when-cross-origin\r\n");
  // A backend that shares by CORS means other origins to have it.
  if (!sent(Known::cross_origin_resource_policy) && !sent(Known::access_control_allow_origin))
    out.append(resource_policy_);
  if (answer.no_store && !sent(Known::cache_control)) out.append(no_store);
  if (!html) return;
  if (!sent(Known::cross_origin_opener_policy)) out.append(opener_policy_);
  if (!sent(Known::permissions_policy)) out.append(permissions_policy_);
  if (sent(Known::content_security_policy) || answer.csp == CspMode::allow_none) return;
  const Policy& policy = answer.policy == nullptr ? policy_ : *answer.policy;
  if (answer.csp == CspMode::enforce)
    out.append(policy.enforce);
  else if (!sent(Known::content_security_policy_report_only))
    out.append(policy.report_only);
  else
    return;
  // Beside the backend's own: lines of a dictionary are read as one (RFC 8941 section 3.2).
  out.append(reporting_);
}

bool must_remove(Known known) {
  switch (known) {
    case Known::server:
    case Known::x_powered_by:
    case Known::x_aspnet_version:
    case Known::x_aspnetmvc_version:
    case Known::via:
    case Known::strict_transport_security:
    case Known::x_xss_protection:
    case Known::expect_ct:
    case Known::public_key_pins:
    case Known::public_key_pins_report_only:
    case Known::alt_svc:
    case Known::x_moat:
    case Known::shadow:
      return true;
    default:
      return false;
  }
}

bool is_html(std::string_view content_type) {
  const std::string_view type =
      internal::trim_blanks(content_type.substr(0, content_type.find(';')));
  return internal::iequals(type, "text/html") || internal::iequals(type, "application/xhtml+xml");
}

}  // namespace moat::http
