// SPDX-License-Identifier: Apache-2.0
// The same work by libjwt and cpp-jwt, for `./dev bench jwt`: `jwt_peers_bench FOLDER` with the
// keys and tokens that jwt_bench has put there, and the same lines to answer. Neither can hold a
// prepared key, neither knows Ed25519, and libjwt compares no claims, so that is done here.
#define jwt libjwt_token  // its struct has the name of cpp-jwt's namespace
#include <jwt.h>
#undef jwt

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <jwt/jwt.hpp>
#include <string>

namespace {

const std::string our_issuer = "https://issuer.example";
const std::string our_audience = "https://api.example";

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::int64_t cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Case {
  std::string algorithm;
  std::string private_key;
  std::string public_key;
  std::string token;
};

Case load(const std::string& folder, const std::string& algorithm) {
  const std::string name = algorithm == "HS256"   ? "hs256"
                           : algorithm == "ES256" ? "es256"
                                                  : "rs256";
  const std::string path = folder + "/" + name;
  if (algorithm == "HS256") {
    return {algorithm, read(path + ".key"), read(path + ".key"), read(path + ".token")};
  }
  return {algorithm, read(path + ".pem"), read(path + ".pub"), read(path + ".token")};
}

const unsigned char* raw(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool libjwt_verify(const Case& one) {
  jwt_t* token = nullptr;
  if (jwt_decode(&token, one.token.c_str(), raw(one.public_key),
                 static_cast<int>(one.public_key.size())) != 0) {
    return false;
  }
  const char* iss = jwt_get_grant(token, "iss");
  const char* aud = jwt_get_grant(token, "aud");
  const bool good = jwt_get_alg(token) == jwt_str_alg(one.algorithm.c_str()) && iss != nullptr &&
                    our_issuer == iss && aud != nullptr && our_audience == aud &&
                    jwt_get_grant_int(token, "exp") > std::time(nullptr);
  jwt_free(token);
  return good;
}

bool libjwt_sign(const Case& one) {
  jwt_t* token = nullptr;
  if (jwt_new(&token) != 0) return false;
  const auto now = static_cast<long>(std::time(nullptr));
  jwt_add_header(token, "kid", "key-of-2026-11");
  jwt_add_grants_json(token, R"({"roles":["user"]})");
  jwt_add_grant(token, "iss", our_issuer.c_str());
  jwt_add_grant(token, "sub", "8c1f0e52a7");
  jwt_add_grant(token, "aud", our_audience.c_str());
  jwt_add_grant(token, "jti", "pQ3xT7vKz1YdM0aB");
  jwt_add_grant_int(token, "iat", now);
  jwt_add_grant_int(token, "exp", now + 900);
  jwt_set_alg(token, jwt_str_alg(one.algorithm.c_str()), raw(one.private_key),
              static_cast<int>(one.private_key.size()));
  char* text = jwt_encode_str(token);
  const bool good = text != nullptr;
  std::free(text);
  jwt_free(token);
  return good;
}

bool cpp_jwt_verify(const Case& one) {
  using namespace jwt::params;
  std::error_code error;
  const auto token = jwt::decode(one.token, algorithms({one.algorithm}), error,
                                 secret(one.public_key), issuer(our_issuer), aud(our_audience));
  return !error && token.has_claim("sub");
}

bool cpp_jwt_sign(const Case& one) {
  using namespace jwt::params;
  jwt::jwt_object token{algorithm(one.algorithm), secret(one.private_key)};
  const auto now = std::chrono::system_clock::now();
  token.header().add_header("kid", "key-of-2026-11");
  token.add_claim("roles", std::vector<std::string>{"user"})
      .add_claim("iss", our_issuer)
      .add_claim("sub", "8c1f0e52a7")
      .add_claim("aud", our_audience)
      .add_claim("jti", "pQ3xT7vKz1YdM0aB")
      .add_claim("iat", now)
      .add_claim("exp", now + std::chrono::minutes(15));
  return !token.signature().empty();
}

using Operation = bool (*)(const Case&);
Operation find(const std::string& who, const std::string& what) {
  if (who == "libjwt") return what == "sign" ? libjwt_sign : libjwt_verify;
  if (who == "cpp-jwt") return what == "sign" ? cpp_jwt_sign : cpp_jwt_verify;
  return nullptr;
}

double nanoseconds_each(Operation operation, const Case& one, std::int64_t milliseconds) {
  const std::int64_t begin = cpu_ns();
  std::int64_t spent = 0;
  std::int64_t count = 0;
  while (spent < milliseconds * 1'000'000) {
    for (int i = 0; i < 16; ++i) {
      if (operation(one)) continue;
      std::fputs("an operation failed\n", stderr);
      std::exit(1);
    }
    count += 16;
    spent = cpu_ns() - begin;
  }
  return static_cast<double>(spent) / static_cast<double>(count);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::puts("ready");
  std::fflush(stdout);
  std::string who;
  std::string what;
  std::string algorithm;
  std::int64_t milliseconds = 0;
  while (std::cin >> who >> what >> algorithm >> milliseconds) {
    const Operation operation = find(who, what);
    if (operation == nullptr || algorithm == "Ed25519") {
      std::puts("?");
    } else {
      std::printf("%.1f\n", nanoseconds_each(operation, load(argv[1], algorithm), milliseconds));
    }
    std::fflush(stdout);
  }
  return 0;
}
