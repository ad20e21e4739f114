// Folders that survive a power failure.
#pragma once

#include <string>

namespace limn {

// Makes the folder, and those above it, if they are not there, and syncs what was made. Only the
// owner may enter a folder that is made, if `owner_only`. Throws Error (file).
void make_folder(const std::string& path, bool owner_only = false);

// Puts the names in the folder on the disk: of files made, renamed or removed there. Throws Error
// (file). Where a file system cannot sync folders, does nothing.
void sync_folder(const std::string& path);

}  // namespace limn
