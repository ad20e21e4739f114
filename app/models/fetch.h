// Downloads a file with libcurl: https or http only, resumes an earlier attempt, and puts the file
// in place only if its digest is right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/digest.h"

namespace limn {

struct FetchRequest {
  std::string url;          // "https://..." or "http://..."
  std::string path;         // the target; its folder exists
  std::uint64_t bytes = 0;  // the file's size; 0: unknown
  DigestKind digest_kind = DigestKind::sha256;
  std::string digest;  // lower case
  // Called with the path of the complete file before it gets its name; throwing removes it.
  std::function<void(const std::string& path)> check;
};

enum class FetchOutcome { fetched, interrupted };

// During the download the bytes are in `path`.part, which is kept when the connection ends, the
// disk is full, or interrupted() (interrupt.h): the next call requests only the rest. The server
// may send the whole file again, or not have such a rest. Throws Error (file), saying what to do,
// when the file is unavailable; a file with another digest is removed.
FetchOutcome fetch(const FetchRequest& request, bool quiet);

// The file that holds the part of `path` received so far.
std::string partial_path(const std::string& path);

}  // namespace limn
