// One fuzzer: libFuzzer's entry for the target that the build names.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/fuzz_targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  athanor::test::ATHANOR_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
