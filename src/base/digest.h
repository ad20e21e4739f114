// File digests: to recognise published files, and to check that a download is complete.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace limn {

enum class DigestKind {
  md5,  // only to compare with published MD5 sums; no protection against forgery
  sha256,
};

// The digest of the file at `path` in lower-case hexadecimal (md5 32 digits, sha256 64). Reads the
// file piece by piece, at 250 MB/s or more. Throws Error (file) when the file cannot be read;
// `what` names its role in messages ("weights file").
std::string digest_of_file(const std::string& path, DigestKind kind,
                           const std::string& what = "file");
std::string sha256_of_file(const std::string& path, const std::string& what = "file");
std::string md5_of_file(const std::string& path, const std::string& what = "file");
std::string sha256_of_bytes(std::span<const std::byte> bytes);

// The SHA-256 of bytes that come piece by piece.
class RunningSha256 {
 public:
  RunningSha256();
  RunningSha256(RunningSha256&&) noexcept;
  ~RunningSha256();
  void add(std::span<const std::byte> bytes);
  std::string finish();  // in lower-case hexadecimal; nothing may be added afterwards

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace limn
