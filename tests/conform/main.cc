// SPDX-License-Identifier: Apache-2.0
// moat-conform answers other projects' test cases: one JSON request a line on standard input, one
// JSON answer a line on standard output, in order.
#include <iostream>
#include <string>

#include "tests/conform/conform.h"
#include "tests/conform/table.h"

int main() {
  const std::vector<moat::conform::Operation> operations = moat::conform::all_operations();
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << moat::conform::answer(operations, line) << '\n' << std::flush;
  }
  return 0;
}
