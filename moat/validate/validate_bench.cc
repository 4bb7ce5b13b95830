// SPDX-License-Identifier: Apache-2.0
// What does a check cost beside validator.js, and a document beside ajv? The C++ half of
// `./dev bench validate`: `validate_bench INPUTS` reads that JSON file and answers each line
// "WHO WHAT MILLISECONDS" with the nanoseconds of CPU that one operation took and how many of the
// inputs were taken; "?" for what there is not. WHO is moat.
#include <ctime>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "moat/base/json.h"
#include "moat/base/json_document.h"
#include "moat/validate/dates.h"
#include "moat/validate/email.h"
#include "moat/validate/encodings.h"
#include "moat/validate/identifiers.h"
#include "moat/validate/network.h"
#include "moat/validate/schema.h"
#include "moat/validate/strings.h"
#include "moat/validate/texts.h"

namespace {

using namespace moat::validate;
using Check = bool (*)(std::string_view);

const std::map<std::string, Check> checks{
    {"email", [](std::string_view t) { return is_email(t); }},
    {"url", [](std::string_view t) { return is_url(t); }},
    {"ip", [](std::string_view t) { return is_ip(t); }},
    {"uuid", [](std::string_view t) { return is_uuid(t); }},
    {"credit_card", [](std::string_view t) { return is_credit_card(t); }},
    {"fqdn", [](std::string_view t) { return is_fqdn(t); }},
    {"iban", [](std::string_view t) { return is_iban(t); }},
    {"iso8601", [](std::string_view t) { return is_iso8601(t); }},
    {"base64", [](std::string_view t) { return is_base64(t); }},
    {"int", [](std::string_view t) { return is_int(t); }},
    {"mac_address", [](std::string_view t) { return is_mac_address(t); }},
    {"jwt", [](std::string_view t) { return is_jwt(t); }},
};

std::int64_t cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Runs over all inputs once and says how many were taken; and how many there are.
struct Operation {
  std::function<std::size_t()> run;
  std::size_t size;
};

std::vector<std::string> texts_of(const moat::json::Value* value) {
  std::vector<std::string> out;
  for (const auto& text : *value->as_array()) out.push_back(*text.as_string());
  return out;
}

// A loop of its own for each check, as V8 compiles one for each of its peers'.
std::map<std::string, Operation> operations(const moat::json::Value& inputs) {
  std::map<std::string, Operation> out;
  for (const auto& [name, check] : checks) {
    const auto texts = texts_of(inputs.find("checks")->find(name));
    out[name] = {[texts, check = check] {
                   std::size_t taken = 0;
                   for (const auto& text : texts) taken += check(text) ? 1 : 0;
                   return taken;
                 },
                 texts.size()};
  }
  const auto pages = texts_of(inputs.find("escape"));
  out["escape"] = {[pages] {
                     std::size_t size = 0;
                     for (const auto& text : pages) size += escape(text).size();
                     return size;
                   },
                   pages.size()};
  const auto orders = texts_of(inputs.find("orders"));
  SchemaOptions options;
  options.assert_formats = true;
  const auto schema = Schema::compile(*inputs.find("schema"), options);
  if (!schema) throw std::runtime_error(schema.error().sentence);
  // As moat::openapi does it: in a document that is kept.
  const auto document = std::make_shared<moat::json::Document>();
  out["schema"] = {[orders, document, schema = *schema] {
                     std::size_t taken = 0;
                     for (const auto& text : orders) {
                       const auto order = document->parse(text);
                       taken += order && schema.check(*order) ? 1 : 0;
                     }
                     return taken;
                   },
                   orders.size()};
  return out;
}

volatile std::size_t sink = 0;

double measure(const Operation& operation, double milliseconds) {
  std::size_t count = 0;
  const auto start = cpu_ns();
  double used = 0;
  do {
    for (int i = 0; i < 256; ++i) sink = sink + operation.run();
    count += 256 * operation.size;
    used = static_cast<double>(cpu_ns() - start);
  } while (used < milliseconds * 1e6);
  return used / static_cast<double>(count);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto inputs = moat::json::parse(text);
  if (!inputs) return 2;
  const auto all = operations(*inputs);
  std::cout << "ready" << std::endl;
  std::string who, what;
  double milliseconds = 0;
  while (std::cin >> who >> what >> milliseconds) {
    const auto at = all.find(what);
    if (who != "moat" || at == all.end()) {
      std::cout << "?" << std::endl;
    } else {
      std::cout << measure(at->second, milliseconds) << " " << at->second.run() << std::endl;
    }
  }
}
