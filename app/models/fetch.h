// A file from the web, by libcurl: https or http and nothing else, resumed where an earlier attempt
// ended, in place only once its digest is right.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/digest.h"

namespace limn {

struct FetchRequest {
  std::string url;          // "https://..." or "http://..."
  std::string path;         // where the file shall be; its folder is there
  std::uint64_t bytes = 0;  // the file's size; 0: not known
  DigestKind digest_kind = DigestKind::sha256;
  std::string digest;  // in lower case
  // Called with the path of the whole file before it gets its name; what it throws removes it.
  std::function<void(const std::string& path)> check;
};

enum class FetchOutcome { fetched, interrupted };

// While they arrive the bytes are in `path`.part, which stays when the connection ends, when the
// disk is full and when interrupted() (interrupt.h): the next call asks for the rest only. A server
// that sends the whole file again, or has no such rest, is fine. Throws Error (file) when the file
// cannot be had, saying what to do; a file with another digest is removed.
FetchOutcome fetch(const FetchRequest& request, bool quiet);

// The file that holds what has arrived of `path`.
std::string partial_path(const std::string& path);

}  // namespace limn
