// SPDX-License-Identifier: Apache-2.0
#include "moat/openapi/learner.h"

#include <algorithm>
#include <iterator>

#include "moat/base/encoding.h"
#include "moat/openapi/internal/learned_paths.h"
#include "moat/openapi/internal/operation.h"
#include "moat/openapi/internal/yaml_writer.h"

namespace moat::openapi {
namespace {

// Media types that may be named. Others are a stranger's words.
constexpr std::string_view known_types[] = {
    "application/geo+json",
    "application/gzip",
    "application/hal+json",
    "application/javascript",
    "application/json",
    "application/json-patch+json",
    "application/ld+json",
    "application/merge-patch+json",
    "application/octet-stream",
    "application/pdf",
    "application/problem+json",
    "application/x-ndjson",
    "application/x-www-form-urlencoded",
    "application/xml",
    "application/zip",
    "font/woff2",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/svg+xml",
    "image/webp",
    "image/x-icon",
    "multipart/form-data",
    "text/css",
    "text/csv",
    "text/event-stream",
    "text/html",
    "text/javascript",
    "text/plain",
    "text/xml",
};

bool may_name_type(std::string_view type) {
  if (std::find(std::begin(known_types), std::end(known_types), type) != std::end(known_types))
    return true;
  // RFC 6838 section 3.2: the vendor tree, which a program has its own types in.
  constexpr std::string_view vendor = "application/vnd.";
  if (type.substr(0, vendor.size()) != vendor || type.size() > LearnLimits::name_bytes)
    return false;
  type.remove_prefix(vendor.size());
  return !looks_like_id(type) && std::all_of(type.begin(), type.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+';
  });
}

std::string_view literal_of(std::string_view method) {
  for (const std::string_view known : {"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"}) {
    if (method == known) return known;
  }
  return method == "HEAD" ? std::string_view("GET") : std::string_view();
}

std::optional<std::string> form_text(std::string_view raw) {
  std::string text(raw);
  std::replace(text.begin(), text.end(), '+', ' ');
  return percent_decode(text);
}

// The pairs of a query or a form, in which a name may stand several times. Nullopt: it is none, or
// there are too many.
std::optional<std::vector<std::pair<std::string, std::string>>> read_pairs(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::string_view raw_name = pair.substr(0, pair.find('='));
    auto name = form_text(raw_name);
    auto value = form_text(pair.substr(std::min(pair.size(), raw_name.size() + 1)));
    if (!name || name->empty() || !value || out.size() == LearnLimits::parameters)
      return std::nullopt;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::optional<std::vector<std::string>> read_path(std::string_view path) {
  std::vector<std::string> out;
  if (path.empty() || path[0] != '/') return std::nullopt;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view raw = path.substr(0, path.find('/'));
    path.remove_prefix(raw.size());
    auto segment = percent_decode(raw);
    const bool gap = raw.empty() && !path.empty();
    if (!segment || gap || out.size() == LearnLimits::segments) return std::nullopt;
    out.push_back(std::move(*segment));
  }
  return out;
}

void learn_pairs(const std::vector<std::pair<std::string, std::string>>& pairs,
                 LearnedMembers& into, Lesson& lesson) {
  for (auto pair = pairs.begin(); pair != pairs.end(); ++pair) {
    LearnedMember* const member = into.place_of(pair->first, Brackets::allowed, lesson);
    if (member == nullptr) continue;
    const bool again = std::any_of(
        pairs.begin(), pair, [&](const auto& earlier) { return earlier.first == pair->first; });
    if (again) member->value.add_repeated(lesson);
    member->seen.add(lesson.request());
    member->value.add_text(pair->second, lesson);
  }
}

}  // namespace

// ----------------------------------------------------------------------------------------- Sample

Sample::Content Sample::read_content(bool there, std::string_view content_type,
                                     const std::optional<std::string_view>& body) {
  Content out;
  out.there = there;
  const auto type = parse_media_type(content_type);
  if (!there || !type || !may_name_type(type->type)) return out;
  out.type = type->type;
  if (!body || body->size() > LearnLimits::body_bytes || !type->is_utf8) return out;
  if (type->format == Format::json) {
    const json::Limits limits{.depth = 32,
                              .members = 10'000,
                              .string_bytes = LearnLimits::body_bytes,
                              .total_bytes = LearnLimits::body_bytes};
    if (auto value = json::parse(*body, limits)) out.value = std::move(*value);
  } else if (type->format == Format::form) {
    out.form = read_pairs(*body);
  }
  return out;
}

std::optional<Sample> Sample::read(const Observation& observation) {
  if (observation.status < 200 || observation.status > 299) return std::nullopt;
  Sample out;
  out.method_ = literal_of(observation.method);
  auto segments = read_path(observation.path);
  auto query = read_pairs(observation.query);
  if (out.method_.empty() || !segments || !query) return std::nullopt;
  out.segments_ = std::move(*segments);
  out.query_ = std::move(*query);
  out.body_ =
      read_content(observation.has_body, observation.request_type, observation.request_body);
  out.status_ = observation.status;
  // HEAD says how long the answer to GET would be, and no more (RFC 9110 section 9.3.2).
  const bool head = observation.method == "HEAD";
  if (head) out.status_ = 0;
  out.answer_ = read_content(observation.has_answer && !head, observation.response_type,
                             observation.response_body);
  return out;
}

// ---------------------------------------------------------------------------------------- Learner

