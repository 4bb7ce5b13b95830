// SPDX-License-Identifier: Apache-2.0
// The one place where libidn2 is called. It reads C strings of UTF-8: what it is given has no NUL,
// is valid and not long. The functions of the locale (…_ul, …_lz) are not for us. It keeps no
// state, so that threads need not wait for each other.
#include "moat/validate/idna.h"

#include <idn2.h>

#include <cstdint>
#include <memory>
#include <new>
#include <optional>

#include "moat/base/encoding.h"
#include "moat/validate/internal/ascii.h"
#include "moat/validate/internal/bidi.h"
#include "moat/validate/internal/idna.h"
#include "moat/validate/strings.h"

namespace moat::validate {
namespace {

using Answer = Result<std::string, IdnaRefusal>;

// No name of the DNS takes more in UTF-8: 63 bytes of punycode are at most 59 code points.
constexpr std::size_t max_given = 1024;
constexpr std::size_t max_name = 253;  // RFC 1035 section 2.3.4, as text
constexpr std::size_t max_label = 63;
constexpr std::size_t max_letters = max_label - 4;  // behind "xn--", each takes one byte or more

struct Free {
  void operator()(void* memory) const { idn2_free(memory); }
};
template <class Character>
using Owned = std::unique_ptr<Character, Free>;

const std::uint8_t* bytes_of(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.c_str());
}

IdnaRefusal refusal_of(int code) {
  switch (code) {
    case IDN2_MALLOC:
      throw std::bad_alloc();
    case IDN2_PUNYCODE_BAD_INPUT:
    case IDN2_PUNYCODE_OVERFLOW:
    case IDN2_INVALID_ALABEL:
    case IDN2_UALABEL_MISMATCH:
    case IDN2_ALABEL_ROUNDTRIP_FAILED:
      return IdnaRefusal::bad_punycode;
    case IDN2_PUNYCODE_BIG_OUTPUT:
    case IDN2_TOO_BIG_DOMAIN:
    case IDN2_TOO_BIG_LABEL:
      return IdnaRefusal::too_long;
    case IDN2_2HYPHEN:
    case IDN2_HYPHEN_STARTEND:
      return IdnaRefusal::bad_label;
    case IDN2_BIDI:
      return IdnaRefusal::mixed_direction;
    default:  // of a library that may come to know others
      return IdnaRefusal::forbidden_character;
  }
}

// RFC 5891 section 4: what a registry would check, with the rules for the context that a mere
// look-up may leave out (section 5.4). The label has no capitals of ASCII.
Answer encode_label(const std::string& label) {
  // Some of libidn2's rules look at all of a label for each of its letters.
  if (count_code_points(label).value_or(0) > max_letters) return Error{IdnaRefusal::too_long};
  std::uint8_t* out = nullptr;
  const int code = idn2_register_u8(bytes_of(label), nullptr, &out, 0);
  const Owned<std::uint8_t> owned(out);
  if (code != IDN2_OK) return Error{refusal_of(code)};
  return std::string(reinterpret_cast<const char*>(out));
}

// The U-label of an A-label. What libidn2 decodes may be anything: only what is encoded to the same
// text again is taken (RFC 5891 section 5.3 asks for no less).
Answer decode_label(std::string_view given) {
  if (given.size() > max_label) return Error{IdnaRefusal::too_long};
  if (internal::is_beyond_ascii(given) || given.find('\0') != std::string_view::npos)
    return Error{IdnaRefusal::bad_punycode};
  const std::string label = ascii_lower(given);
  char* out = nullptr;
  const int code = idn2_to_unicode_8z8z(label.c_str(), &out, 0);
  const Owned<char> owned(out);
  if (code != IDN2_OK) return Error{refusal_of(code)};
  std::string decoded(out);
  const auto again = encode_label(decoded);
  if (!again) return again;
  if (*again != label) return Error{IdnaRefusal::bad_punycode};
  return decoded;
}

bool begins_with_mark(std::string_view text) {
  std::uint8_t* out = nullptr;
  const int code = idn2_register_u8(bytes_of(std::string(text)), nullptr, &out, 0);
  idn2_free(out);
  return code == IDN2_LEADING_COMBINING;
}

std::optional<IdnaRefusal> refuse_given(std::string_view name) {
  if (name.size() > max_given) return IdnaRefusal::too_long;
  if (!is_valid_utf8(name) || name.find('\0') != std::string_view::npos)
    return IdnaRefusal::not_utf8;
  return std::nullopt;
}

// Why an ASCII name is none of hosts, where is_fqdn does not tell.
IdnaRefusal refusal_of_ascii(std::string_view name) {
  if (const auto refused = internal::refuse_a_labels(name)) return *refused;
  bool more = true, long_label = name.size() > max_name;
  while (more) long_label |= internal::take_until(name, '.', more).size() > max_label;
  return long_label ? IdnaRefusal::too_long : IdnaRefusal::bad_label;
}

}  // namespace

