// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::validate {

// Internationalized domain names by IDNA 2008 (RFC 5890 to 5893). A U-label is a label as people
// read it ("münchen"), an A-label is what stands for it in the DNS ("xn--mnchen-3ya"). What is
// compared, stored or connected to should be A-labels: a name has one spelling in them.
//
// Names that are all ASCII without "xn--" are checked without a library, and nothing is allocated
// to check them.

enum class IdnaRefusal {
  empty,
  too_long,             // over 1024 bytes as given, 253 in A-labels, or 63 in one of them
  not_utf8,             // or with a NUL
  bad_label,            // empty, with a hyphen at an end, with hyphens in both the third and the
                        // fourth place that are no "xn--", or with ASCII that no host name has
  bad_punycode,         // "xn--" and no punycode, or not what its letters are encoded as
  forbidden_character,  // not of IDNA 2008: a capital, a symbol, one unassigned or not composed
                        // (NFC), a mark in front, or one that its neighbours do not allow
  mixed_direction       // against the Bidi rule (RFC 5893)
};
std::string_view to_string(IdnaRefusal refusal);

struct IdnaOptions {
  // Letters as they may be typed are first made into those of a U-label by UTS #46 (non-
  // transitional), as browsers do: capitals, full width, accents of their own, U+3002 for a dot;
  // a soft hyphen goes. The result can be any ASCII name, "localhost" or 127.0.0.1 too: hold it,
  // never the text that was given, against lists.
  bool allow_mapping = false;
};

// The name in A-labels and lower case. Labels may be of letters, digits and hyphens, A-labels or
// U-labels; ASCII letters in any case. No dot at the end. Linear in the name.
[[nodiscard]] Result<std::string, IdnaRefusal> domain_to_ascii(std::string_view name,
                                                               const IdnaOptions& options = {});
// The name in U-labels, to show it; domain_to_ascii makes the same A-labels of it. A name that can
// be shown is not one that can be trusted: letters of other alphabets look alike.
[[nodiscard]] Result<std::string, IdnaRefusal> domain_to_unicode(std::string_view name,
                                                                 const IdnaOptions& options = {});
// Whether a label is an A-label: "xn--" in any case, and letters that IDNA 2008 has and would
// encode in just this way.
[[nodiscard]] bool is_a_label(std::string_view label);

}  // namespace moat::validate
