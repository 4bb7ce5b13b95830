// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/ip.h"
#include "moat/base/random.h"
#include "moat/csrf/csrf.h"
#include "moat/csrf/token.h"
#include "moat/limit/limit.h"
#include "moat/session/api_keys.h"
#include "moat/session/session.h"
#include "moat/shield/memory.h"
#include "moat/shield/request.h"
#include "moat/shield/token_source.h"

namespace moat::shield {

// The steps of the walk, in order. `canonical` is over before the shield is asked: a request that
// it can read at all has passed the HTTP room's parser or a framework's.
enum class Step { host, address_limit, client_certificate, session, user_limit, csrf, login };
std::string_view to_string(Step step);

// What a route asks for beside the defaults. As it is made here: the strictest.
struct Rules {
  enum class Login { none, optional, required };
  enum class OnAnonymous { automatic, unauthorized, redirect };
  Login login = Login::required;
  OnAnonymous on_anonymous = OnAnonymous::automatic;
  // Who has shown no certificate by TLS is refused, whoever else he is. Not by itself: most sites
  // have no authority that could issue one.
  bool needs_client_certificate = false;
  std::span<const std::string> roles;    // any of them
  std::span<const std::string> scopes;   // each of them; whoever is at a browser has all
  const limit::Policy* limit = nullptr;  // the route's own, beside the general one
  std::uint64_t route = 0;               // tells this route's buckets from another's
  bool allow_forged_requests = false;    // csrf = "off" of a route
  // csrf = "report": they pass, and Admission::would_refuse says why they should not.
  bool allow_forged_requests_and_report = false;
  // csrf = "token": beside the verdict, what a form can send brings a token, whoever sends it.
  bool needs_form_token = false;
  csrf::Scope scope = csrf::Scope::backend;
};

enum class Outcome {
  pass,     // go on to the backend or handler
  refresh,  // something must be looked up: refresh() on a thread that may block, then finish()
  wait,     // the source of tokens fetches something: wait until it has, then go_on()
  form,     // check_form() decides
  refuse    // answer with Admission::status and code
};

// What a refusal tells the client and the log.
struct Refusal {
  Step step = Step::host;
  int status = 0;
  std::string_view code;   // stable, a literal
  std::string_view title;  // a sentence for people
  std::string location;    // where a person is sent instead (status 303)
  std::chrono::nanoseconds retry_after{0};
  std::string_view reason;  // for the log only
  std::string challenge;    // WWW-Authenticate of a bearer token; else a 401 asks for a session
};

// Moat's cookies as a request carried them; views into its Cookie header.
struct Cookies {
  std::string_view access;
  std::string_view refresh;
  std::string_view pre_login;
  std::string_view device;
  bool twice = false;  // one of them came twice
  static Cookies read(std::string_view header);
};

// Admission is what the walk finds out about one request; it is made for each and handed from step
// to step.
struct Admission {
  IpAddress client;  // the canonical client address
  Cookies cookies;
  const session::Identity* identity =
      nullptr;                           // who stands behind the request, if anybody is known
  std::vector<std::string> set_cookies;  // Set-Cookie values that must go out with the answer
  limit::Decision rate;                  // of the general limit, for RateLimit fields
  bool token_reused = false;  // an old refresh token came back, so its session is over: for the log
  bool store_unavailable = false;  // so that nobody knows who stands behind a refresh token
  bool without_cookies = false;    // none of its cookies may count, nor reach a backend
  std::string_view api_key;        // within Authorization: to be looked up
  bool own_bearer = false;  // its bearer token was for Moat: Authorization must not reach a backend
  Refusal refusal;
  csrf::Reason would_refuse = csrf::Reason::none;  // where forged requests are only reported

  // Keeps what `identity` points to: a Memory forgets it while requests are under way.
  std::shared_ptr<const session::Identity> holder;
};

// Shield walks a request through the practices. Thread-safe as its services are; they must outlive
// it.
class Shield final {
 public:
  struct Services {
    session::Manager& sessions;
    const session::RevocationList& revocations;
    session::UserSource& users;
    limit::Table& requests;
    session::ApiKeys* keys = nullptr;  // null: there are none
    TokenSource* tokens = nullptr;  // of other issuers' bearer tokens; null: those are a backend's
    // Of the backend's forms; without, no form gets a token, and where one is needed none is good.
    const csrf::Tokens* form_tokens = nullptr;
  };
  struct Options {
    std::vector<std::string> hosts{
        "localhost"};  // names we answer to, lower case, any port; "*.name" for one label
    std::vector<std::string> trusted_origins;
    std::vector<Cidr> trusted_proxies;
    limit::Policy general;              // by client address
    std::optional<limit::Policy> user;  // by signed-in user
    // By client address: API keys looked up that were none.
    limit::Policy unknown_keys = limit::Policy::parse("60/min/ip").value();
    // By client address: reports of browsers, apart from all else. A page that violates a policy
    // sends one for each violation.
    limit::Policy reports = limit::Policy::parse("60/min/ip").value();
    std::string login_path = "/auth/login";
  };
  // Throws std::invalid_argument for a trusted origin that cannot be read.
  Shield(const Services& services, Options options);

