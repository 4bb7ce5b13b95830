// SPDX-License-Identifier: Apache-2.0
#include "moat/env/expand.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace moat::env {

namespace {

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name_byte(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }

// ${NAME}, ${NAME:-word} and the like, without its braces.
struct Reference {
  std::string_view name;
  std::string_view word;
  enum class Kind { plain, otherwise, instead } kind = Kind::plain;
  bool empty_counts = true;  // whether a value of "" counts as there (no ':')
};

std::optional<Reference> split(std::string_view body) {
  const auto is_byte = [](char c) { return is_name_byte(c) || c == '.'; };
  const auto end = std::find_if_not(body.begin(), body.end(), is_byte);
  Reference out;
  out.name = body.substr(0, static_cast<std::size_t>(end - body.begin()));
  std::string_view rest = body.substr(out.name.size());
  if (out.name.empty()) return std::nullopt;
  if (rest.empty()) return out;
  if (rest.front() == ':') {
    out.empty_counts = false;
    rest.remove_prefix(1);
  }
  if (rest.empty() || (rest.front() != '-' && rest.front() != '+')) return std::nullopt;
  out.kind = rest.front() == '-' ? Reference::Kind::otherwise : Reference::Kind::instead;
  out.word = rest.substr(1);
  return out;
}

// Where the brace that closes the one in front of `text` stands; braces of other references nest.
std::size_t closing_brace(std::string_view text) {
  std::size_t open = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
    } else if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') {
      ++open;
      ++i;
    } else if (text[i] == '}' && --open == 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

class Expander {
 public:
  Expander(std::vector<Entry>& entries, const Environment& process, std::string_view file,
           const ExpandOptions& options)
      : entries_(entries),
        process_(process),
        file_(file),
        options_(options),
        states_(entries.size(), State::raw),
        values_(entries.size()) {}
  ~Expander() {
    for (std::string& value : values_) wipe(value);
  }
  Expander(const Expander&) = delete;  // holds secrets
  Expander& operator=(const Expander&) = delete;

  Result<void, Problem> run() {
    std::size_t total = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (!expand_entry(i, 0)) return Error{std::move(problem_)};
      total += values_[i].size();
      if (total > options_.total_bytes) {
        fail(i, Refusal::out_of_range, "the expanded values are too long together");
        return Error{std::move(problem_)};
      }
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].value = Secret::take(values_[i]);
    return {};
  }

 private:
  enum class State { raw, active, done };

  bool fail(std::size_t index, Refusal refusal, std::string message) {
    problem_ = {refusal,
                {std::string(file_), entries_[index].line},
                entries_[index].key,
                std::move(message)};
    return false;
  }

  bool expand_entry(std::size_t index, std::size_t depth) {
    if (states_[index] == State::done) return true;
    states_[index] = State::active;
    const std::string_view raw = entries_[index].value.reveal();
    if (entries_[index].quote == Quote::single) {
      values_[index] = std::string(raw);
    } else if (!expand_text(index, raw, depth, values_[index])) {
      return false;
    }
    states_[index] = State::done;
    return true;
  }

  // Appends the expansion of `text`, a part of entry `index`, to `out`.
  bool expand_text(std::size_t index, std::string_view text, std::size_t depth, std::string& out) {
    if (depth > options_.depth) return fail(index, Refusal::unresolved, "references nest too deep");
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char next = i + 1 < text.size() ? text[i + 1] : '\0';
      if (text[i] == '\\' && next == '$') {
        out.push_back('$');
        ++i;
      } else if (text[i] != '$') {
        out.push_back(text[i]);
      } else if (next == '(') {
        return fail(index, Refusal::unresolved,
                    "$(…) would be a command, and a settings file runs none; write \\$( for a "
                    "dollar sign");
      } else if (next == '{') {
        const std::size_t length = closing_brace(text.substr(i + 2));
        if (length == std::string_view::npos)
          return fail(index, Refusal::unresolved,
                      "a ${ is not closed; write \\${ for a dollar sign");
        if (!expand_reference(index, text.substr(i + 2, length), depth, out)) return false;
        i += 2 + length;
      } else if (is_name_start(next)) {
        const auto end = std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                          text.end(), is_name_byte);
        const auto length = static_cast<std::size_t>(end - text.begin()) - i - 1;
        const Reference reference{text.substr(i + 1, length), {}, Reference::Kind::plain, true};
        if (!append(index, reference, depth, out)) return false;
        i += length;
      } else {
        out.push_back('$');
      }
      if (out.size() > options_.value_bytes)
        return fail(index, Refusal::out_of_range, "the expanded value is too long");
    }
    return true;
  }

  bool expand_reference(std::size_t index, std::string_view body, std::size_t depth,
                        std::string& out) {
    const auto reference = split(body);
    if (!reference)
      return fail(index, Refusal::unresolved,
                  "only ${NAME}, ${NAME:-word}, ${NAME-word}, ${NAME:+word} and ${NAME+word} are "
                  "understood; write \\${ for a dollar sign");
    return append(index, *reference, depth, out);
  }

  bool append(std::size_t index, const Reference& reference, std::size_t depth, std::string& out) {
    std::optional<std::string_view> value;
    if (!look_up(index, reference.name, depth, value)) return false;
    const bool there = value && (reference.empty_counts || !value->empty());
    switch (reference.kind) {
      case Reference::Kind::otherwise:
        if (!there) return expand_text(index, reference.word, depth + 1, out);
        break;
      case Reference::Kind::instead:
        return !there || expand_text(index, reference.word, depth + 1, out);
      case Reference::Kind::plain:
        if (!value && !options_.allow_undefined)
          return fail(index, Refusal::unresolved,
                      "refers to " + std::string(reference.name) +
                          ", which neither the process environment nor a line above gives; write "
                          "\\$ for a dollar sign");
        break;
    }
    if (value) out.append(*value);
    return true;
  }

  // Gives `value` what `name` stands for in entry `index`, if anything. The view lives as long as
  // this object.
  bool look_up(std::size_t index, std::string_view name, std::size_t depth,
               std::optional<std::string_view>& value) {
    const auto given = process_.find(name);
    // The process's value is data, unless it is this very line, put there unexpanded by somebody
    // who read the same file.
    for (std::size_t i = given == process_.end() ? index : entries_.size(); i-- > 0;) {
      if (entries_[i].key != name) continue;
      if (given != process_.end() && !given->second.equals(entries_[i].value.reveal())) break;
      if (states_[i] == State::active) {
        if (!options_.allow_undefined)
          return fail(index, Refusal::unresolved,
                      "refers to itself by way of " + std::string(name));
        value = entries_[i].value.reveal();
        return true;
      }
      if (!expand_entry(i, depth + 1)) return false;
      value = values_[i];
      return true;
    }
    if (given != process_.end()) value = given->second.reveal();
    return true;
  }

  std::vector<Entry>& entries_;
  const Environment& process_;
  std::string_view file_;
  ExpandOptions options_;
  std::vector<State> states_;
  std::vector<std::string> values_;
  Problem problem_{Refusal::unresolved, {}, {}, {}};
};

}  // namespace

Result<void, Problem> expand(Dotenv& file, const Environment& process, std::string_view file_name,
                             const ExpandOptions& options) {
  return Expander(file.entries, process, file_name, options).run();
}

}  // namespace moat::env
