// A job's files as its worker opens them. Its painter, which is in a sandbox, may have put anything
// under their names; the worker is in none. So it follows no link, and reads and writes only what
// is a regular file with this one name.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace limn {

// Nothing if it is not there, is no such file, or has more bytes.
std::optional<std::string> read_plain(const std::string& path, std::size_t most);

// Adds the text at the end, making the file if need be, unless it has more bytes already. Does not
// throw: what is added is for people to read.
void append_plain(const std::string& path, const std::string& text, std::size_t most);

// Gives the folder a file of this name, in place of whatever had it, whole or not at all; not
// synced. Returns 0 or errno.
int replace_plain(const std::string& folder, const std::string& name, const std::string& text);

}  // namespace limn
