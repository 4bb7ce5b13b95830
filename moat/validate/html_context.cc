// SPDX-License-Identifier: Apache-2.0
#include "moat/validate/internal/html_context.h"

#include <algorithm>
#include <iterator>

#include "moat/base/encoding.h"

namespace moat::validate::internal {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Attributes whose value is one URL.
constexpr std::string_view url_attributes[] = {
    "href", "src",      "action", "formaction", "poster",   "cite", "background", "data",
    "ping", "longdesc", "usemap", "manifest",   "codebase", "icon", "xlink:href", "profile"};
// Attributes whose value is code, style, markup or a list of URLs, and those that animate others.
constexpr std::string_view closed_attributes[] = {
    "style", "srcdoc", "srcset",     "imagesrcset",   "to", "from",
    "by",    "values", "http-equiv", "attributename", "is"};
// Elements that run or embed what their URL leads to.
constexpr std::string_view active_elements[] = {"script", "link",   "iframe", "frame", "object",
                                                "embed",  "applet", "base",   "use",   "portal"};
// Elements whose content the tokenizer reads as text without references.
constexpr std::string_view raw_elements[] = {"script",  "style",    "xmp",      "iframe",
                                             "noembed", "noframes", "plaintext"};
constexpr std::string_view rcdata_elements[] = {"title", "textarea"};

// Whether "</name" stands at `pos`, with a tag's end or white space behind it.
bool is_end_tag_at(std::string_view source, std::size_t pos, std::string_view name) {
  if (source.substr(pos, 2) != "</" || !ascii_iequals(source.substr(pos + 2, name.size()), name))
    return false;
  const auto next = source.substr(pos + 2 + name.size(), 1);
  return !next.empty() && (is_space(next[0]) || next[0] == '>' || next[0] == '/');
}

}  // namespace

bool HtmlContext::is_in_tag() const {
  return state_ == State::tag_name || state_ == State::in_tag || state_ == State::needs_break ||
         state_ == State::attribute_name || state_ == State::after_name;
}

HtmlContext::Complaint HtmlContext::advance(std::string_view source, std::size_t& pos,
                                            std::size_t end) {
  if (state_ == State::text && !element_.empty()) return raw_element(source, pos, end);
  const char c = source[pos];
  switch (state_) {
    case State::text:
      if (c == '<' && source.substr(pos, 2) == "<!") return declaration(source, pos, end);
      if (c == '<') state_ = State::tag_open;
      break;
    case State::rcdata:
      if (is_end_tag_at(source, pos, element_)) {
        element_.clear();
        state_ = State::tag_open;
      }
      break;
    case State::tag_open: {
      if (const auto complaint = open_tag(c)) return complaint;
      break;
    }
    case State::tag_name:
    case State::attribute_name: {
      if (const auto complaint = name_step(c)) return complaint;
      break;
    }
    case State::in_tag:
    case State::needs_break:
    case State::after_name: {
      if (const auto complaint = tag_step(c)) return complaint;
      break;
    }
    case State::before_value:
    case State::double_quoted:
    case State::single_quoted:
    case State::unquoted: {
      if (const auto complaint = value_step(c)) return complaint;
      break;
    }
  }
  ++pos;
  return nullptr;
}

HtmlContext::Complaint HtmlContext::open_tag(char c) {
  if (c == '/' && !end_tag_) {
    end_tag_ = true;
    return nullptr;
  }
  if (!is_letter(c)) return "a '<' that begins no tag; write &lt;";
  tag_.assign(1, c);
  state_ = State::tag_name;
  return nullptr;
}

// "<!doctype …>" and comments: taken whole, no hole may stand in them.
HtmlContext::Complaint HtmlContext::declaration(std::string_view source, std::size_t& pos,
                                                std::size_t end) {
  const bool comment = source.substr(pos, 4) == "<!--";
  if (!comment && !ascii_iequals(source.substr(pos, 9), "<!doctype"))
    return "a declaration that is neither a comment nor a doctype";
  const std::string_view closing = comment ? "-->" : ">";
  // "<!-->" and "<!--->" are comments already, and "--!>" ends one: authors do not mean those.
  const auto at = source.find(closing, pos + (comment ? 4 : 9));
  if (at == std::string_view::npos) return "a comment or doctype that does not end";
  if (at + closing.size() > end) return "a hole in a comment or doctype";
  const auto body = source.substr(pos + 4, at - pos - 4);
  if (comment && (body.substr(0, 1) == ">" || body.substr(0, 2) == "->" ||
                  body.find("--!>") != std::string_view::npos))
    return "a comment that browsers end earlier";
  pos = at + closing.size();
  return nullptr;
}

