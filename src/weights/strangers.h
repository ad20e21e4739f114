// Says what a file is if it holds no weights in a known format: a web page that came instead of
// them, a picture, a pointer to a file elsewhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace limn {

// How many of a file's first bytes are looked at: a page's title may come after long scripts.
inline constexpr std::size_t kHeadBytes = 16'384;

// What a file that begins with `head` is, and what to do about it: "'x' is <this>".
std::string describe_stranger(std::string_view head);

// Whether these bytes are text: ASCII or UTF-8, where the last character may be cut off.
bool is_text(std::string_view bytes);

// Whether they are a web page or other tagged text, after any blanks and comments.
bool is_markup(std::string_view head);

}  // namespace limn
