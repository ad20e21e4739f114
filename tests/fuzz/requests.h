// What reads requests from strangers, under fuzzing: whatever the bytes, it returns what its header
// promises or throws a Problem.
#pragma once

#include <span>
#include <string_view>

namespace limn {

struct FuzzedRequest {
  std::string_view name;  // of its folder in requests/, and of its fuzz target
  void (*read)(std::string_view bytes);
};

std::span<const FuzzedRequest> fuzzed_requests();

// Ends the program with a message unless the reader behaves.
void read_request_or_abort(const FuzzedRequest& reader, std::string_view bytes);

}  // namespace limn
