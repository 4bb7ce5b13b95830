// SPDX-License-Identifier: Apache-2.0
// libFuzzer's entry point: hands the input to the target, capped at 8 KiB as most parsers here stop
// there.
#include <cstddef>
#include <cstdint>
#include <span>

void fuzz(std::span<const std::uint8_t> input);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= 8192) fuzz({data, size});
  return 0;
}
