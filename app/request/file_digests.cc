#include "request/file_digests.h"

#include <optional>

#include "base/digest.h"

namespace limn {

std::string FileDigests::of(const std::string& path, const std::string& what) {
  const std::optional<FileStamp> stamp = stamp_of(path);  // from before, in case it changes now
  const auto known = known_.find(path);
  if (stamp && known != known_.end() && known->second.stamp == *stamp) return known->second.sha256;
  std::string sha256 = sha256_of_file(path, what);
  if (stamp) known_[path] = {*stamp, sha256};
  return sha256;
}

}  // namespace limn
