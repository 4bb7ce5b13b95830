// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/result.h"
#include "moat/doctor/tls_facts.h"

struct x509_store_st;

namespace moat::doctor::internal {

inline constexpr std::size_t most_examined = 10;  // certificates of a chain

// Who is believed. Read-only once made.
class Roots final {
 public:
  // `pem` may hold authorities and servers' own certificates; empty: what this system trusts, read
  // by OpenSSL from its files. The error is a sentence.
  [[nodiscard]] static Result<Roots, std::string> create(std::string_view pem);
  Roots(Roots&&) noexcept;
  Roots& operator=(Roots&&) noexcept;
  ~Roots();
  x509_store_st* native() const { return store_; }

 private:
  explicit Roots(x509_store_st* store) : store_(store) {}
  x509_store_st* store_;
};

// examine_chain looks at the certificates that a server sent (in DER, in its order, at least one),
// without regard to the time, for `host`, a DNS name or an address. None: the first is no
// certificate.
[[nodiscard]] std::optional<ChainFacts> examine_chain(const std::vector<std::string>& sent,
                                                      const Roots& roots, const std::string& host);

}  // namespace moat::doctor::internal
