// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace moat::validate::internal {

enum class Hole : std::uint8_t { text, html, link, parameter };

// HtmlContext follows a template's markup as the HTML tokenizer does (WHATWG HTML, section 13.2.5),
// to know what a hole stands in. It is stricter: what a browser would repair is an error.
class HtmlContext final {
 public:
  // What is wrong, for the author of the template; nullptr when nothing is.
  using Complaint = const char*;

  // Consumes markup at `pos` of `source`, at least one byte; `end` is where the next hole or the
  // source's end is.
  Complaint advance(std::string_view source, std::size_t& pos, std::size_t end);
  // Whether a hole of that kind may stand here; notes that it does.
  Complaint place(Hole hole);
  // Whether a block that is shown or not may begin here. Its branches start from here.
  Complaint enter_block();
  // Whether a list may begin here.
  bool is_text() const { return state_ == State::text; }
  // The context behind two branches, or nullopt when they end in different ones.
  static std::optional<HtmlContext> join(const HtmlContext& a, const HtmlContext& b);
  // nullptr where a template may end.
  Complaint finish() const;

 private:
  enum class State : std::uint8_t {
    text,
    rcdata,  // title and textarea: references are read, tags are not
    tag_open,
    tag_name,
    in_tag,       // before an attribute
    needs_break,  // behind a block in a tag: white space or the tag's end must follow
    attribute_name,
    after_name,
    before_value,
    double_quoted,
    single_quoted,
    unquoted
  };
  bool is_in_tag() const;
  Complaint open_tag(char c);
  Complaint declaration(std::string_view source, std::size_t& pos, std::size_t end);
  Complaint raw_element(std::string_view source, std::size_t& pos, std::size_t end);
  Complaint name_step(char c);
  Complaint tag_step(char c);
  Complaint value_step(char c);
  Complaint begin_attribute(char c);
  Complaint check_name() const;
  Complaint close_tag();
  Complaint place_in_value(Hole hole);

  State state_ = State::text;
  bool end_tag_ = false;
  bool value_started_ = false;  // something stands in the value already
  bool link_placed_ = false;    // a {{url:…}} is the value, nothing may follow
  std::string tag_;
  std::string attribute_;
  std::string element_;  // in rcdata, or to be skipped: whose end tag ends it
};

}  // namespace moat::validate::internal
