// Files: whole ones, written beside their name and then renamed, so that an old file is replaced
// whole or kept; small texts; and which paths are the same file. No path makes these functions
// throw anything but Error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace limn {

// Throws the Error (file) that replace_file would throw for this path, as far as it can be known
// before: no such folder, one that cannot be written to, a path that is a folder or a device, a
// name that is too long; and Error (usage) for an empty one.
void check_replaceable(const std::string& path);

// Calls write(temporary_path) with a path in the same folder and the same ending, then renames it
// to `path` (to what it leads to, if it is a symbolic link). File and folder are synced, so that a
// crash leaves the old file or the new one, and a disk that turns out to be full is an error. When
// anything before the rename fails, the temporary file is removed and `path` is as it was. Throws
// Error (file) when the folder does not exist or cannot be written.
void replace_file(const std::string& path, const std::function<void(const std::string&)>& write);

// The same for bytes at hand.
void replace_file(const std::string& path, std::span<const std::byte> bytes);
void replace_file(const std::string& path, const std::string& text);

// The last step of replace_file by itself: syncs `temporary`, renames it to `path` in the same
// folder (a link there is replaced, not followed) and syncs the folder. Throws Error (file), and
// leaves `temporary` where it could not be renamed.
void rename_synced(const std::string& temporary, const std::string& path);

// The whole of a small text file, or of what comes through a pipe. Throws Error (file): missing, a
// folder, a device, unreadable, larger than max_bytes, a pipe that nobody writes to. `what` as
// below.
std::string read_text(const std::string& path, const std::string& what, std::size_t max_bytes);

// The size of an existing regular file in bytes. Throws Error (file): missing, a folder,
// unreadable. `what` names its role in messages ("photo", "weights file").
std::uint64_t file_size(const std::string& path, const std::string& what);

// Whether there is nothing of this name. False where that cannot be known, as in a folder that may
// not be entered: opening the file says why.
bool is_missing(const std::string& path);

// Whether it is a folder, or a link to one. False where that cannot be known.
bool is_folder(const std::string& path);

// Which file a path means: paths of equal identity are the same file, whatever links lead there.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;  // of the file, or of the folder in which it would be made
  std::string name;     // in that folder, of a file that does not exist yet; otherwise empty
  bool stream = false;  // a pipe or a socket: what was read from it once is gone
  bool operator==(const FileIdentity&) const = default;
};

// Of the file that is there, hard links being one file; or of the one that writing would make, at
// the end of a dangling link too. None where the path leads nowhere: reading or writing says why.
std::optional<FileIdentity> identity_of(const std::string& path);
std::optional<FileIdentity> identity_of_standard_input();

}  // namespace limn
