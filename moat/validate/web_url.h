// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "moat/base/ip.h"
#include "moat/base/result.h"

namespace moat::validate {

enum class UrlRefusal {
  empty,
  too_long,  // over 8192 bytes, as it was given or as text()
  not_utf8,
  missing_scheme,  // a relative reference, and no base
  unknown_scheme,  // another than http, https, ws, wss, ftp and file
  missing_host,
  bad_host,        // a character that no host has, an address that is none, or "xn--" and no
                   // A-label (idna.h)
  non_ascii_host,  // unless allow_idn: write it in A-labels (xn--…)
  bad_port         // no number, or over 65535
};
std::string_view to_string(UrlRefusal refusal);

struct WebUrlOptions {
  // Hosts beyond ASCII, percent-encoded or not: they are mapped by UTS #46, as browsers do, must be
  // names of IDNA 2008 then, and are A-labels in the Url. What is mapped may turn out to be
  // "localhost" or 127.0.0.1, so lists are held against host() and address(), never the text.
  bool allow_idn = false;
};

// Url is a URL as a browser reads it: the WHATWG URL standard's basic parser for its special
// schemes, its repairs included. White space at the ends, tabs and line ends go, backslashes become
// slashes, dot segments are resolved, 0x7f.1 is 127.0.0.1. So it tells what a text will mean to a
// browser. To connect to what a stranger wrote take FetchTarget (fetch_target.h), which repairs
// nothing.
class Url final {
 public:
  static constexpr std::size_t max_bytes = 8192;

  // Linear in the text (and in the base).
  [[nodiscard]] static Result<Url, UrlRefusal> parse(std::string_view text,
                                                     const WebUrlOptions& options = {});
  // A reference, relative or not, on a page that has the URL `base`.
  [[nodiscard]] static Result<Url, UrlRefusal> parse(std::string_view text, const Url& base,
                                                     const WebUrlOptions& options = {});

  // The one spelling: parse(url.text()) == url.
  const std::string& text() const { return text_; }

  std::string_view scheme() const { return scheme_; }  // lower case, without the colon
  std::string_view username() const { return username_; }
  std::string_view password() const { return password_; }
  bool has_userinfo() const { return !username_.empty() || !password_.empty(); }
  // A name in lower case, an IPv4 address, or an IPv6 address in brackets. Empty only for file.
  std::string_view host() const { return host_; }
  // The host, where it is an address. An IPv4 address mapped into IPv6 is that IPv4 address.
  const std::optional<IpAddress>& address() const { return address_; }
  // None where it is the scheme's own.
  std::optional<std::uint16_t> port() const { return port_; }
  // The port, or the scheme's own; none for file.
  std::optional<std::uint16_t> effective_port() const;
  std::string_view path() const { return path_; }  // begins with '/'
  // Without '?' and '#'. "a?" has an empty query, "a" has none.
  const std::optional<std::string>& query() const { return query_; }
  const std::optional<std::string>& fragment() const { return fragment_; }
  // scheme://host[:port]; "null" for file (HTML section 7.1.1: an opaque origin).
  std::string origin() const;

  bool operator==(const Url& other) const { return text_ == other.text_; }

 private:
  friend class UrlReader;
  Url() = default;
  static Result<Url, UrlRefusal> read(std::string_view text, const Url* base,
                                      const WebUrlOptions& options);
  void print();

  std::string scheme_, username_, password_, host_, path_, text_;
  std::optional<std::string> query_, fragment_;
  std::optional<std::uint16_t> port_;
  std::optional<IpAddress> address_;
};

}  // namespace moat::validate
