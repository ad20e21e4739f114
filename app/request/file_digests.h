// Digests of files that are asked for again and again: of each file computed once, for as long as
// it stays as it is.
#pragma once

#include <map>
#include <string>

#include "base/file.h"

namespace limn {

class FileDigests {
 public:
  // The SHA-256 of the file. Throws Error (file), in which `what` names its role.
  std::string of(const std::string& path, const std::string& what);

 private:
  struct Known {
    FileStamp stamp;
    std::string sha256;
  };
  std::map<std::string, Known> known_;  // by path
};

}  // namespace limn
