// A libFuzzer target for the reader that LIMN_READER names.
#include <algorithm>
#include <cstdint>

#include "fuzz/reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const limn::FuzzedReader& reader =
      *std::ranges::find(limn::fuzzed_readers(), LIMN_READER, &limn::FuzzedReader::name);
  limn::read_or_abort(reader, {reinterpret_cast<const char*>(data), size});
  return 0;
}
