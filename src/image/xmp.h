// Notes as XMP (ISO 16684-1), metadata that JPEG, PNG, WebP and TIFF files carry and other programs
// can read: each note is a property in limn's own namespace.
#pragma once

#include <limn/limn.h>

#include <string>
#include <string_view>

namespace limn {

// The packet for these notes, whose names must be letters and digits. `creator` names the program.
std::string xmp_of(const Notes& notes, const std::string& creator);

// The notes in a packet, which other programs may have rewritten; none if it has none, or is not
// XMP.
Notes notes_in_xmp(std::string_view packet);

}  // namespace limn
