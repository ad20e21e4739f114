#include "outputs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace limn {
namespace {

void keep_apart(const Written& written, const std::string& kept, std::string_view role) {
  using std::filesystem::weakly_canonical;
  if (weakly_canonical(written.path) != weakly_canonical(kept)) return;
  fail(ErrorKind::usage, "{}: '{}' would replace the {}; choose another name", written.flag,
       written.path, role);
}

// Whether there was no such file and now is one, empty.
bool take(const std::string& path) {
  constexpr mode_t kAnyone = 0666;  // less the umask, as of any file
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kAnyone);
  if (file >= 0) {
    close(file);
    return true;
  }
  if (errno == EEXIST) return false;
  fail(ErrorKind::file, "cannot write '{}' here: {}; say --output FILE", path,
       std::strerror(errno));
}

}  // namespace

FreshName::FreshName(const InputNames& inputs) {
  const std::string base = base_name(inputs);
  path_ = base + ".png";
  for (int number = 2; !take(path_); ++number) path_ = fmt::format("{}-{}.png", base, number);
}

FreshName::~FreshName() {
  std::error_code ignored;
  if (std::filesystem::file_size(path_, ignored) == 0) std::filesystem::remove(path_, ignored);
}

void add_write_flags(CLI::App& command, WriteOptions& write) {
  command.add_option("--bits", write.bits, "Bits of each channel: 8, or 16 for PNG and TIFF")
      ->type_name("8|16")
      ->default_str("8");
  command.add_option("--quality", write.quality, "Quality of a JPEG, WebP, ...")
      ->type_name("1..100")
      ->default_str("95");
}

void check_write_flags(const WriteOptions& write) {
  if (write.bits != 8 && write.bits != 16) {
    fail(ErrorKind::usage, "--bits: is {}, but should be 8 or 16", write.bits);
  }
  if (write.quality < 1 || write.quality > 100) {
    fail(ErrorKind::usage, "--quality: is {}, but should be 1 to 100", write.quality);
  }
}

void check_report(const std::string& path) {
  if (path.empty()) fail(ErrorKind::usage, "--report: names no file");
  check_replaceable(path);
}

void check_kept(const std::vector<Written>& written, const InputNames& inputs,
                const std::optional<std::string>& weights) {
  const std::vector<InputFile> kept = input_files(inputs);
  for (size_t i = 0; i < written.size(); ++i) {
    for (const InputFile& file : kept) keep_apart(written[i], file.path, file.role);
    if (weights) keep_apart(written[i], *weights, "weights");
    for (size_t j = 0; j < i; ++j) keep_apart(written[i], written[j].path, written[j].role);
  }
}

}  // namespace limn
