// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "moat/validate/identifiers.h"

namespace moat::validate {

// Checks and changes of any text. The checks allocate nothing and are linear in the text (times the
// text or the set that the program compares it with).

struct ContainsOptions {
  Case letters = Case::exact;       // ignore: ASCII letters only
  std::size_t min_occurrences = 1;  // that do not overlap
};
[[nodiscard]] bool contains(std::string_view text, std::string_view part,
                            const ContainsOptions& options = {});
[[nodiscard]] bool equals(std::string_view text, std::string_view other);
// Whether the text is one of those; not whether it is a part of one.
[[nodiscard]] bool is_in(std::string_view text, std::span<const std::string_view> values);
enum class Whitespace { counts, ignore };  // of ASCII: space, tab, CR, LF, VT, FF
[[nodiscard]] bool is_empty(std::string_view text, Whitespace whitespace = Whitespace::counts);
// ASCII only, and no letter of the other case. False for the empty text.
[[nodiscard]] bool is_lowercase(std::string_view text);
[[nodiscard]] bool is_uppercase(std::string_view text);
// ASCII letters, or letters and digits, and what is in `ignore` (bytes of ASCII). False for the
// empty text and for nothing but what is ignored.
[[nodiscard]] bool is_alpha(std::string_view text, std::string_view ignore = {});
[[nodiscard]] bool is_alphanumeric(std::string_view text, std::string_view ignore);
// Valid UTF-8 whose characters are all in `characters`. False for the empty text.
[[nodiscard]] bool is_whitelisted(std::string_view text, std::string_view characters);

// "true", "false", "1" or "0".
[[nodiscard]] bool is_boolean(std::string_view text);
struct BooleanOptions {
  bool allow_yes_no = false;  // "yes", "no"
  bool allow_any_case = false;
};
[[nodiscard]] bool is_boolean(std::string_view text, const BooleanOptions& options);

// What a JSON text may be at its top.
enum class JsonTop {
  object_or_array,
  allow_literals,
  allow_anything
};  // literals: true, false, null
// RFC 8259, within the default limits of moat::json, no member twice. Allocates: it is parsed.
[[nodiscard]] bool is_json(std::string_view text, JsonTop top = JsonTop::object_or_array);

// What a password is made of. ASCII letters, digits and punctuation only: this is a form that some
// policies ask for; how hard a password is to guess is moat::password's to say.
struct PasswordForm {
  std::size_t min_length = 8;  // code points
  std::size_t min_lowercase = 1;
  std::size_t min_uppercase = 1;
  std::size_t min_numbers = 1;
  std::size_t min_symbols = 1;
};
[[nodiscard]] bool is_strong_password(std::string_view text, const PasswordForm& form = {});
struct PasswordPoints {
  double per_unique = 1;
  double per_repeat = 0.5;
  double for_lower = 10;
  double for_upper = 10;
  double for_number = 10;
  double for_symbol = 10;
};
// Points for each character that is new and each that is not, and for each kind there is. Unique
// characters are counted as bytes.
[[nodiscard]] double password_score(std::string_view text, const PasswordPoints& points = {});

// Sanitizers. They are for convenience: no security rests on them.

// Without the given characters (bytes of ASCII) at the left, the right or both ends.
[[nodiscard]] std::string_view ltrim(std::string_view text,
                                     std::string_view characters = " \t\r\n\v\f");
[[nodiscard]] std::string_view rtrim(std::string_view text,
                                     std::string_view characters = " \t\r\n\v\f");
[[nodiscard]] std::string_view trim(std::string_view text, std::string_view characters);

// & < > " ' / \ and the backtick as references; and those eight back, once.
[[nodiscard]] std::string escape(std::string_view text);
[[nodiscard]] std::string unescape(std::string_view text);

// The characters of valid UTF-8 that are, or are not, in `characters`; bytes that are no UTF-8 are
// left out.
[[nodiscard]] std::string whitelist(std::string_view text, std::string_view characters);
[[nodiscard]] std::string blacklist(std::string_view text, std::string_view characters);

// Booleans. strict: true for "1" and "true" of any case only. allow_other_words: false for "0",
// "false" of any case and the empty text only.
enum class Truth { strict, allow_other_words };
[[nodiscard]] bool to_boolean(std::string_view text, Truth truth = Truth::strict);

struct NormalizeEmailOptions {
  bool all_lowercase = true;
  bool gmail_lowercase = true;
  bool gmail_remove_dots = true;
  bool gmail_remove_subaddress = true;
  bool gmail_convert_googlemaildotcom = true;
  bool icloud_lowercase = true;
  bool icloud_remove_subaddress = true;
  bool outlookdotcom_lowercase = true;
  bool outlookdotcom_remove_subaddress = true;
  bool yahoo_lowercase = true;
  bool yahoo_remove_subaddress = true;
  bool yandex_lowercase = true;
  bool yandex_convert_yandexru = true;
};
// An address as those providers would deliver it, to find two spellings of one mailbox. Send to the
// address as it was given. nullopt for what is no local@domain in visible UTF-8, or is nothing but
// what is removed.
[[nodiscard]] std::optional<std::string> normalize_email(std::string_view text,
                                                         const NormalizeEmailOptions& options = {});

}  // namespace moat::validate
