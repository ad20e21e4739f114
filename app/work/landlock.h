// Which files a painter may read and write: Landlock, which needs no rights and no set-up.
#pragma once

#include <string>
#include <vector>

namespace limn {

// A set of rules: nothing may be read but what lies in the readable and writable folders, nothing
// written but in the writable ones, and no links, devices, sockets or pipes made at all. What does
// not exist is left out. Returns a descriptor, which the caller closes; negative if this machine's
// kernel has no Landlock. Throws Error (resources) if it has, but makes no rules now.
int rules_for_files(const std::vector<std::string>& readable,
                    const std::vector<std::string>& writable);
bool has_rules_for_files();

// From now on they hold for the calling thread, and all that it starts; besides, it may read its
// own folder in /proc, though no other's. It must have no_new_privs. System calls only.
bool enter_rules_for_files(int rules);

}  // namespace limn
