// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "moat/http/headers.h"

namespace moat::http {

// The four kinds of answers and what a browser is told about each.
enum class AnswerKind {
  moat_page,     // HTML of Moat's own: the strictest policy, scripts and styles by nonce
  moat_api,      // JSON, problem+json, redirects of Moat's own
  proxied_html,  // a document of the backend
  proxied_other  // anything else of the backend
};

enum class CspMode {
  report_only,
  enforce,
  allow_none  // adds no policy; what the backend sent stays
};

// SecurityHeaders writes the security fields of an answer from blocks made once. Immutable, so many
// threads may share one.
class SecurityHeaders final {
 public:
  struct Options {
    // For HTML of a backend that sends no policy of its own.
    std::string proxied_csp =
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'";
    std::string proxied_frame_options = "SAMEORIGIN";
    std::string proxied_opener_policy = "same-origin";
    std::string proxied_resource_policy = "same-origin";
    std::string permissions_policy = "camera=(), microphone=(), geolocation=(), payment=()";
    std::string report_uri = {};  // where browsers report violations; empty: nowhere
  };
  // A policy for documents as whole lines, one for each mode.
  struct Policy {
    std::string enforce;
    std::string report_only;
  };
  // What is said about one answer.
  struct Answer {
    AnswerKind kind = AnswerKind::moat_api;
    const Headers* backend = nullptr;  // proxied: the backend's fields; those it sent are not added
    CspMode csp = CspMode::report_only;  // proxied_html
    bool no_store = false;  // proxied: authenticated or with Set-Cookie; unless the backend says
    std::string_view nonce = {};  // moat_page: at least 16 random bytes in base64url
    std::string_view hsts =
        {};  // value of Strict-Transport-Security; empty for localhost and addresses
    const Policy* policy = nullptr;  // proxied_html: in place of Options::proxied_csp
  };

  explicit SecurityHeaders(const Options& options);
  SecurityHeaders() : SecurityHeaders(Options()) {}

  // The lines of a policy that is a field value, with where to report to. One that is none gives
  // those of Options::proxied_csp.
  Policy policy(std::string_view text) const;
  // append writes whole lines. Allocates nothing but what `out` needs.
  void append(const Answer& answer, std::string& out) const;

 private:
  void append_proxied(const Answer& answer, std::string& out) const;
  Policy lines(std::string_view text, const std::string& otherwise) const;

  std::string common_;
  std::string page_before_nonce_, page_between_, page_after_nonce_;
  std::string api_;
  std::string reporting_, report_;  // the field that names the endpoint; the end of every policy
  std::string frame_options_, opener_policy_, resource_policy_, permissions_policy_;
  Policy policy_;
};

// must_remove tells the fields of a backend's answer that never reach a browser: what runs behind
// Moat (Server, X-Powered-By …), what Moat says itself (Strict-Transport-Security,
// X-XSS-Protection), what is dead and dangerous (Public-Key-Pins, Expect-CT), what leads around the
// gateway (Alt-Svc), and X-Moat-*. Hop-by-hop fields are is_hop_by_hop's.
[[nodiscard]] bool must_remove(Known known);

// is_html: text/html or application/xhtml+xml, whatever the parameters.
[[nodiscard]] bool is_html(std::string_view content_type);

}  // namespace moat::http
