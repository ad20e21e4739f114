// Files: atomic replacement (write beside the target, then rename), small texts, and which paths
// are the same file. No path makes these functions throw anything but Error.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace limn {

// Throws the Error (file) that replace_file would throw for this path, as far as that can be known
// in advance: missing or unwritable folder, path is a folder or a device, name too long. An empty
// path is Error (usage).
void check_replaceable(const std::string& path);

// Calls write(temporary_path) with a path in the same folder and with the same ending, then renames
// it to `path` (or to the target, if that is a symbolic link). File and folder are synced, so a
// crash leaves either the old file or the new one, and a full disk is reported. If anything fails
// before the rename, the temporary file is removed and `path` is left as it was. Throws Error
// (file) when the folder does not exist or cannot be written.
void replace_file(const std::string& path, const std::function<void(const std::string&)>& write);

// The same for bytes in memory.
void replace_file(const std::string& path, std::span<const std::byte> bytes);
void replace_file(const std::string& path, const std::string& text);

// Only the last step of replace_file: syncs `temporary`, renames it to `path` in the same folder (a
// link there is replaced, not followed) and syncs the folder. Throws Error (file), and leaves
// `temporary` in place if it cannot be renamed.
void rename_synced(const std::string& temporary, const std::string& path);

// Reads a whole small text file or pipe. Throws Error (file): missing, a folder, a device,
// unreadable, larger than max_bytes, a pipe without a writer. `what` is as below.
std::string read_text(const std::string& path, const std::string& what, std::size_t max_bytes);

// The size of an existing regular file in bytes. Throws Error (file): missing, a folder,
// unreadable. `what` names its role in messages ("photo", "weights file").
std::uint64_t file_size(const std::string& path, const std::string& what);

// Whether nothing has this name. False where that cannot be known, for instance in a folder that
// may not be entered: opening the file gives the reason.
bool is_missing(const std::string& path);

// Whether it is a folder, or a link to one. False where that cannot be known.
bool is_folder(const std::string& path);

// Which file a path means: paths with equal identity are the same file, through whatever links.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;  // of the file, or of the folder it would be created in
  std::string name;     // in that folder, for a file that does not exist yet; otherwise empty
  bool stream = false;  // a pipe or a socket: can be read only once
  bool operator==(const FileIdentity&) const = default;
};

// The identity of the existing file (hard links are one file), or of the file that writing would
// create, also at the end of a dangling link. None where the path leads nowhere: reading or writing
// gives the reason.
std::optional<FileIdentity> identity_of(const std::string& path);
std::optional<FileIdentity> identity_of_standard_input();

// What changes when a file is replaced or written to: as long as its stamp is the same, so is its
// content.
struct FileStamp {
  std::uint64_t device = 0, inode = 0, bytes = 0;
  std::int64_t changed = 0;  // nanoseconds since 1970
  bool operator==(const FileStamp&) const = default;
};
// None where there is no file, or none that may be looked at.
std::optional<FileStamp> stamp_of(const std::string& path);

}  // namespace limn
