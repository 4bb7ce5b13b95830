// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "moat/validate/email.h"

namespace moat::validate {

// What stands around an e-mail address. All are linear in the text and allocate
// nothing, unless a domain has A-labels or is beyond ASCII.

struct MailboxOptions {
  EmailOptions email;
  bool require_name = false;
};
// An address, or a name and an address in angle brackets, as in a From: or To: field (RFC 5322
// section 3.4): "Ann Example <ann@example.com>". The name is of atoms, dots, single spaces and
// letters beyond ASCII, or stands in double quotes, where " and \ have a \ before them. It shows
// what it is: no controls, no invisible or bidi characters. At most 320 bytes together.
[[nodiscard]] bool is_mailbox(std::string_view text, const MailboxOptions& options = {});

// An address that its provider would give out, where the provider says what those are: at gmail.com
// and googlemail.com 6 to 30 letters, digits and dots, the dots not counted, and what follows a
// "+".
[[nodiscard]] bool is_email_of_provider(std::string_view text, const EmailOptions& options = {});

// RFC 6068: "mailto:", addresses or none, and the fields to, cc, bcc, subject and body, each once.
// URL characters only; a line break, and any other control, in the body only. Addresses are held
// against `options`. At most 8192 bytes.
[[nodiscard]] bool is_mailto_uri(std::string_view text, const EmailOptions& options = {});

}  // namespace moat::validate
