// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace moat::csrf {

// What a browser sends without asking first, by a request's Content-Type: a form's three types, or
// none at all. Whatever else it says, a page of another origin may send it only after a preflight
// (Fetch Standard, CORS-safelisted request-header). What cannot be read counts as a form's.
enum class BodyKind {
  urlencoded,
  multipart,
  opaque,  // text/plain, none, or unreadable: a form may have sent it, but no field is looked for
  other    // no form sends it
};
[[nodiscard]] BodyKind body_kind(std::string_view content_type);

// The values of the fields called field_name in the beginning of a form's body, at most four of
// them; those that are cut off or longer than a token are left out. Browsers send fields in the
// order of the page. Of multipart/form-data (RFC 7578) what browsers send is understood, else
// nothing is found. Linear in the text.
[[nodiscard]] std::vector<std::string> form_tokens(std::string_view content_type,
                                                   std::string_view beginning);

}  // namespace moat::csrf
