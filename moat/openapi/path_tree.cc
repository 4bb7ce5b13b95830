// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/internal/path_tree.h"

#include <algorithm>
#include <set>
#include <utility>

#include "moat/base/encoding.h"

namespace moat::openapi {
namespace {

std::size_t literal_size(const Segment& segment) {
  std::size_t size = 0;
  for (const SegmentPart& part : segment) size += part.is_parameter ? 0 : part.text.size();
  return size;
}

// Whether two segments match the same texts: their parameters' names do not count.
bool is_alike(const Segment& a, const Segment& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.is_parameter == y.is_parameter && (x.is_parameter || x.text == y.text);
  });
}

using Texts = std::vector<std::string_view>;

// Matches from the front, each parameter as short as it may be, but not empty; the last one takes
// what is left.
bool matches(const Segment& segment, std::string_view text, Texts& values) {
  const std::size_t before = values.size();
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const SegmentPart& part = segment[i];
    if (!part.is_parameter) {
      if (text.substr(0, part.text.size()) != part.text) break;
      text.remove_prefix(part.text.size());
      continue;
    }
    std::size_t size = text.size();
    if (i + 2 == segment.size()) {
      // The last literal ends the segment.
      const std::string& end = segment[i + 1].text;
      size = text.size() > end.size() && text.substr(text.size() - end.size()) == end
                 ? text.size() - end.size()
                 : 0;
    } else if (i + 1 < segment.size()) {
      size = text.empty() ? std::string_view::npos : text.find(segment[i + 1].text, 1);
    }
    if (size == 0 || size == std::string_view::npos) break;
    values.push_back(text.substr(0, size));
    text.remove_prefix(size);
    if (i + 1 == segment.size()) return true;
  }
  if (text.empty() && (segment.empty() || !segment.back().is_parameter)) return true;
  values.resize(before);
  return false;
}

// The other reading of a text that matches: from the end, so that the first parameter takes what is
// left. Regular expressions read so, others as above.
bool matches_from_end(const Segment& segment, std::string_view text, Texts& values) {
  const std::size_t before = values.size();
  for (std::size_t i = segment.size(); i-- > 0;) {
    std::size_t size = segment[i].text.size();
    if (segment[i].is_parameter) {
      const std::string_view literal = i == 0 ? std::string_view() : segment[i - 1].text;
      std::size_t begin = i == 1 ? literal.size() : 0;
      if (i > 1 && text.size() > literal.size()) {
        const std::size_t at = text.rfind(literal, text.size() - literal.size() - 1);
        begin = at == std::string_view::npos ? text.size() : at + literal.size();
      }
      if (begin >= text.size()) break;
      size = text.size() - begin;
      values.push_back(text.substr(begin));
    } else if (text.size() < size || text.substr(text.size() - size) != segment[i].text) {
      break;
    }
    text.remove_suffix(size);
    if (i > 0) continue;
    if (!text.empty()) break;
    std::reverse(values.begin() + static_cast<std::ptrdiff_t>(before), values.end());
    return true;
  }
  values.resize(before);
  return false;
}

// Whether a segment with literals is the same to whoever decodes its text first: matches or not,
// with the same parts.
bool is_same_decoded(const Segment& segment, std::string_view raw, bool matched,
                     Texts::const_iterator parts) {
  if (segment.size() < 2 || raw.find('%') == std::string_view::npos) return true;
  const auto text = percent_decode(raw);
  if (!text) return false;
  Texts others;
  if (matches(segment, *text, others) != matched) return false;
  return std::all_of(others.begin(), others.end(), [&parts](std::string_view other) {
    const auto part = percent_decode(*parts++);
    return part && *part == other;
  });
}

}  // namespace

Result<std::vector<Segment>, std::string> parse_template(std::string_view text) {
  if (text.empty() || text[0] != '/') return Error{std::string("a path begins with a slash")};
  if (text.find_first_of("?#") != std::string_view::npos)
    return Error{std::string("a path has no query and no fragment")};
  std::vector<Segment> out;
  std::set<std::string, std::less<>> names;
  text.remove_prefix(1);
  for (bool more = true; more;) {
    std::string_view rest = text.substr(0, text.find('/'));
    more = rest.size() < text.size();
    text.remove_prefix(rest.size() + (more ? 1 : 0));
    Segment segment;
    while (!rest.empty()) {
      if (rest[0] == '}') return Error{std::string("'}' without '{' before it")};
      if (rest[0] != '{') {
        const std::string_view literal = rest.substr(0, rest.find_first_of("{}"));
        const auto decoded = percent_decode(literal);
        if (!decoded) return Error{std::string("'%' needs two hexadecimal digits")};
        segment.push_back({*decoded, false});
        rest.remove_prefix(literal.size());
        continue;
      }
      const std::size_t end = rest.find('}');
      if (end == std::string_view::npos)
        return Error{std::string("'{' without '}' in its segment")};
      const std::string name(rest.substr(1, end - 1));
      if (name.empty() || name.find('{') != std::string::npos)
        return Error{std::string("between '{' and '}' stands the name of a parameter")};
      if (!names.insert(name).second)
        return Error{"the parameter '" + name + "' stands here twice"};
      if (!segment.empty() && segment.back().is_parameter)
        return Error{"between '" + segment.back().text + "' and '" + name +
                     "' stands nothing: where one ends could not be told"};
      segment.push_back({name, true});
      rest.remove_prefix(end + 1);
    }
    out.push_back(std::move(segment));
  }
  return out;
}

