// What a file is that holds no weights in any known format: a web page that came instead of them, a
// picture, a pointer to a file elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limn {

// How many of a file's first bytes are looked at: a page may have its title behind long scripts.
inline constexpr std::size_t kHeadBytes = 16'384;

// What a file is that begins with `head`, and what to do about it: "'x' is <this>".
std::string describe_stranger(std::string_view head);

// Whether these bytes are text: ASCII or UTF-8, the last character perhaps cut.
bool is_text(std::string_view bytes);

// Whether they are of a web page or another text in tags, behind whatever blanks and comments.
bool is_markup(std::string_view head);

}  // namespace limn
