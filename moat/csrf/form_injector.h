// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace moat::csrf {

// Whether a body of that Content-Type may be given to a FormInjector: text/html in a character
// encoding in which ASCII bytes mean ASCII (UTF-8, ISO 8859, Windows 125x, or none named).
[[nodiscard]] bool is_injectable(std::string_view content_type);

// FormInjector puts a form token into a page while it streams by: a hidden field behind the start
// tag of each form that posts to the page's own origin. It reads tags as the HTML Standard's
// tokenizer does (section 13.2.5), so what stands in comments, scripts, styles, text areas and
// attributes is no form. All other bytes pass as they are and at once; however they are cut into
// pieces, the output is the same. Holds at most 5 KiB.
//
// A form gets no token where its action, or the page's <base>, leads elsewhere or might; nor does
// one within another, which browsers take for a part of the outer one, whatever end tags they pass
// over. What comes behind the tag is not known yet: a later <base>, and the formaction of a button,
// may still send it elsewhere.
class FormInjector final {
 public:
  // The origin of the page, by the request's scheme and Host; `token` is what Tokens::issue gave.
  FormInjector(std::string_view scheme, std::string_view host, std::string_view token);

  // Appends `html` to `out`, with the fields.
  void feed(std::string_view html, std::string& out);
  std::size_t injected() const { return injected_; }  // fields, so far

 private:
  enum class State : std::uint8_t {
    text,
    tag_open,
    end_tag_open,
    tag_name,
    before_name,
    name,
    after_name,
    before_value,
    value_double,
    value_single,
    value_bare,
    after_value,
    markup,
    markup_dash,
    bogus_comment,
    comment_start,
    comment_start_dash,
    comment,
    comment_dash,
    comment_end,
    comment_bang,
    raw,
    raw_open,
    raw_bang,
    raw_bang_dash,
    raw_end_open,
    raw_name,
    plaintext
  };
  // Text that is kept up to a size; what did not fit is known to be missing.
  template <std::size_t most>
  struct Kept {
    void clear() { text.clear(), cut = false; }
    void add(char c) { text.size() < most ? text.push_back(c) : void(cut = true); }
    bool is(std::string_view other) const { return !cut && text == other; }
    std::string text;
    bool cut = false;
  };
  using Url = Kept<2048>;

  // One byte; true: it ends the start tag of a form that gets the field.
  bool step(char c);
  bool step_tag(char c);
  bool step_value(char c);
  void step_comment(char c);
  void step_raw(char c);
  void end_raw_name(char c);
  void begin_tag(bool end, char c);
  void begin_name();
  void begin_value();
  void keep_value(char c);
  bool end_tag();
  bool end_start_tag();
  void end_end_tag();
  bool posts_home() const;
  enum class Target : std::uint8_t { own, relative, foreign };
  Target judge(const Url& url) const;

  std::string scheme_;
  std::string host_;
  std::string field_;
  std::size_t injected_ = 0;

  State state_ = State::text;
  bool is_end_tag_ = false;
  bool slash_ = false;  // the last of a tag, and of no value
  Kept<10> tag_;
  // Of a form's or a base's start tag; of an attribute that comes twice the first counts.
  Kept<8> name_;
  enum class Wanted : std::uint8_t { none, method, action, href };
  Wanted wanted_ = Wanted::none;
  bool method_seen_ = false, action_seen_ = false, href_seen_ = false;
  Kept<8> method_;
  Url action_;
  Url href_;
  // Of raw text: whose end tag ends it, and within a script, how far HTML comments have got.
  Kept<10> raw_name_;
  std::string raw_tag_;
  enum class Script : std::uint8_t { plain, escaped, double_escaped };
  Script script_ = Script::plain;
  bool raw_is_end_ = false;
  int dashes_ = 0;
  // Of the page.
  bool in_form_ = false;
  // The outermost open element in which an end tag may not end the form around it, how often it is
  // open, and whether there is such a form.
  std::string aside_;
  std::size_t aside_depth_ = 0;
  bool held_ = false;
  std::size_t foreign_depth_ = 0;  // of SVG and MathML
  bool base_is_foreign_ = false;
};

}  // namespace moat::csrf