namespace internal {

std::optional<IdnaRefusal> refuse_a_labels(std::string_view name) {
  // Bounds what a name costs; the dot at the end is not counted.
  if (name.size() > max_name + 1) return IdnaRefusal::too_long;
  BidiRule bidi;
  bool more = true;
  while (more) {
    const auto label = take_until(name, '.', more);
    if (!is_encoded_label(label)) {
      bidi.add(label, begins_with_mark);
      continue;
    }
    const auto decoded = decode_label(label);
    if (!decoded) return decoded.error();
    bidi.add(*decoded, begins_with_mark);
  }
  if (!bidi.holds()) return IdnaRefusal::mixed_direction;
  return std::nullopt;
}

Answer encode_u_labels(std::string_view name) {
  if (const auto refused = refuse_given(name)) return Error{*refused};
  std::string out;
  bool more = true;
  while (more) {
    const auto label = take_until(name, '.', more);
    if (!internal::is_beyond_ascii(label)) {
      out += label;
    } else {
      const auto encoded = encode_label(ascii_lower(label));
      if (!encoded) return encoded;
      out += *encoded;
    }
    if (more) out += '.';
  }
  return out;
}

Answer map_name(std::string_view name) {
  // What IDNA 2008 takes as it is, UTS #46 maps to itself. libidn2 would refuse some of it, for two
  // hyphens in an ASCII label beside it.
  auto exact = encode_u_labels(name);
  if (exact) return exact;
  if (const auto refused = refuse_given(name)) return Error{*refused};
  // Without IDN2_USE_STD3_ASCII_RULES, by which libidn2 drops spaces and underscores instead of
  // refusing them.
  const std::string text(name);
  std::uint8_t* out = nullptr;
  const int code = idn2_lookup_u8(bytes_of(text), &out, IDN2_NONTRANSITIONAL);
  const Owned<std::uint8_t> owned(out);
  if (code != IDN2_OK) return Error{refusal_of(code)};
  return std::string(reinterpret_cast<const char*>(out));
}

}  // namespace internal

std::string_view to_string(IdnaRefusal refusal) {
  switch (refusal) {
    case IdnaRefusal::empty:
      return "empty";
    case IdnaRefusal::too_long:
      return "too_long";
    case IdnaRefusal::not_utf8:
      return "not_utf8";
    case IdnaRefusal::bad_label:
      return "bad_label";
    case IdnaRefusal::bad_punycode:
      return "bad_punycode";
    case IdnaRefusal::forbidden_character:
      return "forbidden_character";
    case IdnaRefusal::mixed_direction:
      return "mixed_direction";
  }
  return "unknown";
}

Answer domain_to_ascii(std::string_view name, const IdnaOptions& options) {
  if (name.empty()) return Error{IdnaRefusal::empty};
  if (name.size() > max_given) return Error{IdnaRefusal::too_long};
  std::string ascii;
  if (!internal::is_beyond_ascii(name)) {
    ascii = ascii_lower(name);
  } else {
    const auto encoded =
        options.allow_mapping ? internal::map_name(name) : internal::encode_u_labels(name);
    if (!encoded) return encoded;
    ascii = ascii_lower(*encoded);
  }
  FqdnOptions any;
  any.allow_dotless = any.allow_numeric_tld = true;
  if (!is_fqdn(ascii, any)) return Error{refusal_of_ascii(ascii)};
  return ascii;
}

Answer domain_to_unicode(std::string_view name, const IdnaOptions& options) {
  const auto ascii = domain_to_ascii(name, options);
  if (!ascii) return ascii;
  std::string_view rest = *ascii;
  std::string out;
  bool more = true;
  while (more) {
    const auto label = internal::take_until(rest, '.', more);
    out += internal::is_encoded_label(label) ? *decode_label(label) : std::string(label);
    if (more) out += '.';
  }
  return out;
}

bool is_a_label(std::string_view label) {
  return internal::is_encoded_label(label) && label.find('.') == std::string_view::npos &&
         !internal::refuse_a_labels(label);
}

}  // namespace moat::validate
