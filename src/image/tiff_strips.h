// What a TIFF's directory says of how its pixels are stored, which libvips does not pass on.
#pragma once

#include <cstdint>
#include <optional>

#include "base/byte_source.h"

namespace limn {

// The bytes of the largest strip or tile of page `page`, counted from 0, as stored: a compressed
// one is read whole. None if the file is no TIFF, has no such page, or its directory is damaged or
// larger than any that is meant. Reads at its own offsets; never throws.
std::optional<std::uint64_t> largest_strip(const ByteSource& source, int page);

}  // namespace limn
