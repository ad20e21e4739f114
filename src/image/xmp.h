// Notes as XMP (ISO 16684-1), the metadata that JPEG, PNG, WebP and TIFF files carry and that other
// programs can read: each note is a property of limn's own namespace.
#pragma once

#include <limn/limn.h>

#include <string>
#include <string_view>

namespace limn {

// The packet of these notes, whose names are letters and digits. `creator` is the program's name.
std::string xmp_of(const Notes& notes, const std::string& creator);

// The notes in a packet, which other programs may have rewritten; none where there are none, or
// where it is no XMP.
Notes notes_in_xmp(std::string_view packet);

}  // namespace limn
