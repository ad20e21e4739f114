// Whole files, written beside their name and then renamed: an old file is replaced whole or kept.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace limn {

// Throws the Error (file) that replace_file would throw for this path, as far as it can be known
// before: no such folder, one that cannot be written to, a path that is a folder or a device, a
// name that is too long; and Error (usage) for an empty one.
void check_replaceable(const std::string& path);

// Calls write(temporary_path) with a path in the same folder and the same ending, then renames it
// to `path` (to what it leads to, if it is a symbolic link). When write throws, or the rename
// fails, the temporary file is removed and `path` is as it was. Throws Error (file) when the folder
// does not exist or cannot be written.
void replace_file(const std::string& path, const std::function<void(const std::string&)>& write);

// The same for bytes at hand.
void replace_file(const std::string& path, std::span<const std::byte> bytes);
void replace_file(const std::string& path, const std::string& text);

// The whole of a small text file. Throws Error (file): missing, a folder, unreadable, larger than
// max_bytes. `what` as below.
std::string read_text(const std::string& path, const std::string& what, std::size_t max_bytes);

// The size of an existing regular file in bytes. Throws Error (file): missing, a folder,
// unreadable. `what` names its role in messages ("photo", "weights file").
std::uint64_t file_size(const std::string& path, const std::string& what);

}  // namespace limn
