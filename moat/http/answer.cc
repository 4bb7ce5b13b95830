// SPDX-License-Identifier: Apache-2.0
#include "moat/http/answer.h"

#include "moat/base/encoding.h"
#include "moat/base/json.h"
#include "moat/http/internal/chars.h"

namespace moat::http {
namespace {

void append_number(int value, std::string& out) {
  if (value < 0 || value > 999) value = 500;
  const char digits[] = {static_cast<char>('0' + value / 100),
                         static_cast<char>('0' + value / 10 % 10),
                         static_cast<char>('0' + value % 10)};
  out.append(digits, sizeof digits);
}

constexpr std::string_view page_style =
    ":root{color-scheme:light dark;--page:#f2f5f7;--card:#fff;--ink:#1b2530;--soft:#566472;"
    "--line:#d3dbe2}"
    "@media(prefers-color-scheme:dark){:root{--page:#10161c;--card:#19222b;--ink:#e6ecf1;"
    "--soft:#9dacb9;--line:#2d3a46}}"
    "body{margin:0;padding:15vh 1.25rem 2rem;font:1rem/1.5 system-ui,sans-serif;"
    "background:var(--page);color:var(--ink)}"
    "main{box-sizing:border-box;max-width:27.5rem;margin:auto;padding:2rem;text-align:center;"
    "background:var(--card);border:1px solid var(--line);border-radius:.9rem}"
    "h1{font-size:1.5rem;line-height:1.25;margin:0 0 .6rem}p{margin:0}"
    ".status{font-weight:600;letter-spacing:.08em;color:var(--soft);margin-bottom:.4rem}"
    ".facts{font:.8rem/1.6 ui-monospace,monospace;color:var(--soft);margin-top:1.5rem;"
    "overflow-wrap:anywhere}";

}  // namespace

std::string_view reason_phrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 101:
      return "Switching Protocols";
    case 103:
      return "Early Hints";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 203:
      return "Non-Authoritative Information";
    case 204:
      return "No Content";
    case 205:
      return "Reset Content";
    case 206:
      return "Partial Content";
    case 207:
      return "Multi-Status";
    case 208:
      return "Already Reported";
    case 226:
      return "IM Used";
    case 300:
      return "Multiple Choices";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 305:
      return "Use Proxy";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 407:
      return "Proxy Authentication Required";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 451:
      return "Unavailable For Legal Reasons";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 506:
      return "Variant Also Negotiates";
    case 507:
      return "Insufficient Storage";
    case 508:
      return "Loop Detected";
    case 511:
      return "Network Authentication Required";
    default:
      return "";
  }
}

void append_status_line(int status, std::string& out) {
  out += "HTTP/1.1 ";
  append_number(status, out);
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

void append_problem_json(int status, std::string_view code, std::string_view title,
                         std::string_view detail, std::string& out) {
  out += "{\"type\":\"about:blank\",\"title\":";
  json::append_string(out, title.empty() ? reason_phrase(status) : title);
  out += ",\"status\":";
  append_number(status, out);
  out += ",\"code\":";
  json::append_string(out, code);
  if (!detail.empty()) {
    out += ",\"detail\":";
    json::append_string(out, detail);
  }
  out += "}";
}

void append_error_page(const ErrorPage& page, std::string& out) {
  const std::string_view title = page.title.empty() ? reason_phrase(page.status) : page.title;
  out +=
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<meta name=\"robots\" content=\"noindex\"><title>";
  append_html_escaped(title, out);
  out += "</title><style nonce=\"";
  append_html_escaped(page.nonce, out);
  out.append("\">").append(page_style).append("</style></head><body><main><p class=\"status\">");
  append_number(page.status, out);
  out += "</p><h1>";
  append_html_escaped(title, out);
  out += "</h1>";
  if (!page.detail.empty()) {
    out += "<p>";
    append_html_escaped(page.detail, out);
    out += "</p>";
  }
  out += "<p class=\"facts\">";
  append_html_escaped(page.code, out);
  if (!page.request_id.empty()) {
    out += "<br>";
    append_html_escaped(page.request_id, out);
  }
  out += "</p></main></body></html>\n";
}

bool wants_html(const Headers& headers) {
  // Browsers that send Sec-Fetch-Mode send it always, and scripts cannot set it.
  if (const Header* mode = headers.find(Known::sec_fetch_mode)) return mode->value == "navigate";
  if (internal::iequals(headers.value(Known::x_requested_with), "XMLHttpRequest")) return false;
  const std::string_view accept = headers.value(Known::accept);
  return accept.find("text/html") != accept.npos ||
         accept.find("application/xhtml+xml") != accept.npos;
}

}  // namespace moat::http
