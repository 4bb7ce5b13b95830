// SPDX-License-Identifier: Apache-2.0
// URLs: none throws, what is printed is read again as the same, and a target that may be fetched is
// one that a much simpler reader sees alike. Names: encoding and decoding undo each other, and what
// is made of letters beyond ASCII is what the strict readers take, or nothing.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "moat/base/encoding.h"
#include "moat/validate/fetch_target.h"
#include "moat/validate/host.h"
#include "moat/validate/idna.h"
#include "moat/validate/strings.h"
#include "moat/validate/uuid.h"
#include "moat/validate/web_url.h"

namespace {

using namespace moat::validate;

void require(bool good) {
  if (!good) std::abort();
}

void urls(std::string_view text) {
  const auto url = Url::parse(text);
  if (url) {
    const auto again = Url::parse(url->text());
    require(again && *again == *url && again->host() == url->host() &&
            again->path() == url->path());
    require(url->path().substr(0, 1) == "/");
    // Nothing that ends an attribute in double quotes, a line or a word; a backslash only where it
    // is no slash.
    require(url->text().find_first_of(std::string_view(" \t\n\r\0\"<>", 8)) == std::string::npos);
    require(url->text().substr(0, url->text().find_first_of("?#")).find('\\') == std::string::npos);
    // The base makes no difference to what is whole.
    const auto other = Url::parse(url->text(), *Url::parse("ws://u:p@other.example:1/a/b?c#d"));
    require(other && *other == *url);
  }
  const auto base = Url::parse("https://example.com/a/b?c#d");
  const auto relative = Url::parse(text, *base);
  if (relative) require(*Url::parse(relative->text()) == *relative);
}

void names(std::string_view text) {
  FqdnOptions any;
  any.allow_dotless = any.allow_numeric_tld = true;
  for (const bool mapping : {false, true}) {
    IdnaOptions options;
    options.allow_mapping = mapping;
    const auto ascii = domain_to_ascii(text, options);
    const auto exact = domain_to_ascii(text);
    require(!exact || *exact == *ascii);
    if (!ascii) continue;
    require(is_fqdn(*ascii, any) && moat::ascii_lower(*ascii) == *ascii);
    require(*domain_to_ascii(*ascii) == *ascii);
    const auto unicode = domain_to_unicode(*ascii);
    require(unicode && *domain_to_ascii(*unicode) == *ascii &&
            *domain_to_unicode(*unicode) == *unicode);
    require(*domain_to_unicode(text, options) == *unicode);
  }
  require(!is_a_label(text) || *domain_to_ascii(text) == moat::ascii_lower(text));
  HostOptions hosts;
  hosts.allow_idn = true;
  const auto host = Host::parse(text, hosts);
  require(!Host::parse(text) || *host == *Host::parse(text));
  if (host) require(*Host::parse(host->text()) == *host);
}

void idn_urls(std::string_view text) {
  WebUrlOptions options;
  options.allow_idn = true;
  const auto strict = Url::parse(text);
  const auto url = Url::parse(text, options);
  require(!strict || (url && *url == *strict));
  require(strict || url || strict.error() == url.error() ||
          strict.error() == UrlRefusal::non_ascii_host);
  // Whatever a host was mapped to is what the strict reader makes of the result.
  if (url)
    require(*Url::parse(url->text()) == *url &&
            Url::parse(url->text())->address() == url->address());
}

void targets(std::string_view text) {
  FetchRules loose;
  loose.allow_http = loose.allow_private_networks = loose.allow_loopback = true;
  const auto target = FetchTarget::parse(text, loose);
  require(!FetchTarget::parse(text) || target);
  if (!target) return;
  // Cut by hand, the host stands in front of the authority, and is_url, another reader, takes it.
  UrlOptions options;
  options.allow_dotless_host = true;
  const auto start = text.find("://") + 3;
  const auto authority = text.substr(start, text.find_first_of("/?#", start) - start);
  require(moat::ascii_lower(authority).rfind(target->host().for_url(), 0) == 0);
  require(is_url("https://" + std::string(authority), options));
  const auto next = target->redirect(target->url().text(), loose);
  require(next && next->url() == target->url());
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  // A copy of its own, so that a sanitizer sees a byte read beyond the end.
  const auto copy = std::make_unique<char[]>(input.size());
  for (std::size_t i = 0; i < input.size(); ++i) copy[i] = static_cast<char>(input[i]);
  const std::string_view text(copy.get(), input.size());
  urls(text);
  urls("http://" + std::string(text));
  idn_urls(text);
  idn_urls("http://" + std::string(text));
  names(text);
  names("xn--" + std::string(text));
  targets(text);
  targets("https://" + std::string(text));
  const auto host = Host::parse(text);
  if (host)
    require(*Host::parse(host->text()) == *host &&
            Url::parse("https://" + host->for_url() + "/")->host() == host->for_url());
  const auto uuid = Uuid::parse(text);
  require(uuid.has_value() == is_uuid(text));
  if (uuid) require(*Uuid::parse(uuid->text()) == *uuid);
}