bool PathTree::add(const std::vector<Segment>& segments, std::size_t index, std::size_t& taken) {
  Node* node = &root_;
  for (const Segment& segment : segments) {
    const bool literal = segment.empty() || (segment.size() == 1 && !segment[0].is_parameter);
    if (literal) {
      auto& next = node->literals[segment.empty() ? std::string() : segment[0].text];
      if (next == nullptr) next = std::make_unique<Node>();
      if (!segment.empty()) node->folded.emplace(ascii_lower(segment[0].text), next.get());
      node = next.get();
      continue;
    }
    auto at = std::find_if(node->templates.begin(), node->templates.end(),
                           [&](const auto& other) { return is_alike(other.first, segment); });
    if (at == node->templates.end()) {
      const auto place = std::find_if(
          node->templates.begin(), node->templates.end(),
          [&](const auto& other) { return literal_size(other.first) < literal_size(segment); });
      at = node->templates.emplace(place, segment, std::make_unique<Node>());
    }
    node = at->second.get();
  }
  if (node->index) {
    taken = *node->index;
    return false;
  }
  node->index = index;
  return true;
}

PathTree::Found PathTree::go_on(const Node& next, std::string_view raw, std::string_view rest,
                                Walk& out) {
  if (raw.size() < rest.size()) return walk(next, rest.substr(raw.size() + 1), out);
  if (!next.index) return Found::nothing;
  out.index = *next.index;
  return Found::one;
}

// Whether a backend may take a segment for one of the literals, which it is not, and then find an
// operation: Express and ASP.NET fold case, Tomcat and Spring cut off ";x=1", Rails ".json".
bool PathTree::looks_like_literal(const Node& node, const Node* exact, std::string_view raw,
                                  std::string_view rest, Walk& out) {
  if (node.folded.empty()) return false;
  std::string text = ascii_lower(percent_decode(raw).value_or(std::string(raw)));
  text.resize(std::min(text.size(), text.find(';')));
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  const std::string_view whole(text);
  for (const std::string_view form : {whole, whole.substr(0, whole.rfind('.'))}) {
    const auto literal = node.folded.find(form);
    if (literal == node.folded.end() || literal->second == exact) continue;
    exact = literal->second;  // once each
    const Values before = out.values;
    const Found found = go_on(*literal->second, raw, rest, out);
    out.values = before;
    if (found != Found::nothing) return true;
  }
  return false;
}

PathTree::Found PathTree::walk_templates(const Node& node, std::string_view raw,
                                         std::string_view rest, Walk& out) {
  Texts& shortest = out.values.shortest;
  Texts& longest = out.values.longest;
  for (const auto& [segment, next] : node.templates) {
    const std::size_t before = shortest.size();
    const bool matched = matches(segment, raw, shortest);
    const auto parts = shortest.begin() + static_cast<std::ptrdiff_t>(before);
    if (!is_same_decoded(segment, raw, matched, parts)) return Found::several;
    if (!matched) continue;
    if (!matches_from_end(segment, raw, longest))
      longest.insert(longest.end(), parts, shortest.end());
    const Found found = go_on(*next, raw, rest, out);
    if (found != Found::nothing) return found;
    shortest.resize(before);
    longest.resize(before);
  }
  return Found::nothing;
}

PathTree::Found PathTree::walk(const Node& node, std::string_view rest, Walk& out) {
  const std::string_view raw = rest.substr(0, rest.find('/'));
  const Node* exact = nullptr;
  if (!node.literals.empty()) {
    std::string decoded;
    if (raw.find('%') != std::string_view::npos) decoded = percent_decode(raw).value_or("%");
    const auto literal = node.literals.find(decoded.empty() ? raw : std::string_view(decoded));
    if (literal != node.literals.end()) {
      exact = literal->second.get();
      const Found found = go_on(*literal->second, raw, rest, out);
      if (found != Found::nothing) return found;
    }
  }
  const Found found = walk_templates(node, raw, rest, out);
  if (found == Found::one && looks_like_literal(node, exact, raw, rest, out)) return Found::several;
  return found;
}

std::optional<std::size_t> PathTree::find(std::string_view path, Values& values) const {
  values.shortest.clear();
  values.longest.clear();
  if (path.empty() || path[0] != '/') return std::nullopt;
  Walk out{values};
  return walk(root_, path.substr(1), out) == Found::one ? std::optional(out.index) : std::nullopt;
}

}  // namespace moat::openapi
