// What a file's bytes hash to: how published files are told from others, and whether a download
// came whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace limn {

enum class DigestKind {
  md5,  // only to compare with what was published so: it is no proof against forgery
  sha256,
};

// The digest of the whole file at `path` in lower-case hexadecimal digits (md5 32, sha256 64). It
// is read piece by piece, at about 250 MB a second or more. Throws Error (file) when the file
// cannot be read; `what` names its role in messages ("weights file").
std::string digest_of_file(const std::string& path, DigestKind kind,
                           const std::string& what = "file");
std::string sha256_of_file(const std::string& path, const std::string& what = "file");
std::string md5_of_file(const std::string& path, const std::string& what = "file");
std::string sha256_of_bytes(std::span<const std::byte> bytes);

}  // namespace limn
