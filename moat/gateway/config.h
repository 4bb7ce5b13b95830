// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/acme/messages.h"
#include "moat/base/ip.h"
#include "moat/base/log.h"
#include "moat/base/result.h"
#include "moat/gateway/route_schema.h"
#include "moat/https/certificate.h"
#include "moat/jwt/key.h"
#include "moat/net/loop.h"

namespace moat::https {
class ClientAuthorities;
}

namespace moat::gateway {

// Where something was written: a file and line, an environment variable, or a command-line option.
struct Origin {
  std::string source;  // "moat.toml", "--https", "MOAT_SERVER_HTTPS"
  int line = 0;        // 0 where there are no lines
  std::string to_string() const;
  bool operator==(const Origin&) const = default;
};

struct ConfigProblem {
  Origin origin;
  std::string message;            // a sentence; names the nearest key for a typo
  std::string to_string() const;  // as the terminal shows it
};

// One backend server: "http://127.0.0.1:3000", "localhost:3000", "https://app.internal",
// "unix:/run/app.sock". A name is resolved at start-up; "localhost" is tried on both address
// families.
struct Upstream {
  enum class Kind { plain, tls, unix_socket };
  Kind kind = Kind::plain;
  std::string host;  // "localhost" for a Unix socket
  std::uint16_t port = 80;
  std::string path;                  // of a Unix socket
  std::vector<IpAddress> addresses;  // filled in by resolve_backends(); tried in order
  // What its Host field says: host:port, without a port that is the scheme's own.
  std::string authority() const;
  std::string to_string() const;  // as it stands in the configuration
  // Whether what is sent there leaves this machine, as far as the name tells, and not by TLS.
  bool leaves_in_clear() const;
};

enum class Login { none, optional, required };
enum class OnAnonymous {
  automatic,
  unauthorized,
  redirect
};  // navigations are redirected, the rest gets 401
// report: forged requests pass and are told of. token: enforced, and forms bring a token as well.
enum class CsrfMode { enforce, report, off, token };
enum class CsrfForms { off, inject };  // inject: Moat puts a token into the forms of pages
enum class CspMode { report_only, enforce, off };
// By TLS. optional: the backend is told of one, if the client has it.
enum class ClientCertificates { none, optional, required };

enum class Balance { round_robin, least_connections };

// Files of a certificate: the chain, and its key; PEM.
struct CertificatePair {
  std::string certificate_file;
  std::string key_file;
  Origin origin;
};
inline constexpr std::size_t most_certificates = 64;

// What has been read of a pair of files; the same where the certificate is.
struct OwnCertificate {
  std::optional<https::Certificate> read;
  bool operator==(const OwnCertificate& other) const {
    return read.has_value() == other.read.has_value() &&
           (!read || read->fingerprint() == other.read->fingerprint());
  }
};

// How the backends of a route are reached, chosen and watched.
struct BackendSettings {
  Balance balance = Balance::round_robin;
  // Requests at a time and server, those of all workers; without, as many as come.
  std::optional<std::uint32_t> max_connections;
  // Over TLS: whom to expect where it is not the host, and who may have issued the certificate (a
  // PEM file; else the system's authorities).
  std::string name;
  std::string ca_file;
  std::string ca;                 // the file's content, read by resolve_backends()
  bool allow_unverified = false;  // true is a weakening
  // What Moat shows them of itself, PEM; empty: nothing.
  std::string certificate_file;
  std::string key_file;
  OwnCertificate certificate;  // of the two, read by resolve_backends()
  // Asked for again and again where it is given; a server that answers otherwise gets no requests.
  std::string health_path;
  std::chrono::milliseconds health_every{5'000};
  std::chrono::milliseconds health_timeout{2'000};
  int health_expect = 200;

  bool operator==(const BackendSettings&) const = default;
};

// Route is one [[route]] table. The first whose pattern matches a request's path serves it.
struct Route {
  std::string match = "/*";        // exact, or a prefix up to a final '*'
  std::vector<Upstream> backends;  // at most `most_backends`
  BackendSettings backend;
  Login login = Login::optional;
  ClientCertificates client_certificate = ClientCertificates::none;
  std::vector<std::string> roles;  // any of them; empty: every signed-in user
  // Each of them, of a token or API key; whoever is at a browser has all.
  std::vector<std::string> scopes;
  OnAnonymous on_anonymous = OnAnonymous::automatic;
  std::optional<std::string> limit;  // "120/min/user", beside the general one
  std::uint64_t max_body = 1024 * 1024;
  bool websocket = true;
  CsrfMode csrf = CsrfMode::enforce;  // "report" and "off" are weakenings
  CsrfForms csrf_forms = CsrfForms::off;
  bool allow_encoded_slash = false;       // true is a weakening
  bool allow_underscore_headers = false;  // true is a weakening
  bool allow_unknown_methods = false;     // true is a weakening
  CspMode csp = CspMode::report_only;
  std::string csp_policy;  // of a document that brings none; empty: a standard one
  std::vector<std::string>
      script_cookies;  // the backend's cookies that its scripts must read: no HttpOnly for them
  bool preserve_host = true;  // the backend sees the client's Host; else its own authority
  RouteSchema schema;         // its document is read by resolve_backends()
  Origin origin;
};
inline constexpr std::size_t most_backends = 64;

struct Timeouts {
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds header{10'000};     // for a whole request head
  std::chrono::milliseconds body_idle{10'000};  // between two pieces of a body
  std::chrono::milliseconds send{60'000};       // until the client takes a piece of an answer
  std::chrono::milliseconds idle{60'000};       // a kept connection without a request
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds backend{60'000};  // between two pieces of an answer
  std::chrono::milliseconds websocket{600'000};
  std::chrono::milliseconds drain{20'000};  // requests in flight at a stop
};

// How a request that is over is written down.
enum class AccessFormat { off, json, combined };

enum class Issuer { automatic, local_ca, files, acme };

// TrustedIssuer is one [[issuer]]: somebody else whose bearer tokens say who the user is.
struct TrustedIssuer {
  std::string url;                     // exactly "iss"
  std::vector<std::string> audiences;  // of which one must be in "aud"
  std::string jwks;                    // where its keys are; url + "/.well-known/jwks.json"
  // Empty: what its keys say, but PKCS #1 v1.5 (RS256, RS384, RS512), which are a weakening.
  std::vector<jwt::Algorithm> algorithms;
  std::string user_claim = "sub";
  std::string email_claim;                     // empty: its users have none
  std::string roles_claim;                     // empty: its users have none
  std::string ca_file;                         // PEM; else the system's authorities
  std::string ca;                              // the file's content, read by resolve_backends()
  bool pass_token = false;                     // backends see the Authorization field
  bool insecure_http = false;                  // keys over http:// from this machine: a weakening
  std::chrono::milliseconds max_age{600'000};  // of the keys; see jwt::RemoteKeySet
  std::chrono::milliseconds max_stale{3'600'000};
  std::chrono::milliseconds cooldown{30'000};
  std::chrono::milliseconds retry{10'000};
  std::chrono::milliseconds timeout{5'000};  // of a fetch
  Origin origin;

  bool operator==(const TrustedIssuer&) const = default;
};
inline constexpr std::size_t most_issuers = 8;

// How certificates are got from a CA by themselves (ACME).
struct AcmeSettings {
  std::string directory = "https://acme-v02.api.letsencrypt.org/directory";
  std::string fallback;         // another CA's, asked where the first has failed
  bool agree_to_terms = false;  // of the CA; without it none is asked
  std::string profile;          // of the CA; empty: its default
  std::vector<acme::ChallengeType> challenges{acme::ChallengeType::tls_alpn_01,
                                              acme::ChallengeType::http_01};
  std::string ca_file;  // PEM: who signs the certificate of the CA's own server; else the system's
  std::string ca;       // the file's content, read by resolve_backends()
  // An account that the CA knows (external account binding): its id, and a file with its key in
  // base64url.
  std::string account_id;
  std::string account_key_file;
  // A program by its whole path, and words for it, that puts records into the DNS (dns-01), and the
  // environment variables that it gets; see docs/operations.md. Fixed at the start of the process.
  std::vector<std::string> dns_hook;
  std::vector<std::string> dns_environment;
  std::chrono::milliseconds dns_timeout{120'000};  // for one run of it
  std::chrono::milliseconds dns_wait{0};           // behind it, until the CA is told to look
  bool operator==(const AcmeSettings&) const = default;
};

// A secret named by reference: "file:/run/secrets/access" or "env:NAME". Never a literal.
struct SecretReference {
  std::string name;  // session_keys, assertion_keys, csrf_key, csrf_key_previous
  std::string reference;
  Origin origin;
};

// Config is the whole, checked configuration: defaults, file, environment and command line, in this
// order. Everything that is omitted is at its strict value.
struct Config {
  std::vector<std::string> domains{"localhost"};
  std::string data;  // directory; resolved by the caller when empty
  std::string email;

  std::vector<std::string> https{"127.0.0.1:8443", "[::1]:8443"};
  std::vector<std::string> http{"127.0.0.1:8080", "[::1]:8080"};
  std::string
      admin_listen;  // metrics and health over TCP; empty: only the socket in the data directory
  unsigned workers = 0;  // 0: one a core
  net::Engine engine = net::Engine::automatic;
  std::uint32_t max_connections = 10'000;
  std::uint32_t max_connections_per_address = 200;
  std::vector<Cidr> trusted_proxies;
  // Each connection begins with a header of the PROXY protocol, and only trusted_proxies may
  // connect.
  bool proxy_protocol = false;
  std::string user;   // whom root turns into once it listens; empty: it stays who started it
  std::string group;  // by default that user's own
  bool allow_unsandboxed = false;  // a weakening
  std::uint64_t max_header = 16 * 1024;
  std::uint64_t max_target = 8 * 1024;
  // Of bodies that are read whole to be checked, all connections together.
  std::uint64_t max_held_bodies = 256 * 1024 * 1024;
  Timeouts timeouts;

  Issuer issuer = Issuer::automatic;
  AcmeSettings acme;
  // A directory that several nodes share: the CA's certificate, its order, the keys of tickets.
  std::string storage;
  std::string certificate_file;  // chain, PEM
  std::string key_file;
  std::vector<CertificatePair> more_certificates;  // [[tls.certificate]], in place of the two above
  bool allow_key_readable_by_all = false;          // container mounts: a weakening
  // Who vouches for clients' certificates, and a list of those taken back; PEM. Read by
  // resolve_backends() into `clients`, which is null where no client is asked for one.
  std::string client_ca_file;
  std::string client_crl_file;
  std::shared_ptr<const https::ClientAuthorities> clients;
  bool http2 = true;
  bool tls_modern = false;  // TLS 1.3 only
  std::chrono::seconds hsts_max_age{63'072'000};
  bool hsts_subdomains = true;
  bool hsts_preload = false;
  bool hsts_ramp = false;  // a short time first, longer ones later: a weakening

  std::vector<Route> routes;
  std::vector<TrustedIssuer> issuers;

  bool accounts = true;
  bool signup_open = true;
  bool api_tokens = true;  // programs may log in: POST /auth/token
  bool api_keys = true;
  std::uint32_t argon2_memory_kib = 19'456;
  std::uint32_t argon2_iterations = 2;
  std::uint32_t argon2_lanes = 1;
  unsigned password_workers = 0;  // 0: one a core
  std::uint32_t min_password = 15;

  std::chrono::milliseconds session_idle{30 * 60'000};
  std::chrono::milliseconds session_absolute{8 * 3'600'000};
  std::chrono::milliseconds access_ttl{5 * 60'000};
  std::chrono::milliseconds refresh_grace{30'000};
  // Of programs' sessions, whose access tokens live as long as browsers'.
  std::chrono::milliseconds token_idle{7 * 86'400'000};
  std::chrono::milliseconds token_refresh{30 * 86'400'000LL};
  std::vector<std::string> token_scopes;  // that may be asked for, beside those of the routes
  // A login older than this is confirmed by the password before other sessions are ended.
  std::chrono::milliseconds confirm_after{10 * 60'000};

  std::string limit_default = "600/min/ip burst 100";
  std::optional<std::string> limit_user;
  std::string limit_signup;  // by default 3/hour/ip; for localhost 30/hour/ip
  std::string limit_login;   // by default 10/min/ip; for localhost 30/min/ip
  std::chrono::milliseconds lockout_first{1'000};
  std::chrono::milliseconds lockout_most{15 * 60'000};
  unsigned lockout_free = 5;

  std::vector<std::string> trusted_origins;
  CsrfMode csrf = CsrfMode::enforce;  // of routes that say nothing of their own: enforce or report
  std::string assertion_audience = "backend";
  bool allow_secrets_readable_by_all = false;  // the same for the files of `secrets`
  std::vector<SecretReference> secrets;        // those not here are generated in the data directory
  std::string log_level = "info";
  AccessFormat access_log = AccessFormat::off;
  std::string access_path;   // empty: beside the rest of the log
  bool start_traces = true;  // for requests that come without a traceparent

  std::vector<std::string> notes;  // what was passed over; sentences for whoever starts it

  // A public name whose certificate comes from a CA by itself.
  bool uses_acme() const { return needs_certificate() && acme.agree_to_terms; }
  // A public name that was given no certificate: browsers will not trust what it shows.
  bool lacks_certificate() const { return needs_certificate() && !acme.agree_to_terms; }
  // All that are given as files. Then each name needs one that is for it.
  std::vector<CertificatePair> certificate_pairs() const;
  bool has_certificate_files() const {
    return !certificate_file.empty() || !more_certificates.empty();
  }
  bool is_localhost() const;  // every name is localhost, *.localhost or a loopback address
  bool asks_clients() const;  // some route wants to see their certificates
  std::vector<std::string> scopes() const;  // all that a token or key may be made for

 private:
  bool needs_certificate() const {
    return !is_localhost() && !has_certificate_files() && issuer != Issuer::local_ca;
  }
};

// What weakens one of the seven practices, for `moat check`.
struct Weakening {
  int practice;
  Origin origin;
  std::string message;
};

// Variables as pairs, so that tests need no environment. MOAT_SECTION_KEY (MOAT_DOMAIN for a key
// outside a section) overrides the file; what MOAT_SECTION_KEY_FILE names is read by the caller
// first.
using Environment = std::vector<std::pair<std::string, std::string>>;

// parse_config reads TOML text named `file` and the environment onto the defaults. Unknown keys,
// wrong types, values out of range, a secret written in the file or given twice are problems; all
// are reported, not only the first.
[[nodiscard]] Result<Config, std::vector<ConfigProblem>> parse_config(
    std::string_view text, std::string_view file, const Environment& environment = {});
// Checks the whole for what belongs together (routes with a backend, a public name with a
// certificate source, …).
[[nodiscard]] std::vector<ConfigProblem> check_config(const Config& config);
// "http://127.0.0.1:3000", "localhost:3000", ":3000", "3000", "https://app.internal",
// "unix:/run/app.sock"; the error is a sentence.
[[nodiscard]] Result<Upstream, std::string> parse_upstream(std::string_view text);
// "127.0.0.1:8443", "[::1]:8443", ":8443" (all addresses) or "8443".
struct Listen {
  std::vector<IpAddress> addresses;
  std::uint16_t port = 0;
};
[[nodiscard]] Result<Listen, std::string> parse_listen(std::string_view text);
std::vector<Weakening> weakenings(const Config& config);
// Where the OpenAPI document of a route asks for other credentials than the route, a sentence each.
std::vector<std::string> schema_remarks(const Route& route);

Level log_level(const Config& config);

// A commented moat.toml with the five lines, for `moat init`.
std::string_view sample_config();

}  // namespace moat::gateway
