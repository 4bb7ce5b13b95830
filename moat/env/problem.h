// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace moat::env {

// Place says where a value was written. Line 0 means the whole file; an empty file name means the
// process environment.
struct Place {
  std::string file;
  std::uint32_t line = 0;

  // ".env:12", "/run/secrets/key" or "the process environment".
  std::string to_string() const;
  bool operator==(const Place&) const = default;
};

enum class Refusal {
  unreadable,      // a file that is named cannot be read, or none of the files is there
  not_dotenv,      // a line that is no assignment, a NUL, bytes that are no UTF-8, too long
  cut_short,       // an unquoted value would lose what follows its '#'
  dangerous_name,  // a name such as LD_PRELOAD, which the loader or an interpreter acts on
  missing,         // no source gives the key
  given_twice,     // two sources give what may have one source only
  unresolved,      // a reference in a value that leads nowhere, or in a circle
  wrong_type,      // not the integer, boolean, duration or size that was asked for
  out_of_range,    // of the right type, outside of the bounds
  weak,            // a secret that can be guessed
  exposed,         // a secret in a file that others may read or that belongs to somebody else
};
std::string_view to_string(Refusal refusal);

// Problem is why there is no value. Its text names key and place and never holds the value.
struct Problem {
  Refusal refusal;
  Place place;
  std::string key;      // empty where a file as a whole is meant
  std::string message;  // "expected an integer from 1 to 65535"

  // ".env:12: PORT: expected an integer from 1 to 65535".
  std::string to_string() const;
};

}  // namespace moat::env
