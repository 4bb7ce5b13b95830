// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "moat/base/json.h"

namespace moat::openapi {

// What a Learner keeps, at most, whatever strangers send. All are inclusive.
struct LearnLimits {
  static constexpr std::size_t bytes = 4 << 20;       // in all, about
  static constexpr std::size_t operations = 500;      // methods at paths
  static constexpr std::size_t segments = 16;         // of a path; a longer one is not learned
  static constexpr std::size_t siblings = 32;         // words under one path, then it varies
  static constexpr std::size_t segment_bytes = 40;    // of such a word
  static constexpr std::size_t parameters = 64;       // of a query
  static constexpr std::size_t members = 64;          // of an object, then it is a map
  static constexpr std::size_t name_bytes = 64;       // of a parameter or member
  static constexpr std::size_t depth = 8;             // of values in each other
  static constexpr std::size_t elements = 64;         // of an array that are looked at
  static constexpr std::size_t words = 8;             // distinct, of a place that may be an enum
  static constexpr std::size_t word_bytes = 24;       // of one of them
  static constexpr std::size_t word_requests = 10;    // in which each of them came, at least
  static constexpr std::size_t types = 4;             // of bodies, and of answers of one status
  static constexpr std::size_t statuses = 8;          // of answers
  static constexpr std::size_t body_bytes = 1 << 16;  // of a body that is read
};

// A request and its answer. All texts belong to the caller.
struct Observation {
  std::string_view method;
  std::string_view path;   // raw, begins with '/', up to the '?'
  std::string_view query;  // raw, behind the '?'
  int status = 0;          // of the answer
  bool has_body = false;   // the request
  std::string_view request_type;
  std::optional<std::string_view> request_body;  // where it is known, whole and not encoded
  bool has_answer = false;                       // the answer has a body
  std::string_view response_type;
  std::optional<std::string_view> response_body;
};

// Sample is what can be learned of one request: parsed, and yet to be counted.
class Sample final {
 public:
  // Nullopt: nothing. Learned is only what the backend answered by 2xx. What it refused is no part
  // of what it takes, and most attacks are answered by 4xx; a redirect may lead to the login as
  // well as to success. HEAD counts as GET; methods that OpenAPI has no field for are passed over.
  [[nodiscard]] static std::optional<Sample> read(const Observation& observation);

 private:
  friend class Learner;
  using Texts = std::vector<std::pair<std::string, std::string>>;
  struct Content {
    bool there = false;
    std::string type;                  // without parameters; empty: none that is known
    std::optional<json::Value> value;  // JSON
    std::optional<Texts> form;
  };
  static Content read_content(bool there, std::string_view type,
                              const std::optional<std::string_view>& body);
  std::string_view method_;  // a literal
  std::vector<std::string> segments_;
  Texts query_;
  Content body_;
  int status_ = 0;
  Content answer_;
};

// An OpenAPI document for a person to read.
struct Proposal {
  std::uint64_t requests = 0;   // that it stands on
  std::size_t operations = 0;   // in it; with none it is no document that Document::parse takes
  std::size_t seldom = 0;       // operations that were not seen often enough
  std::uint64_t passed_by = 0;  // requests of which something found no room
  json::Value document;         // of version 3.1
  // The document as YAML, which Document::parse reads to the same, behind comments that say what it
  // stands on.
  std::string to_yaml() const;
};

// Learner counts what requests and answers look like, and proposes an OpenAPI document of it.
//
// Strangers choose the traffic. So its memory is bounded by LearnLimits; what is full makes room by
// forgetting what was seen seldom. A thing counts when it came in `min_count` requests, however
// often one of them repeats it. Names are taken only where they are safe and say nothing of a
// person (letters, digits, '_' and '-'; no ids, tokens or addresses). Values are never kept, and
// none is in a proposal, but for words of at most LearnLimits::word_bytes lower-case letters at
// places that are named like a choice ("status", "kind"), each seen in many requests.
class Learner final {
 public:
  static constexpr std::uint32_t least_count = 3;
  explicit Learner(std::uint32_t min_count = least_count);
  ~Learner();
  Learner(Learner&&) noexcept;
  Learner& operator=(Learner&&) noexcept;

  void add(const Sample& sample);
  [[nodiscard]] Proposal propose() const;
  std::uint64_t requests() const;
  // An estimate; LearnLimits::bytes and what one sample adds at most.
  std::size_t bytes() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace moat::openapi
