// SPDX-License-Identifier: Apache-2.0
// Lines of traffic, each several times over: "METHOD path?query", and behind a tab each a body and
// an answer, JSON where they begin with '{' or '[' and a form else. Whatever they are, memory stays
// within its bounds, the YAML is read to the same value, and Document::parse takes the proposal.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "moat/openapi/internal/yaml.h"
#include "moat/openapi/learner.h"
#include "moat/openapi/openapi.h"

namespace {

using namespace moat::openapi;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string_view take(std::string_view& text, char end) {
  const std::string_view out = text.substr(0, text.find(end));
  text.remove_prefix(std::min(text.size(), out.size() + 1));
  return out;
}

std::string_view type_of(std::string_view body) {
  return body.substr(0, 1) == "{" || body.substr(0, 1) == "[" ? "application/json"
                                                              : "application/x-www-form-urlencoded";
}

void learn(std::string_view line, Learner& learner) {
  Observation seen;
  seen.method = take(line, ' ');
  std::string_view target = take(line, '\t');
  seen.path = take(target, '?');
  seen.query = target;
  const std::string_view body = take(line, '\t');
  seen.status = 200 + static_cast<int>(line.size() % 3);
  seen.has_body = !body.empty();
  seen.request_type = type_of(body);
  seen.request_body = body;
  seen.has_answer = !line.empty();
  seen.response_type = type_of(line);
  seen.response_body = line;
  const auto sample = Sample::read(seen);
  if (sample) learner.add(*sample);
}

}  // namespace

void fuzz(std::span<const std::uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  Learner learner(2);
  for (int round = 0; round < 3; ++round) {
    for (std::string_view rest = text; !rest.empty();) learn(take(rest, '\n'), learner);
  }
  require(learner.bytes() <= LearnLimits::bytes);
  const Proposal proposal = learner.propose();
  const std::string yaml = proposal.to_yaml();
  const auto back = parse_yaml(yaml);
  require(back && back->value == proposal.document);
  DocumentOptions options;
  options.checks_responses = true;
  require((proposal.operations > 0) == Document::parse(yaml, options).has_value());
}
