// Sizes in bytes as people write them for a flag.
#pragma once

#include <cstdint>
#include <string>

namespace limn {

// A number of bytes, or of the unit that follows: K, M, G or T, in powers of 1024, in either case,
// and with or without a B: "8G", "512M", "1.5gb", "100000". At least one byte and below 10^18.
// Throws Error (usage), which names the flag.
std::uint64_t parse_byte_size(const std::string& text, const std::string& flag);

}  // namespace limn
