// A libFuzzer target for the reader of requests that LIMN_READER names.
#include <algorithm>
#include <cstdint>

#include "fuzz/requests.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const limn::FuzzedRequest& reader =
      *std::ranges::find(limn::fuzzed_requests(), LIMN_READER, &limn::FuzzedRequest::name);
  limn::read_request_or_abort(reader, {reinterpret_cast<const char*>(data), size});
  return 0;
}
