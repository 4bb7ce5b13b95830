// SPDX-License-Identifier: Apache-2.0
#include "moat/env/problem.h"

namespace moat::env {

std::string Place::to_string() const {
  if (file.empty()) return "the process environment";
  return line == 0 ? file : file + ":" + std::to_string(line);
}

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::unreadable:
      return "unreadable";
    case Refusal::not_dotenv:
      return "not_dotenv";
    case Refusal::cut_short:
      return "cut_short";
    case Refusal::dangerous_name:
      return "dangerous_name";
    case Refusal::missing:
      return "missing";
    case Refusal::given_twice:
      return "given_twice";
    case Refusal::unresolved:
      return "unresolved";
    case Refusal::wrong_type:
      return "wrong_type";
    case Refusal::out_of_range:
      return "out_of_range";
    case Refusal::weak:
      return "weak";
    case Refusal::exposed:
      return "exposed";
  }
  return "unknown";
}

std::string Problem::to_string() const {
  std::string out = place.to_string() + ": ";
  if (!key.empty()) out += key + ": ";
  return out + message;
}

}  // namespace moat::env
