// SPDX-License-Identifier: Apache-2.0
#pragma once

// Puts the shield in front of the routes of a cpp-httplib server: what another framework needs, in
// one file.

#include <httplib.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/clock.h"
#include "moat/base/log.h"
#include "moat/http/request.h"
#include "moat/http/security_headers.h"
#include "moat/shield/auth_api.h"
#include "moat/shield/shield.h"

namespace moat_httplib {

// Guard walks each request of a server through all seven practices before any handler sees it, and
// puts the security headers on every answer. Routes ask for a login unless allow() says otherwise.
// Call attach() before the server's own routes are added, so that nothing shadows /auth. The server
// must speak TLS itself: nobody may stand in between who reads requests differently.
class Guard final {
 public:
  struct Options {
    std::size_t max_body = 1024 * 1024;
    moat::http::CspMode csp = moat::http::CspMode::enforce;
    std::string hsts;  // value of Strict-Transport-Security; empty for localhost
  };
  Guard(const moat::shield::Shield& shield, const moat::shield::AuthApi& auth, const moat::Log& log,
        Options options);

  // Other rules for one path, or with "/*" at the end for all below it; the longest pattern counts.
  // Before the server starts.
  void allow(std::string path, moat::shield::Rules rules);
  void attach(httplib::Server& server);

  // In a handler: who is logged in; null where nobody is. Valid until the handler returns.
  const moat::session::Identity* user() const;

 private:
  struct Exchange;
  using Handled = httplib::Server::HandlerResponse;
  static Exchange& exchange();
  Handled before(const httplib::Request& request, httplib::Response& response) const;
  void after(const httplib::Request& request, httplib::Response& response) const;
  void explain(const httplib::Request& request, httplib::Response& response) const;
  void answer_auth(const httplib::Request& request, httplib::Response& response) const;

  // Each false: refused, and the exchange has the answer.
  bool read_head(const httplib::Request& request) const;
  bool check_body(const httplib::Request& request) const;
  bool refuse(int status, std::string_view code, std::string_view title) const;
  bool refuse_admission() const;

  void fill_request(const httplib::Request& request) const;
  const moat::shield::Rules& rules_for(std::string_view path) const;
  void write(const moat::shield::Response& own, httplib::Response& response) const;

  const moat::shield::Shield& shield_;
  const moat::shield::AuthApi& auth_;
  const moat::Log& log_;
  Options options_;
  moat::http::SecurityHeaders security_;
  moat::shield::Rules strictest_;
  std::vector<std::pair<std::string, moat::shield::Rules>> rules_;
};

}  // namespace moat_httplib
