// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "moat/http/headers.h"

namespace moat::http {

// reason_phrase gives the phrase of RFC 9110 section 15 and the registry, or "" for an unknown one.
std::string_view reason_phrase(int status);
// Appends "HTTP/1.1 404 Not Found\r\n".
void append_status_line(int status, std::string& out);

// append_problem_json appends an application/problem+json document (RFC 9457) with the members
// type, title, status, code and, unless empty, detail. `code` is Moat's stable name for the reason.
void append_problem_json(int status, std::string_view code, std::string_view title,
                         std::string_view detail, std::string& out);
inline constexpr std::string_view problem_content_type = "application/problem+json";
inline constexpr std::string_view html_content_type = "text/html; charset=utf-8";

// What an error page shows. All texts are escaped.
struct ErrorPage {
  int status = 500;
  std::string_view code = {};
  std::string_view title = {};       // empty: the reason phrase
  std::string_view detail = {};      // may be empty
  std::string_view request_id = {};  // may be empty
  std::string_view nonce = {};  // the one given to SecurityHeaders; allows the page's own style
};
// append_error_page appends a whole page without a script or anything loaded from elsewhere.
void append_error_page(const ErrorPage& page, std::string& out);

// wants_html: a person's browser navigates (Sec-Fetch-Mode: navigate) or, where the browser does
// not say, asks for text/html and is no XMLHttpRequest: answer with a page, not with problem+json.
[[nodiscard]] bool wants_html(const Headers& headers);

}  // namespace moat::http
