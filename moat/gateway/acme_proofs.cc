// SPDX-License-Identifier: Apache-2.0
#include "moat/gateway/acme_proofs.h"

#include <algorithm>
#include <utility>

#include "moat/https/certificate_request.h"

namespace moat::gateway {

namespace {

// A stop does not wait longer for a record to be taken out.
constexpr std::chrono::milliseconds hurry{5'000};

DnsRequest request_for(const acme::Challenge& challenge, DnsRequest::Action action) {
  return {action, challenge.record(), challenge.record_text()};
}

bool same(const acme::Challenge& a, const acme::Challenge& b) {
  return a.type == b.type && a.name == b.name && a.key_authorization == b.key_authorization;
}

bool among(const acme::Challenge& challenge, const std::vector<acme::Challenge>& all) {
  return std::any_of(all.begin(), all.end(),
                     [&](const acme::Challenge& one) { return same(one, challenge); });
}

}  // namespace

// ------------------------------------------------------------------------------------- AcmeTokens

void AcmeTokens::put(const std::string& token, std::string text) {
  const std::lock_guard lock(mutex_);
  texts_[token] = std::move(text);
  count_ = static_cast<unsigned>(texts_.size());
}

void AcmeTokens::remove(const std::string& token) {
  const std::lock_guard lock(mutex_);
  texts_.erase(token);
  count_ = static_cast<unsigned>(texts_.size());
}

std::string AcmeTokens::find(std::string_view token) const {
  if (count_ == 0) return {};
  const std::lock_guard lock(mutex_);
  const auto found = texts_.find(token);
  return found == texts_.end() ? std::string() : found->second;
}

// ------------------------------------------------------------------------------------- AcmeProofs

Result<void, std::string> AcmeProofs::show(const acme::Challenge& challenge, Time now,
                                           std::stop_token stop) {
  if (challenge.type != acme::ChallengeType::dns_01) return show_here(challenge, now);
  if (places_.dns == nullptr)
    return Error{std::string("there is no tls.acme.dns_hook, or Moat was started without it")};
  return places_.dns->run(request_for(challenge, DnsRequest::Action::present), dns_timeout_,
                          std::move(stop));
}

Result<void, std::string> AcmeProofs::hide(const acme::Challenge& challenge, std::stop_token stop) {
  if (challenge.type != acme::ChallengeType::dns_01) {
    hide_here(challenge);
    return {};
  }
  if (places_.dns == nullptr) return {};
  const DnsRequest request = request_for(challenge, DnsRequest::Action::cleanup);
  if (stop.stop_requested())
    return places_.dns->run(request, std::min(dns_timeout_, hurry), std::stop_token());
  return places_.dns->run(request, dns_timeout_, std::move(stop));
}

void AcmeProofs::mirror(const std::vector<acme::Challenge>& challenges, Time now) {
  for (const acme::Challenge& old : mirrored_) {
    if (!among(old, challenges)) hide_here(old);
  }
  for (const acme::Challenge& fresh : challenges) {
    // What could not be shown now is not shown at all: whoever orders finds out.
    if (!among(fresh, mirrored_)) static_cast<void>(show_here(fresh, now));
  }
  mirrored_ = challenges;
}

Result<void, std::string> AcmeProofs::show_here(const acme::Challenge& challenge, Time now) {
  if (challenge.type == acme::ChallengeType::tls_alpn_01) {
    const auto made = https::tls_alpn_certificate(challenge.name, challenge.digest(), now);
    if (!made) return Error{std::string("no certificate for the proof could be made")};
    places_.store->put_challenge(https::tls_alpn_server_name(challenge.name), *made);
  } else if (challenge.type == acme::ChallengeType::http_01) {
    places_.tokens->put(challenge.token, challenge.key_authorization);
  }
  return {};
}

void AcmeProofs::hide_here(const acme::Challenge& challenge) {
  if (challenge.type == acme::ChallengeType::tls_alpn_01)
    places_.store->remove_challenge(https::tls_alpn_server_name(challenge.name));
  if (challenge.type == acme::ChallengeType::http_01) places_.tokens->remove(challenge.token);
}

}  // namespace moat::gateway
