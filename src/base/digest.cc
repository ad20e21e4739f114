#include "base/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace limn {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;  // read at a time

using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const char* name_of(DigestKind kind) { return kind == DigestKind::md5 ? "MD5" : "SHA-256"; }

// The algorithm may be missing: a system-wide OpenSSL policy can forbid MD5.
DigestContext begin(const std::string& path, DigestKind kind) {
  DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const EVP_MD* algorithm = kind == DigestKind::md5 ? EVP_md5() : EVP_sha256();
  if (!context || EVP_DigestInit_ex(context.get(), algorithm, nullptr) != 1) {
    fail(ErrorKind::file, "cannot compute the {} of '{}': OpenSSL here does not offer it",
         name_of(kind), path);
  }
  return context;
}

std::string digits_of(const DigestContext& context) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned bytes = 0;
  EVP_DigestFinal_ex(context.get(), digest.data(), &bytes);
  std::string digits;
  for (unsigned i = 0; i < bytes; ++i) digits += fmt::format("{:02x}", digest[i]);
  return digits;
}

}  // namespace

std::string digest_of_file(const std::string& path, DigestKind kind, const std::string& what) {
  file_size(path, what);  // throws if there is no readable file
  const DigestContext context = begin(path, kind);
  std::ifstream file(path, std::ios::binary);
  std::vector<char> piece(kPieceBytes);
  while (file) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    EVP_DigestUpdate(context.get(), piece.data(), static_cast<size_t>(file.gcount()));
  }
  if (!file.eof())
    fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(errno));
  return digits_of(context);
}

std::string sha256_of_bytes(std::span<const std::byte> bytes) {
  const DigestContext context = begin("bytes", DigestKind::sha256);
  EVP_DigestUpdate(context.get(), bytes.data(), bytes.size());
  return digits_of(context);
}

struct RunningSha256::Context {
  DigestContext digest = begin("bytes", DigestKind::sha256);
};

RunningSha256::RunningSha256() : context_(std::make_unique<Context>()) {}
RunningSha256::RunningSha256(RunningSha256&&) noexcept = default;
RunningSha256::~RunningSha256() = default;

void RunningSha256::add(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(context_->digest.get(), bytes.data(), bytes.size());
}

std::string RunningSha256::finish() { return digits_of(context_->digest); }

std::string sha256_of_file(const std::string& path, const std::string& what) {
  return digest_of_file(path, DigestKind::sha256, what);
}

std::string md5_of_file(const std::string& path, const std::string& what) {
  return digest_of_file(path, DigestKind::md5, what);
}

}  // namespace limn