  // Everything that needs no waiting. `memory` is the calling thread's, of this shield; it may be
  // null.
  [[nodiscard]] Outcome begin(const Request& request, const Rules& rules, Time now, Tick tick,
                              Memory* memory, Admission& admission) const;
  // What is left behind a wait. It does not wait again.
  [[nodiscard]] Outcome go_on(const Request& request, const Rules& rules, Time now, Tick tick,
                              Memory* memory, Admission& admission) const;
  // The host and the address limit alone: for a request that ends before it has a route. False:
  // refused.
  [[nodiscard]] bool count_client(const Request& request, Tick tick, Memory* memory,
                                  Admission& admission) const;
  // The same for a report of a browser, which is counted by a limit of its own: a page's reports
  // are not to use up what its user may ask for. False: refused.
  [[nodiscard]] bool count_report(const Request& request, Tick tick, Memory* memory,
                                  Admission& admission) const;
  // Exchanges the refresh token for new ones, or looks the API key up; may block.
  void refresh(const Request& request, Time now, Tick tick, Admission& admission) const;
  // What is left behind a refresh.
  [[nodiscard]] Outcome finish(const Request& request, const Rules& rules, Tick tick,
                               Memory* memory, Admission& admission) const;

  // For Outcome::form. A token in a header passes; else it is looked for among the fields in the
  // `beginning` of the body (a few KiB will do: a field that FormInjector puts in comes first).
  // Without `beginning` the answer may be `form` again: read it, and ask with it.
  [[nodiscard]] Outcome check_form(const Request& request, const Rules& rules,
                                   std::optional<std::string_view> beginning, Time now,
                                   Admission& admission) const;
  // A token for the forms of a page that answers a request; empty where there are none. Who has no
  // session gets a cookie to bind it to, among Admission::set_cookies.
  std::string form_token(Admission& admission, Random& random, Time now) const;

  // The whole walk in one call that may block: for frameworks with a thread for each request, and
  // sources of tokens that block rather than say `wait`. True: passed. What only the body can tell
  // is refused: a form's token has to come in a header.
  [[nodiscard]] bool admit(const Request& request, const Rules& rules, Time now, Tick tick,
                           Admission& admission) const;

  bool knows_host(std::string_view host) const;
  const Options& options() const { return options_; }
  const Services& services() const { return services_; }

 private:
  // Who stands behind a bearer token: somebody that one of the sources knows, or nobody (refused);
  // foreign is what no source calls its own, and a backend's to judge; to_look_up needs a
  // refresh(), and wait what its name says.
  enum class Bearer { foreign, known, to_look_up, refused, wait };

  bool check_host(const Request& request, Memory* memory, Admission& admission) const;
  bool check_address_limit(const Request& request, Tick tick, Admission& admission) const;
  bool charge_address(std::uint64_t limit_id, const limit::Policy& policy, const Request& request,
                      Tick tick, Admission& admission) const;
  bool check_client_certificate(const Request& request, const Rules& rules,
                                Admission& admission) const;
  Bearer check_bearer(const Request& request, const Rules& rules, Time now, Tick tick,
                      Memory* memory, Admission& admission) const;
  Bearer check_api_key(std::string_view key, Time now, Memory* memory, Admission& admission) const;
  void look_up_key(Time now, Tick tick, Admission& admission) const;
  Bearer check_others_bearer(std::string_view token, Time now, Tick tick,
                             Admission& admission) const;
  // Behind the limit by address.
  Outcome identify(const Request& request, const Rules& rules, Time now, Tick tick, Memory* memory,
                   Admission& admission) const;
  Outcome check_session(const Request& request, Time now, Memory* memory,
                        Admission& admission) const;
  bool check_user_limit(const Rules& rules, Tick tick, Admission& admission) const;
  csrf::Verdict judge(const Request& request, const Rules& rules, const Admission& admission) const;
  bool check_csrf(const Request& request, const Rules& rules, Admission& admission) const;
  bool check_login(const Request& request, const Rules& rules, Admission& admission) const;
  bool check_scopes(const Rules& rules, Admission& admission) const;
  using Who = Result<std::shared_ptr<const session::Identity>, session::AccessRefusal>;
  Who who(session::Kind kind, std::string_view access_token, Time now, Memory* memory) const;

  Services services_;
  Options options_;
  csrf::Policy csrf_;
};

// The token of an Authorization field's value; nullopt where it is of another scheme. RFC 6750
// section 2.1, with whatever white space: what a backend may read as a bearer token is one.
std::optional<std::string_view> bearer_token(std::string_view authorization);
// A token bound to the session, or where there is none to the cookie of before the login, which is
// added to `set_cookies`; and whether a token is such a one. Of a session only its own are good:
// somebody else's cookie and token, planted together, must not act for it (cookie tossing).
std::string issue_form_token(const csrf::Tokens& tokens, const Admission& admission, Random& random,
                             Time now, std::vector<std::string>& set_cookies);
[[nodiscard]] bool form_token_is_good(const csrf::Tokens& tokens, const Admission& admission,
                                      std::string_view token, Time now);

// Set-Cookie values: of a new or refreshed session, and those that make a browser forget it.
std::vector<std::string> session_cookies(const session::Issued& issued);
std::vector<std::string> forget_session_cookies();
// One of Moat's cookies, with its attributes; a max age of zero deletes it.
std::string moat_cookie(std::string_view name, std::string_view value,
                        std::chrono::seconds max_age);

}  // namespace moat::shield