// The content of a script or style: taken whole, no hole may stand in it.
HtmlContext::Complaint HtmlContext::raw_element(std::string_view source, std::size_t& pos,
                                                std::size_t end) {
  auto at = pos;
  while (at < source.size() && !is_end_tag_at(source, at, element_)) ++at;
  if (at == source.size()) return "an element that is not closed (script, style or the like)";
  if (at > end) return "a hole in a script, style or the like";
  if (source.substr(pos, at - pos).find("<!--") != std::string_view::npos)
    return "\"<!--\" in a script, style or the like";
  pos = at + 1;
  element_.clear();
  end_tag_ = false;
  state_ = State::tag_open;
  return nullptr;
}

HtmlContext::Complaint HtmlContext::check_name() const {
  if (end_tag_) return "an attribute in an end tag";
  if (attribute_ == "http-equiv") return "http-equiv; send a header instead";
  return nullptr;
}

// In the name of a tag or an attribute.
HtmlContext::Complaint HtmlContext::name_step(char c) {
  std::string& name = state_ == State::tag_name ? tag_ : attribute_;
  const bool ends = is_space(c) || c == '>' || c == '/' || (c == '=' && state_ != State::tag_name);
  if (!ends) {
    if (c == '"' || c == '\'' || c == '<' || c == '=' || c == '`' || c == '\0')
      return "a quote, '<' or '=' in the name of a tag or attribute";
    name += c;
    return nullptr;
  }
  name = ascii_lower(name);
  if (state_ == State::attribute_name) {
    if (const auto complaint = check_name()) return complaint;
  }
  if (c == '>') return close_tag();
  if (c == '=') {
    state_ = State::before_value;
  } else {
    state_ = state_ == State::attribute_name && is_space(c) ? State::after_name : State::in_tag;
  }
  return nullptr;
}

HtmlContext::Complaint HtmlContext::begin_attribute(char c) {
  if (c == '"' || c == '\'' || c == '<' || c == '=' || c == '`' || c == '\0')
    return "a quote, '<' or '=' where an attribute should begin";
  attribute_.assign(1, c);
  state_ = State::attribute_name;
  return nullptr;
}

// Between the attributes of a tag.
HtmlContext::Complaint HtmlContext::tag_step(char c) {
  if (c == '>') return close_tag();
  if (is_space(c) || c == '/') {
    if (state_ == State::needs_break || c == '/') state_ = State::in_tag;
    return nullptr;
  }
  if (state_ == State::needs_break)
    return "white space is missing between a block and an attribute";
  if (state_ == State::after_name && c == '=') {
    state_ = State::before_value;
    return nullptr;
  }
  return begin_attribute(c);
}

HtmlContext::Complaint HtmlContext::value_step(char c) {
  const bool closes =
      (state_ == State::double_quoted && c == '"') || (state_ == State::single_quoted && c == '\'');
  if (state_ == State::before_value) {
    if (is_space(c)) return nullptr;
    if (c == '>') return "an attribute without its value";
    value_started_ = link_placed_ = false;
    state_ = c == '"' ? State::double_quoted : c == '\'' ? State::single_quoted : State::unquoted;
    if (state_ == State::unquoted && (c == '<' || c == '=' || c == '`'))
      return "'<', '=' or '`' in an unquoted value";
  } else if (closes) {
    state_ = State::needs_break;
  } else if (state_ == State::unquoted) {
    if (c == '>') return close_tag();
    if (is_space(c)) state_ = State::in_tag;
    if (c == '"' || c == '\'' || c == '<' || c == '=' || c == '`')
      return "a quote, '<' or '=' in an unquoted value";
  } else {
    if (link_placed_) return "{{url:…}} must be the whole value";
    value_started_ = true;
  }
  return nullptr;
}

