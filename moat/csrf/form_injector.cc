// SPDX-License-Identifier: Apache-2.0
#include "moat/csrf/form_injector.h"

#include <algorithm>
#include <array>

#include "moat/base/encoding.h"
#include "moat/csrf/csrf.h"
#include "moat/csrf/token.h"

namespace moat::csrf {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
bool ends_name(char c) { return is_space(c) || c == '/' || c == '>'; }

// Elements whose content is text up to their end tag. Not <noscript>: it is text where scripts run,
// so a field in it is for those where they do not.
constexpr std::array<std::string_view, 8> raw_elements = {
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"};

// Where `</form>` is text, another vocabulary's or passed over, or may be: HTML Standard sections
// 13.2.6.4.7 ("If there is a template element") and 13.2.6.5; a <select> and a <noscript> are so in
// some browsers.
constexpr std::array<std::string_view, 5> asides = {"template", "select", "noscript", "svg",
                                                    "math"};

bool starts_with(std::string_view text, std::string_view start) {
  return ascii_iequals(text.substr(0, start.size()), start);
}

std::string_view charset_of(std::string_view content_type) {
  std::string_view rest = content_type;
  while (true) {
    const std::size_t semicolon = rest.find(';');
    if (semicolon == rest.npos) return {};
    rest.remove_prefix(semicolon + 1);
    const std::string_view one = trim(rest.substr(0, rest.find(';')));
    if (!starts_with(one, "charset=")) continue;
    std::string_view value = one.substr(8);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
      value = value.substr(1, value.size() - 2);
    return value.empty() ? "?" : value;
  }
}

}  // namespace

bool is_injectable(std::string_view content_type) {
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  if (!ascii_iequals(type, "text/html")) return false;
  const std::string_view charset = charset_of(content_type);
  return charset.empty() || ascii_iequals(charset, "utf-8") || ascii_iequals(charset, "utf8") ||
         ascii_iequals(charset, "us-ascii") || starts_with(charset, "iso-8859-") ||
         starts_with(charset, "windows-125");
}

FormInjector::FormInjector(std::string_view scheme, std::string_view host, std::string_view token)
    : scheme_(scheme), host_(host) {
  // Without quotes, and with a blank before its end: where a browser should take for text what is a
  // tag here, it ends no attribute, comment or string.
  field_.append("<input type=hidden name=").append(field_name).append(" value=").append(token);
  field_.append(" >");
}

void FormInjector::feed(std::string_view html, std::string& out) {
  std::size_t passed = 0;
  for (std::size_t i = 0; i < html.size(); ++i) {
    if (state_ == State::text) {
      i = std::min(html.find('<', i), html.size());
      if (i == html.size()) break;
    }
    if (!step(html[i])) continue;
    out.append(html.substr(passed, i + 1 - passed)).append(field_);
    passed = i + 1;
    ++injected_;
  }
  out.append(html.substr(passed));
}

// ------------------------------------------------------------------------------------------- tags

bool FormInjector::step(char c) {
  switch (state_) {
    case State::text:
      if (c == '<') state_ = State::tag_open;
      return false;
    case State::tag_open:
      if (c == '/') {
        state_ = State::end_tag_open;
      } else if (c == '!') {
        state_ = State::markup;
      } else if (c == '?') {
        state_ = State::bogus_comment;
      } else if (is_alpha(c)) {
        begin_tag(false, c);
      } else if (c != '<') {
        state_ = State::text;
      }
      return false;
    case State::end_tag_open:
      if (is_alpha(c)) {
        begin_tag(true, c);
      } else {
        state_ = c == '>' ? State::text : State::bogus_comment;
      }
      return false;
    case State::tag_name:
    case State::before_name:
    case State::name:
    case State::after_name:
    case State::after_value:
      return step_tag(c);
    case State::before_value:
    case State::value_double:
    case State::value_single:
    case State::value_bare:
      return step_value(c);
    case State::markup:
    case State::markup_dash:
    case State::bogus_comment:
    case State::comment_start:
    case State::comment_start_dash:
    case State::comment:
    case State::comment_dash:
    case State::comment_end:
    case State::comment_bang:
      step_comment(c);
      return false;
    case State::raw:
    case State::raw_open:
    case State::raw_bang:
    case State::raw_bang_dash:
    case State::raw_end_open:
    case State::raw_name:
      step_raw(c);
      return false;
    case State::plaintext:
      return false;
  }
  return false;
}

void FormInjector::begin_tag(bool end, char c) {
  is_end_tag_ = end;
  tag_.clear();
  tag_.add(lower(c));
  slash_ = false;
  method_.clear();
  action_.clear();
  href_.clear();
  method_seen_ = action_seen_ = href_seen_ = false;
  state_ = State::tag_name;
}

void FormInjector::begin_name() {
  name_.clear();
  state_ = State::name;
}

// The name of an attribute is complete.
void FormInjector::begin_value() {
  wanted_ = Wanted::none;
  if (is_end_tag_) return;
  const bool form = tag_.is("form");
  if (form && name_.is("method") && !method_seen_) {
    wanted_ = Wanted::method;
    method_seen_ = true;
  } else if (form && name_.is("action") && !action_seen_) {
    wanted_ = Wanted::action;
    action_seen_ = true;
  } else if (tag_.is("base") && name_.is("href") && !href_seen_) {
    wanted_ = Wanted::href;
    href_seen_ = true;
  }
}

bool FormInjector::step_tag(char c) {
  if (c == '>') {
    if (state_ == State::name) begin_value();
    return end_tag();
  }
  slash_ = c == '/';
  const bool separates = is_space(c) || slash_;
  switch (state_) {
    case State::tag_name:
      if (separates) {
        state_ = State::before_name;
      } else {
        tag_.add(lower(c));
      }
      break;
    case State::name:
      if (!separates && c != '=') {
        name_.add(lower(c));
        break;
      }
      begin_value();
      state_ = c == '=' ? State::before_value : c == '/' ? State::before_name : State::after_name;
      break;
    case State::after_name:
      if (c == '=') {
        state_ = State::before_value;
        break;
      }
      if (c == '/') state_ = State::before_name;
      [[fallthrough]];
    default:  // before_name, after_value
      if (separates) {
        if (state_ == State::after_value) state_ = State::before_name;
        break;
      }
      begin_name();
      name_.add(lower(c));  // an '=' here begins a name
      break;
  }
  return false;
}

bool FormInjector::step_value(char c) {
  switch (state_) {
    case State::before_value:
      if (is_space(c)) return false;
      if (c == '>') return end_tag();
      if (c == '"' || c == '\'') {
        state_ = c == '"' ? State::value_double : State::value_single;
        return false;
      }
      state_ = State::value_bare;
      break;
    case State::value_double:
    case State::value_single:
      if (c == (state_ == State::value_double ? '"' : '\'')) {
        state_ = State::after_value;
        return false;
      }
      break;
    default:  // value_bare
      if (c == '>') return end_tag();
      if (is_space(c)) {
        state_ = State::before_name;
        return false;
      }
      break;
  }
  keep_value(c);
  return false;
}

void FormInjector::keep_value(char c) {
  switch (wanted_) {
    case Wanted::none:
      break;
    case Wanted::method:
      method_.add(lower(c));
      break;
    case Wanted::action:
      action_.add(c);
      break;
    case Wanted::href:
      href_.add(c);
      break;
  }
}

bool FormInjector::end_tag() {
  state_ = State::text;
  wanted_ = Wanted::none;
  if (!is_end_tag_) return end_start_tag();
  end_end_tag();
  return false;
}

void FormInjector::end_end_tag() {
  if (tag_.is("form")) in_form_ = held_;
  if (foreign_depth_ > 0 && (tag_.is("svg") || tag_.is("math"))) --foreign_depth_;
  if (aside_depth_ == 0 || !tag_.is(aside_) || --aside_depth_ > 0) return;
  in_form_ = in_form_ || held_;
  held_ = false;
}

bool FormInjector::end_start_tag() {
  if (tag_.is("form")) {
    // HTML Standard section 13.2.6.4.7: "If the form element pointer is not null […] ignore the
    // token." The field would go where the outer form goes.
    const bool within = in_form_;
    in_form_ = true;
    return !within && posts_home();
  }
  const bool foreign = tag_.is("svg") || tag_.is("math");
  // Section 13.2.6.5: a slash ends an element there, and nowhere else.
  if (slash_ && (foreign || foreign_depth_ > 0)) return false;
  if (foreign) ++foreign_depth_;
  const bool aside =
      !tag_.cut && std::find(asides.begin(), asides.end(), tag_.text) != asides.end();
  if (aside && aside_depth_ == 0) {
    aside_ = tag_.text;
    aside_depth_ = 1;
    held_ = in_form_;
  } else if (aside && tag_.is(aside_) && aside_ != "select" && aside_ != "noscript") {
    ++aside_depth_;  // those two are never within themselves
  }
  if (tag_.is("base")) {
    base_is_foreign_ = base_is_foreign_ || (href_seen_ && judge(href_) == Target::foreign);
  } else if (tag_.is("plaintext")) {
    state_ = State::plaintext;
  } else if (!tag_.cut &&
             std::find(raw_elements.begin(), raw_elements.end(), tag_.text) != raw_elements.end()) {
    raw_tag_ = tag_.text;
    script_ = Script::plain;
    dashes_ = 0;
    state_ = State::raw;
  }
  return false;
}

// Whether the form whose start tag is complete posts to the page's own origin.
bool FormInjector::posts_home() const {
  if (!method_.is("post")) return false;
  // HTML Standard section 4.10.21.3: an empty action is the document's own URL, whatever the base.
  if (!action_.cut && action_.text.empty()) return true;
  switch (judge(action_)) {
    case Target::own:
      return true;
    case Target::relative:
      return !base_is_foreign_;
    case Target::foreign:
      break;
  }
  return false;
}

// As far as the origin goes, and in doubt foreign. URL Standard section 4.4: blanks and controls
// around it are dropped, tabs and line ends within, and a backslash is a slash.
FormInjector::Target FormInjector::judge(const Url& url) const {
  std::string text;
  for (const char c : url.text) {
    if (c == '\t' || c == '\n' || c == '\r') continue;
    if (text.empty() && static_cast<unsigned char>(c) <= 0x20) continue;
    text.push_back(c);
  }
  const std::size_t mark = text.find_first_of("?#");
  if (url.cut && mark == text.npos) return Target::foreign;
  text.resize(std::min(mark, text.size()));
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= 0x20) text.pop_back();
  // A character reference may stand for any of what is looked for here.
  if (text.find_first_of("&\\") != text.npos) return Target::foreign;
  const bool network = text.substr(0, 2) == "//";
  const std::size_t colon = text.find(':');
  if (!network && (colon == text.npos || colon > text.find('/'))) return Target::relative;
  if (network) text.insert(0, scheme_ + ":");
  const auto target = Origin::of_url(text);
  const auto own = Origin::of_request(scheme_, host_);
  return target && own && target->same_as(*own) ? Target::own : Target::foreign;
}

