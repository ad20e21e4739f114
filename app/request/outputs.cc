#include "request/outputs.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/standard_output.h"
#include "image/write.h"

namespace limn {
namespace {

// Creates an empty file; false if there already is one of this name.
bool take(const std::string& path) {
  constexpr mode_t kAnyone = 0666;  // minus the umask, as for any file
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kAnyone);
  if (file >= 0) {
    close(file);
    return true;
  }
  if (errno == EEXIST) return false;
  fail(ErrorKind::file, "cannot write '{}' here: {}; use --output FILE", path,
       std::strerror(errno));
}

}  // namespace

bool is_output_folder(const std::string& output) {
  if (is_folder(output)) return true;
  if (output.ends_with('/')) check_replaceable(output);  // says that there is no such folder
  return false;
}

bool is_standard_output(const std::string& output) { return output == kStandardOutput; }

std::string output_name(const std::string& output) {
  return is_standard_output(output) ? "standard output" : output;
}

void check_output(const std::string& output, const WriteOptions& write, int longest_side) {
  try {
    check_writable(output, write, longest_side);
  } catch (const Error& error) {
    const bool plain = !output.empty() && !std::filesystem::path(output).has_extension();
    if (error.kind() != ErrorKind::usage || !plain) throw;
    fail(error.kind(), "{}; if you mean a folder, create it first", error.what());
  }
}

FreshName::FreshName(const std::string& base, const std::string& folder,
                     const std::string& format) {
  const std::string start = (std::filesystem::path(folder) / base).string();
  const std::string ending = format.empty() ? "png" : format;
  path_ = fmt::format("{}.{}", start, ending);
  for (int number = 2; !take(path_); ++number) {
    path_ = fmt::format("{}-{}.{}", start, number, ending);
  }
}

FreshName::~FreshName() {
  std::error_code ignored;
  if (std::filesystem::file_size(path_, ignored) == 0) std::filesystem::remove(path_, ignored);
}

void add_write_flags(CLI::App& command, WriteOptions& write) {
  command.add_option("--bits", write.bits, "Bits per channel: 8, or 16 for PNG and TIFF")
      ->type_name("8|16")
      ->default_str("8");
  command.add_option("--quality", write.quality, "Quality of JPEG, WebP, ...")
      ->type_name("1..100")
      ->default_str("95");
  command
      .add_option("--format", write.format,
                  "Format, if the file name does not give it, by its usual ending")
      ->type_name("png|jpg|webp|tif|...");
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
  if (path.empty()) fail(ErrorKind::usage, "--report: needs a file name");
  check_replaceable(path);
}

}  // namespace limn
