// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "moat/base/result.h"

namespace moat::validate {

enum class EmailRefusal {
  empty,
  too_long,             // over 254 bytes, or over 64 before the @
  forbidden_character,  // a control, white space, quote, invisible or bidi character, or no UTF-8
  malformed,            // no single @, or dots that lead, trail or follow each other
  bad_domain,           // not labels of letters, digits and hyphens (RFC 1123 section 2.1), or
                        // "xn--" and no A-label (idna.h)
  no_dot,               // "user@host", unless allow_dotless_domain
  forbidden_domain      // not among only_domains, or among except_domains
};
std::string_view to_string(EmailRefusal refusal);

struct EmailOptions {
  bool allow_dotless_domain = false;  // user@localhost
  // Letters beyond ASCII before the @ (RFC 6531). Off: look-alike letters make two accounts look
  // like one, and mail servers without SMTPUTF8 cannot be reached.
  bool allow_utf8_local_part = false;
  // Letters beyond ASCII behind the @: U-labels of IDNA 2008 (idna.h). An Email has them as
  // A-labels, which every mail server can be told. Off, since letters look alike there, too.
  bool allow_idn_domain = false;
  // Domains that are right (empty: all), then those that are wrong, compared as is_host_in does.
  std::span<const std::string_view> only_domains = {};
  std::span<const std::string_view> except_domains = {};
  std::string_view forbid_characters = {};  // further ones, before the @
};

// Email is an address in the everyday form local@domain: no quoted local part, comment, display
// name or address literal (RFC 5321 section 4.1.2's Dot-string only), so that it can stand in a
// header, a command or a page.
class Email final {
 public:
  [[nodiscard]] static Result<Email, EmailRefusal> parse(std::string_view text,
                                                         const EmailOptions& options = {});
  // To send to: the domain lower-cased and in A-labels, the local part as given (RFC 5321
  // section 2.4: its case may matter).
  const std::string& canonical() const { return canonical_; }
  // To compare and to store as unique: all lower-case (ASCII).
  const std::string& lookup_key() const { return lookup_key_; }
  std::string_view local_part() const { return std::string_view(canonical_).substr(0, at_); }
  std::string_view domain() const { return std::string_view(canonical_).substr(at_ + 1); }

  // Same address by lookup_key.
  bool operator==(const Email& other) const { return lookup_key_ == other.lookup_key_; }

 private:
  Email() = default;
  std::string canonical_;
  std::string lookup_key_;
  std::size_t at_ = 0;
};

[[nodiscard]] bool is_email(std::string_view text, const EmailOptions& options = {});

}  // namespace moat::validate
