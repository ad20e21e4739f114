#include "serve/conversion.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "image/read.h"
#include "serve/problem.h"
#include "serve/sandboxed.h"

namespace limn {
namespace {

constexpr std::int64_t kMostPixels = 1'000'000'000;  // as large as the memory allows
constexpr int kLeastWidth = 16, kMostWidth = 2048;   // of ?width=

struct Format {
  std::string_view asked, ending;
  const char* media_type;
  bool deep;  // has 16 bits
};

constexpr std::array kFormats = {
    Format{"png", "png", "image/png", true},   Format{"jpeg", "jpg", "image/jpeg", false},
    Format{"jpg", "jpg", "image/jpeg", false}, Format{"webp", "webp", "image/webp", false},
    Format{"tiff", "tif", "image/tiff", true}, Format{"tif", "tif", "image/tiff", true},
};

void convert_in_process(const std::string& from, const std::string& to,
                        const Conversion& conversion, const std::atomic<bool>& stopped) {
  namespace fs = std::filesystem;
  const std::string source = fs::absolute(from).string();
  SandboxedCall call;
  call.arguments = {"convert",
                    source,
                    fs::absolute(to).string(),
                    "--format",
                    conversion.format,
                    "--bits",
                    std::to_string(conversion.bits),
                    "--quality",
                    std::to_string(conversion.quality),
                    "--side",
                    std::to_string(conversion.side)};
  call.folder = fs::absolute(to).parent_path().string();
  call.readable = {source};
  call.failure = conversion.format.empty() ? "the picture cannot be shown"
                                           : "the picture does not go into this format";
  run_sandboxed(call, stopped);
}

// The options to read it no larger than asked.
ReadOptions options_to_read(const PictureHeader& header, int side) {
  ReadOptions options = {.max_pixels = kMostPixels};
  const int longest = std::max(header.height, header.width);
  if (side == 0 || longest <= side) return options;
  const auto shrunk = [&](int own) {
    return std::max(1, static_cast<int>(std::lround(1.0 * own * side / longest)));
  };
  options.height = shrunk(header.height);
  options.width = shrunk(header.width);
  return options;
}

}  // namespace

int parse_width(const Query& query) {
  return static_cast<int>(query.number("width", kLeastWidth, kMostWidth, 0));
}

Conversion parse_conversion(const Query& query) {
  query.allow({"format", "bits", "quality", "width", "version"});
  Conversion conversion;
  const std::string* format = query.find("format");
  const std::string asked = format == nullptr ? "png" : *format;
  const auto* const found = std::ranges::find(kFormats, asked, &Format::asked);
  if (found == kFormats.end()) {
    throw Problem(400,
                  fmt::format("format: '{}' is not one of png, jpeg, webp, tiff", shown(asked)));
  }
  conversion.format = found->ending;
  conversion.bits = static_cast<int>(query.number("bits", 8, 16, 0));
  conversion.quality = static_cast<int>(query.number("quality", 1, 100, 95));
  conversion.side = parse_width(query);
  if (conversion.bits != 0 && conversion.bits != 8 && conversion.bits != 16) {
    throw Problem(400, "bits: should be 8 or 16");
  }
  if (conversion.bits == 16 && !found->deep) {
    throw Problem(400, fmt::format("bits: {} has 8 bits only", found->asked));
  }
  return conversion;
}

const char* media_type_of(const std::string& format) {
  return std::ranges::find(kFormats, format, &Format::ending)->media_type;
}

void convert_picture(const std::string& from, const std::string& to, const Conversion& conversion) {
  const OpenedPicture picture = open_picture(from);
  const PictureHeader header = read_header(picture, {.max_pixels = kMostPixels});
  const Image image = read_image(picture, options_to_read(header, conversion.side));
  WriteOptions options;
  options.format = conversion.format;
  if (options.format.empty()) options.format = image.alpha.empty() ? "jpg" : "png";
  options.quality = conversion.quality;
  const bool deep = conversion.format == "png" || conversion.format == "tif";
  options.bits = conversion.bits != 0 ? conversion.bits : deep && header.bits > 8 ? 16 : 8;
  // What is shrunk is for a page, and says nothing of how it was painted.
  if (conversion.side == 0) options.notes = read_notes(from);
  write_image(image, to, options);
}

Converter converting_process() { return convert_in_process; }

ScratchFolder::ScratchFolder(const std::string& folder)
    : path_(folder + "/" + kScratchPrefix + "XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) {
    fail(ErrorKind::resources, "cannot make a folder to convert in: {}", std::strerror(errno));
  }
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void ScratchFolder::give(const std::string& name, const std::string& path) const {
  const std::string made = path_ + "/" + name;
  struct stat about = {};
  if (lstat(made.c_str(), &about) != 0 || !S_ISREG(about.st_mode) || about.st_nlink != 1) {
    throw Problem(503, "the conversion left no picture");
  }
  if (std::rename(made.c_str(), path.c_str()) != 0) {
    fail(ErrorKind::resources, "cannot keep the converted picture: {}", std::strerror(errno));
  }
}

}  // namespace limn