struct Learner::Parts {
  Belief belief;
  LearnedPath root;
  std::uint64_t requests = 0;
  std::uint64_t passed_by = 0;
  std::size_t used = 0;  // bytes
  std::size_t operations = 0;
  bool is_full = false;
  std::uint64_t trimmed_at = 0;

  void make_room();
  void learn_content(bool there, const std::string& type, const std::optional<json::Value>& value,
                     const std::optional<Sample::Texts>& form, Tally& with_body,
                     LearnedContent& content, Lesson& lesson) const;
  LearnedOperation* operation_of(LearnedPath& path, std::string_view method, Lesson& lesson);
};

// Not at each request that finds no room, since it looks at everything.
void Learner::Parts::make_room() {
  constexpr std::uint64_t between = 256;
  if (!is_full || requests - trimmed_at < between) return;
  root.trim(belief);
  used = root.bytes();
  operations = root.count_operations();
  trimmed_at = requests;
  is_full = false;
}

LearnedOperation* Learner::Parts::operation_of(LearnedPath& path, std::string_view method,
                                               Lesson& lesson) {
  const auto at = path.operations.find(method);
  if (at != path.operations.end()) return &at->second;
  if (operations >= LearnLimits::operations) {
    lesson.leave_out();
    return nullptr;
  }
  if (!lesson.take(sizeof(LearnedOperation))) return nullptr;
  ++operations;
  return &path.operations[method];
}

void Learner::Parts::learn_content(bool there, const std::string& type,
                                   const std::optional<json::Value>& value,
                                   const std::optional<Sample::Texts>& form, Tally& with_body,
                                   LearnedContent& content, Lesson& lesson) const {
  if (!there) return;
  with_body.add(lesson.request());
  if (type.empty()) return;
  auto at = content.find(type);
  if (at == content.end()) {
    if (content.size() == LearnLimits::types || !lesson.take(sizeof(LearnedMedia) + type.size()))
      return lesson.leave_out();
    at = content.emplace(type, LearnedMedia{}).first;
  }
  LearnedMedia& media = at->second;
  media.seen.add(lesson.request());
  if (value || form) media.read.add(lesson.request());
  if (value) media.value.add(*value, lesson);
  if (form) learn_pairs(*form, media.form, lesson);
}

Learner::Learner(std::uint32_t min_count) : parts_(std::make_unique<Parts>()) {
  parts_->belief.min_count = std::max<std::uint32_t>(min_count, 1);
}
Learner::~Learner() = default;
Learner::Learner(Learner&&) noexcept = default;
Learner& Learner::operator=(Learner&&) noexcept = default;

void Learner::add(const Sample& sample) {
  Parts& parts = *parts_;
  ++parts.requests;
  parts.make_room();
  Lesson lesson(parts.requests, parts.belief, parts.used);
  LearnedPath* path = &parts.root;
  path->seen.add(lesson.request());
  for (const std::string& segment : sample.segments_) {
    path = path->below(segment, lesson);
    if (path == nullptr) break;
    path->seen.add(lesson.request());
  }
  if (lesson.forgot()) parts.operations = parts.root.count_operations();
  LearnedOperation* const operation =
      path == nullptr ? nullptr : parts.operation_of(*path, sample.method_, lesson);
  if (operation != nullptr) {
    operation->seen.add(lesson.request());
    learn_pairs(sample.query_, operation->query, lesson);
    parts.learn_content(sample.body_.there, sample.body_.type, sample.body_.value,
                        sample.body_.form, operation->with_body, operation->content, lesson);
    auto answer = operation->answers.find(sample.status_);
    if (answer == operation->answers.end() && sample.status_ != 0 &&
        operation->answers.size() < LearnLimits::statuses && lesson.take(sizeof(LearnedAnswer)))
      answer = operation->answers.emplace(sample.status_, LearnedAnswer{}).first;
    if (answer != operation->answers.end()) {
      answer->second.seen.add(lesson.request());
      parts.learn_content(sample.answer_.there, sample.answer_.type, sample.answer_.value,
                          sample.answer_.form, answer->second.with_body, answer->second.content,
                          lesson);
    }
  }
  if (!lesson.left_out()) return;
  ++parts.passed_by;
  parts.is_full = true;
}

Proposal Learner::propose() const {
  ProposedPaths proposed = propose_paths(parts_->root, parts_->belief);
  Proposal out;
  out.requests = parts_->requests;
  out.operations = proposed.operations;
  out.seldom = proposed.seldom;
  out.passed_by = parts_->passed_by;
  json::Object info{{"title", "Learned from traffic"}, {"version", "0"}};
  out.document = json::Object{
      {"openapi", "3.1.0"}, {"info", std::move(info)}, {"paths", std::move(proposed.paths)}};
  return out;
}

std::uint64_t Learner::requests() const { return parts_->requests; }
std::size_t Learner::bytes() const { return parts_->used; }

std::string Proposal::to_yaml() const {
  std::string out =
      "# A proposal, learned from " + std::to_string(requests) +
      " requests that were answered by 2xx.\n" +
      "# A person must read it before it is enforced: it says what was sent, not what is right.\n"
      "# Look at each path (a name in it may be one of many: write {id}), each type and what is\n"
      "# required. Lengths, ranges and patterns are not in it: add them.\n";
  if (seldom > 0)
    out +=
        "# Left out, since they were seen too seldom: " + std::to_string(seldom) + " operations.\n";
  if (passed_by > 0)
    out += "# Incomplete: of " + std::to_string(passed_by) + " requests something found no room.\n";
  return out + write_yaml(document);
}

}  // namespace moat::openapi
