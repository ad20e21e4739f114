#include "base/memory_at_hand.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace limn {

double memory_at_hand() {
  double bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  std::string group;
  std::getline(std::ifstream("/proc/self/cgroup"), group);  // "0::/system.slice/limn.service"
  group = group.starts_with("0::/") ? group.substr(4) : "";
  for (std::filesystem::path path = group;; path = path.parent_path()) {
    double limit = 0;
    std::ifstream file(std::filesystem::path("/sys/fs/cgroup") / path / "memory.max");
    if (file >> limit && limit > 0) bytes = std::min(bytes, limit);  // or "max", which is no number
    if (path.empty()) return bytes;
  }
}

}  // namespace limn
