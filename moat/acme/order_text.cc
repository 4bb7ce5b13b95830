// SPDX-License-Identifier: Apache-2.0
// What an order says to people.
#include "moat/acme/order.h"

namespace moat::acme {

std::string_view to_string(Failure failure) {
  switch (failure) {
    case Failure::unreachable:
      return "the CA could not be reached";
    case Failure::bad_answer:
      return "the CA gave an answer that ACME does not allow";
    case Failure::refused:
      return "the CA refused";
    case Failure::rate_limited:
      return "the CA has had too many requests";
    case Failure::terms_not_agreed:
      return "the CA's terms of service are not agreed to";
    case Failure::no_such_profile:
      return "the CA has no such profile";
    case Failure::no_challenge:
      return "the CA offers no challenge that can be used here";
    case Failure::not_shown:
      return "a challenge could not be shown, or the order not be saved";
    case Failure::not_proved:
      return "the CA did not find the proof";
    case Failure::took_too_long:
      return "the CA took too long";
    case Failure::bad_certificate:
      return "what the CA issued is not the certificate that was asked for";
  }
  return "unknown";
}

std::string_view to_string(RevocationReason reason) {
  switch (reason) {
    case RevocationReason::unspecified:
      return "unspecified";
    case RevocationReason::key_compromise:
      return "key-compromise";
    case RevocationReason::superseded:
      return "superseded";
  }
  return "unspecified";
}

std::optional<RevocationReason> parse_revocation_reason(std::string_view text) {
  for (const RevocationReason reason :
       {RevocationReason::unspecified, RevocationReason::key_compromise,
        RevocationReason::superseded}) {
    if (text == to_string(reason)) return reason;
  }
  return std::nullopt;
}

std::string Failed::explain() const {
  std::string text(to_string(failure));
  if (!name.empty()) text.append(" for ").append(name);
  if (type) text.append(" (").append(to_string(*type)).append(")");
  if (!problem.detail.empty()) text.append(": ").append(problem.detail);
  if (!problem.type.empty()) text.append(" [").append(problem.type).append("]");
  return text;
}

}  // namespace moat::acme
