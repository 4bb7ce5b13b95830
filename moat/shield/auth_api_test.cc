// SPDX-License-Identifier: Apache-2.0
// What holds for each path below /auth.
#include "moat/shield/auth_api.h"

#include <gtest/gtest.h>

#include "moat/shield/internal/auth_fixture.h"

namespace moat::shield {
namespace {

TEST_F(AuthApiTest, NobodyIsLoggedInWithoutASession) {
  start();
  Client client = browser();
  expect_problem(client.get("/auth/me"), 401, "login_required");
  expect_problem(client.get("/auth/sessions"), 401, "login_required");
  expect_problem(client.send("DELETE", "/auth/sessions/abc"), 401, "login_required");
  expect_problem(client.json("/auth/logout-all", ""), 401, "login_required");
  expect_problem(client.json("/auth/password", R"({"current":"a","new":"b"})"), 401,
                 "login_required");
}

TEST_F(AuthApiTest, EveryPathHasItsMethods) {
  start();
  Client client = browser();
  const std::pair<const char*, const char*> wrong[] = {{"PUT", "/auth/login"},
                                                       {"OPTIONS", "/auth/login"},
                                                       {"get", "/auth/me"},
                                                       {"POST", "/auth/me"},
                                                       {"GET", "/auth/logout"},
                                                       {"HEAD", "/auth/logout-all"},
                                                       {"DELETE", "/auth/sessions"},
                                                       {"GET", "/auth/sessions/abc"},
                                                       {"GET", "/auth/sessions/abc/revoke"},
                                                       {"POST", "/auth/moat.css"},
                                                       {"POST", "/.well-known/moat/jwks.json"}};
  for (const auto& [method, path] : wrong) {
    const Response answer = client.send(method, path);
    expect_problem(answer, 405, "method_not_allowed");
    EXPECT_NE(header(answer, "Allow"), "") << path;
    EXPECT_EQ(header(answer, "Allow").find(method), std::string::npos) << path;
  }
  EXPECT_EQ(header(client.send("PUT", "/auth/login"), "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(header(client.send("PUT", "/auth/sessions/x"), "Allow"), "PATCH, DELETE");
  EXPECT_EQ(header(client.send("PUT", "/auth/sessions/x/name"), "Allow"), "POST");
  EXPECT_EQ(header(client.send("PATCH", "/auth/notices/x"), "Allow"), "DELETE");
  EXPECT_EQ(header(client.send("GET", "/auth/notices/x/dismiss"), "Allow"), "POST");
}

TEST_F(AuthApiTest, WhatIsNotThereIsNotFound) {
  start();
  Client client = browser();
  for (const char* path :
       {"/auth/nothing", "/auth/sessions/", "/auth/sessions//revoke", "/auth/sessions/a/b",
        "/auth/notices", "/auth/notices/", "/auth/notices//dismiss", "/auth/login/", "/auth/LOGIN",
        "/.well-known/moat/", "/auth/moat.css/x"}) {
    expect_problem(client.get(path), 404, "not_found");
    expect_problem(client.json(path, "{}"), 404, "not_found");
  }
  EXPECT_TRUE(AuthApi::handles("/auth"));
  EXPECT_TRUE(AuthApi::handles("/auth/x"));
  EXPECT_TRUE(AuthApi::handles("/.well-known/moat/jwks.json"));
  EXPECT_FALSE(AuthApi::handles("/author"));
  EXPECT_FALSE(AuthApi::handles("/.well-known/acme-challenge/x"));
}

TEST_F(AuthApiTest, ThePublicKeysAreForEverybody) {
  start();
  const Response answer = browser().get("/.well-known/moat/jwks.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.kind, Body::json);
  EXPECT_EQ(answer.body, "{\"keys\":[\"ours\"]}");
}

}  // namespace
}  // namespace moat::shield
