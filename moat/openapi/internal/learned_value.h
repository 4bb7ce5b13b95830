// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "moat/base/json.h"
#include "moat/openapi/internal/learned_names.h"
#include "moat/openapi/learner.h"

namespace moat::openapi {

// How often something came, and in how many requests: one request can say it a thousand times.
class Tally final {
 public:
  void add(std::uint64_t request) {
    if (times_ != ~std::uint32_t{0}) ++times_;
    if (last_ == request) return;
    last_ = request;
    ++requests_;
  }
  std::uint32_t times() const { return times_; }
  std::uint32_t requests() const { return requests_; }

 private:
  std::uint64_t last_ = 0;  // requests count from 1
  std::uint32_t times_ = 0;
  std::uint32_t requests_ = 0;
};

// What is believed.
struct Belief {
  std::uint32_t min_count = Learner::least_count;
  bool often(const Tally& tally) const { return tally.requests() >= min_count; }
  // So few of all that they do not count against the rest: a stranger's experiment.
  bool seldom(const Tally& some, std::uint32_t all) const {
    return some.requests() < min_count && std::uint64_t{some.requests()} * 50 < all;
  }
};

// What something takes that is allocated by itself: the allocator's part, and a map's node.
constexpr std::size_t size_with_overhead(std::size_t bytes) { return bytes + 64; }

// The request that is being learned, and the room that is left.
class Lesson final {
 public:
  Lesson(std::uint64_t request, const Belief& belief, std::size_t& used)
      : request_(request), belief_(belief), used_(used) {}
  std::uint64_t request() const { return request_; }
  const Belief& belief() const { return belief_; }
  // False: there is no room for something of that size.
  bool take(std::size_t bytes) {
    if (used_ + size_with_overhead(bytes) > LearnLimits::bytes) {
      left_out_ = true;
      return false;
    }
    used_ += size_with_overhead(bytes);
    return true;
  }
  void leave_out() { left_out_ = true; }
  void forget(std::size_t bytes) {
    used_ -= std::min(used_, bytes);
    forgot_ = true;
  }
  bool forgot() const { return forgot_; }
  bool left_out() const { return left_out_; }

 private:
  std::uint64_t request_;
  Belief belief_;
  std::size_t& used_;
  bool left_out_ = false;
  bool forgot_ = false;
};

enum class TextFormat : std::uint8_t { uuid, date_time, date, email, uri };
inline constexpr std::size_t text_formats = 5;
std::string_view name_of(TextFormat format);
// As the format of that name is checked, or stricter.
[[nodiscard]] bool has_format(std::string_view text, TextFormat format);

struct LearnedMembers;

// What the values at one place look like.
class LearnedValue final {
 public:
  // Whether the words that stand here may be listed: by the name of the place.
  enum class Words : bool { never, listed };
  LearnedValue() = default;
  explicit LearnedValue(Words words) : words_allowed_(words == Words::listed) {}

  void add(const json::Value& value, Lesson& lesson, std::size_t depth = 1);
  // The value of a query, a form or a path: a number or a truth value where all of them are.
  void add_text(std::string_view text, Lesson& lesson);
  void add_repeated(Lesson& lesson) { arrays_.add(lesson.request()); }

  json::Value schema(const Belief& belief) const;
  // Of texts, of which several may have come at once.
  json::Value text_schema(const Belief& belief) const;
  // Forgets what was not seen often.
  void trim(const Belief& belief);
  // What is allocated for it.
  std::size_t bytes() const;

 private:
  struct Word {
    std::string text;
    Tally seen;
  };
  struct Texts {
    std::array<Tally, text_formats> others;  // that do not have the format
    std::vector<Word> words;
    bool too_many = false;
  };
  void add_string(std::string_view text, Lesson& lesson);
  void add_word(std::string_view text, Lesson& lesson);
  void add_array(const json::Array& array, Lesson& lesson, std::size_t depth);
  void add_object(const json::Object& object, Lesson& lesson, std::size_t depth);
  std::uint32_t most() const;
  void describe_strings(const Belief& belief, json::Object& out) const;
  void list_words(const Belief& belief, bool with_null, json::Object& out) const;
  void describe_objects(const Belief& belief, json::Object& out) const;

  Tally nulls_, booleans_, integers_, numbers_, strings_, arrays_, objects_;
  bool words_allowed_ = false;
  bool too_deep_ = false;
  std::unique_ptr<Texts> texts_;
  std::unique_ptr<LearnedValue> items_;
  std::unique_ptr<LearnedMembers> members_;
};

struct LearnedMember {
  Tally seen;
  LearnedValue value;
};

struct LearnedMembers {
  std::map<std::string, LearnedMember, std::less<>> by_name;
  Tally others;       // names that are not taken
  LearnedValue rest;  // what stands under these
  bool is_map = false;
  // A member's place, or null where it has none of its own.
  LearnedMember* place_of(std::string_view name, Brackets brackets, Lesson& lesson);
  void trim(const Belief& belief);
  std::size_t bytes() const;
};

}  // namespace moat::openapi