HtmlContext::Complaint HtmlContext::close_tag() {
  if (!end_tag_ && tag_ == "plaintext") return "plaintext never ends";
  element_.clear();
  state_ = State::text;
  if (!end_tag_ && is_one_of(tag_, raw_elements)) element_ = tag_;
  if (!end_tag_ && is_one_of(tag_, rcdata_elements)) {
    element_ = tag_;
    state_ = State::rcdata;
  }
  end_tag_ = false;
  return nullptr;
}

HtmlContext::Complaint HtmlContext::place(Hole hole) {
  switch (state_) {
    case State::text:
      if (!element_.empty()) return "a hole in a script, style or the like";
      if (hole == Hole::link || hole == Hole::parameter)
        return "{{url:…}} and {{param:…}} belong into attributes";
      return nullptr;
    case State::rcdata:
      return hole == Hole::text ? nullptr : "only plain text may stand in title and textarea";
    case State::double_quoted:
    case State::single_quoted:
      return place_in_value(hole);
    case State::before_value:
    case State::unquoted:
      return "a hole in an unquoted value; quote it";
    case State::tag_open:
    case State::tag_name:
    case State::in_tag:
    case State::needs_break:
    case State::attribute_name:
    case State::after_name:
      return "a hole in a tag, outside of a value";
  }
  return "a hole in an unknown place";
}

HtmlContext::Complaint HtmlContext::place_in_value(Hole hole) {
  if (hole == Hole::html) return "markup in an attribute";
  if (link_placed_) return "{{url:…}} must be the whole value";
  if (attribute_.substr(0, 2) == "on") return "a hole in an event handler";
  if (is_one_of(attribute_, closed_attributes)) return "a hole in an attribute of code or style";
  const bool url = is_one_of(attribute_, url_attributes);
  if (!url && hole == Hole::link) return "{{url:…}} in an attribute that is no link";
  if (url && hole == Hole::text) return "text in a link; write {{url:…}} or {{param:…}}";
  if (url && hole == Hole::link) {
    if (is_one_of(tag_, active_elements)) return "{{url:…}} in an element that loads code";
    if (value_started_) return "{{url:…}} must be the whole value";
    link_placed_ = true;
  }
  value_started_ = true;
  return nullptr;
}

HtmlContext::Complaint HtmlContext::enter_block() {
  if (!element_.empty() && state_ == State::text) return "a block in a script, style or the like";
  if (state_ == State::tag_open || state_ == State::before_value || state_ == State::unquoted)
    return "a block in the middle of a tag's syntax";
  if (state_ == State::tag_name || state_ == State::attribute_name) {
    if (const auto complaint = name_step(' ')) return complaint;
    state_ = State::needs_break;
  }
  // "name {{#if x}}=…" would give the value to whatever stands before it.
  if (state_ == State::after_name) state_ = State::in_tag;
  return nullptr;
}

std::optional<HtmlContext> HtmlContext::join(const HtmlContext& a, const HtmlContext& b) {
  HtmlContext joined = a;
  if (a.is_in_tag() && b.is_in_tag()) {
    if (a.tag_ != b.tag_ || a.end_tag_ != b.end_tag_) return std::nullopt;
    for (const auto* branch : {&a, &b}) {
      if (branch->state_ == State::tag_name) return std::nullopt;
      HtmlContext check = *branch;
      if (check.state_ == State::attribute_name && check.name_step(' ') != nullptr)
        return std::nullopt;
    }
    joined.attribute_.clear();
    const bool both = a.state_ == State::in_tag && b.state_ == State::in_tag;
    joined.state_ = both ? State::in_tag : State::needs_break;
    return joined;
  }
  if (a.state_ != b.state_ || a.element_ != b.element_) return std::nullopt;
  if (a.state_ == State::double_quoted || a.state_ == State::single_quoted) {
    if (a.tag_ != b.tag_ || a.attribute_ != b.attribute_) return std::nullopt;
    joined.value_started_ = a.value_started_ || b.value_started_;
    joined.link_placed_ = a.link_placed_ || b.link_placed_;
    return joined;
  }
  if (a.state_ == State::text || a.state_ == State::rcdata) return joined;
  return std::nullopt;
}

HtmlContext::Complaint HtmlContext::finish() const {
  if (state_ == State::text && element_.empty()) return nullptr;
  return "the template ends inside a tag or element";
}

}  // namespace moat::validate::internal
