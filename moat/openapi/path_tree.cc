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

// Matches from the front, each parameter as short as it may be, but not empty; the last one takes
// what is left. `raw` keeps its escapes: a literal with a character that is escaped somewhere does
// not match, since no client needs to escape what may stand in a literal.
bool matches(const Segment& segment, std::string_view raw, std::vector<std::string_view>& values) {
  const std::size_t before = values.size();
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const SegmentPart& part = segment[i];
    if (!part.is_parameter) {
      if (raw.substr(0, part.text.size()) != part.text) break;
      raw.remove_prefix(part.text.size());
      continue;
    }
    std::size_t size = raw.size();
    if (i + 2 == segment.size()) {
      // The last literal ends the segment.
      const std::string& end = segment[i + 1].text;
      size = raw.size() > end.size() && raw.substr(raw.size() - end.size()) == end
                 ? raw.size() - end.size()
                 : 0;
    } else if (i + 1 < segment.size()) {
      size = raw.size() < 1 ? std::string_view::npos : raw.find(segment[i + 1].text, 1);
    }
    if (size == 0 || size == std::string_view::npos) break;
    values.push_back(raw.substr(0, size));
    raw.remove_prefix(size);
    if (i + 1 == segment.size()) return true;
  }
  if (raw.empty() && (segment.empty() || !segment.back().is_parameter)) return true;
  values.resize(before);
  return false;
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

std::optional<std::size_t> PathTree::walk(const Node& node, std::string_view rest,
                                          std::vector<std::string_view>& values) {
  const std::size_t slash = rest.find('/');
  const std::string_view raw = rest.substr(0, slash);
  const bool last = slash == std::string_view::npos;
  const auto go_on = [&](const Node& next) -> std::optional<std::size_t> {
    return last ? next.index : walk(next, rest.substr(slash + 1), values);
  };
  if (!node.literals.empty()) {
    std::string decoded;
    if (raw.find('%') != std::string_view::npos) decoded = percent_decode(raw).value_or("%");
    const auto literal = node.literals.find(decoded.empty() ? raw : std::string_view(decoded));
    if (literal != node.literals.end()) {
      if (auto found = go_on(*literal->second)) return found;
    }
  }
  for (const auto& [segment, next] : node.templates) {
    const std::size_t before = values.size();
    if (!matches(segment, raw, values)) continue;
    if (auto found = go_on(*next)) return found;
    values.resize(before);
  }
  return std::nullopt;
}

std::optional<std::size_t> PathTree::find(std::string_view path,
                                          std::vector<std::string_view>& values) const {
  values.clear();
  if (path.empty() || path[0] != '/') return std::nullopt;
  return walk(root_, path.substr(1), values);
}

}  // namespace moat::openapi
