// SPDX-License-Identifier: Apache-2.0
// valijson for `./dev bench validate`, which gets its headers and rapidjson's from Debian: as
// validate_bench, WHO being valijson and WHAT schema. It knows no `format`.
#include <rapidjson/document.h>

#include <ctime>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include <valijson/adapters/rapidjson_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

namespace {

double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  rapidjson::Document inputs;
  if (inputs.Parse(text.c_str()).HasParseError()) return 2;
  std::vector<std::string> orders;
  for (const auto& order : inputs["orders"].GetArray()) orders.emplace_back(order.GetString());
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(valijson::adapters::RapidJsonAdapter(inputs["schema"]),
                                          schema);
  const auto run = [&] {
    std::size_t taken = 0;
    for (const auto& order : orders) {
      rapidjson::Document document;
      valijson::Validator validator;
      taken += !document.Parse(order.c_str()).HasParseError() &&
                       validator.validate(schema, valijson::adapters::RapidJsonAdapter(document),
                                          nullptr)
                   ? 1
                   : 0;
    }
    return taken;
  };
  std::cout << "ready" << std::endl;
  std::string who, what;
  double milliseconds = 0;
  while (std::cin >> who >> what >> milliseconds) {
    if (who != "valijson" || what != "schema") {
      std::cout << "?" << std::endl;
      continue;
    }
    const double start = cpu_ns();
    double count = 0;
    std::size_t taken = 0;
    do {
      taken = run();
      count += static_cast<double>(orders.size());
    } while (cpu_ns() - start < milliseconds * 1e6);
    std::cout << (cpu_ns() - start) / count << " " << taken << std::endl;
  }
}