// --------------------------------------------------------------------------------------- comments

void FormInjector::step_comment(char c) {
  const bool end = c == '>';
  const bool dash = c == '-';
  switch (state_) {
    case State::markup:
      state_ = dash ? State::markup_dash : end ? State::text : State::bogus_comment;
      break;
    case State::markup_dash:
      state_ = dash ? State::comment_start : end ? State::text : State::bogus_comment;
      break;
    case State::bogus_comment:
      if (end) state_ = State::text;
      break;
    case State::comment_start:
      state_ = dash ? State::comment_start_dash : end ? State::text : State::comment;
      break;
    case State::comment_start_dash:
      state_ = dash ? State::comment_end : end ? State::text : State::comment;
      break;
    case State::comment:
      if (dash) state_ = State::comment_dash;
      break;
    case State::comment_dash:
      state_ = dash ? State::comment_end : State::comment;
      break;
    case State::comment_end:
      if (dash) break;
      state_ = end ? State::text : c == '!' ? State::comment_bang : State::comment;
      break;
    default:  // comment_bang
      state_ = dash ? State::comment_dash : end ? State::text : State::comment;
      break;
  }
}

// --------------------------------------------------------------------------------------- raw text

void FormInjector::step_raw(char c) {
  const bool script = raw_tag_ == "script";
  switch (state_) {
    case State::raw_open:
      if (c == '/') {
        state_ = State::raw_end_open;
        return;
      }
      if (script && script_ == Script::plain && c == '!') {
        state_ = State::raw_bang;
        return;
      }
      if (script && script_ == Script::escaped && is_alpha(c)) {
        raw_is_end_ = false;
        raw_name_.clear();
        raw_name_.add(lower(c));
        state_ = State::raw_name;
        return;
      }
      break;
    case State::raw_bang:
    case State::raw_bang_dash:
      if (c == '-') {
        const bool complete = state_ == State::raw_bang_dash;
        state_ = complete ? State::raw : State::raw_bang_dash;
        if (complete) script_ = Script::escaped;
        dashes_ = complete ? 2 : 0;
        return;
      }
      break;
    case State::raw_end_open:
      if (is_alpha(c)) {
        raw_is_end_ = true;
        raw_name_.clear();
        raw_name_.add(lower(c));
        state_ = State::raw_name;
        return;
      }
      break;
    case State::raw_name:
      if (is_alpha(c)) {
        raw_name_.add(lower(c));
        return;
      }
      if (ends_name(c)) return end_raw_name(c);
      break;
    default:  // raw
      break;
  }
  state_ = c == '<' ? State::raw_open : State::raw;
  if (c == '>' && dashes_ == 2) script_ = Script::plain;
  dashes_ = c == '-' ? std::min(dashes_ + 1, 2) : 0;
}

// A whole tag name in raw text, and what ends it.
void FormInjector::end_raw_name(char c) {
  const bool same = raw_name_.is(raw_tag_);
  state_ = State::raw;
  dashes_ = 0;
  if (script_ == Script::double_escaped) {
    if (raw_is_end_ && same) script_ = Script::escaped;
  } else if (!raw_is_end_) {
    if (same) script_ = Script::double_escaped;  // "script", within an escaped script
  } else if (same) {
    begin_tag(true, 'x');  // of no further interest
    state_ = c == '>' ? State::text : State::before_name;
  }
}

}  // namespace moat::csrf
