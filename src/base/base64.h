// Bytes as text, for pictures inside a page.
#pragma once

#include <string>
#include <string_view>

namespace limn {

// Base64 with padding (RFC 4648, section 4), without line breaks.
std::string base64(std::string_view bytes);

}  // namespace limn
