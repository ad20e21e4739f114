#include "request/inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/file.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

// "oil" for "album/oil.jpg"; for a folder its whole name, "van gogh, 1889.5" for "van gogh,
// 1889.5/".
std::string bare_name(const std::string& path) {
  if (path == kStandardInput) return "stdin";
  if (!is_folder(path)) return fs::path(path).stem().string();
  std::error_code ignored;  // the current directory may have been removed
  const fs::path whole = fs::absolute(path, ignored).lexically_normal();  // gives "." a name too
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

}  // namespace

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) continue;
    std::error_code unknown;
    const bool regular = entry->is_regular_file(unknown) && entry->file_size(unknown) > 0;
    const std::string path = entry->path().string();
    if (regular || (unknown && !is_missing(path))) files.push_back(path);
  }
  if (error) fail(ErrorKind::file, "cannot read the folder '{}': {}", folder, error.message());
  std::ranges::sort(files);
  return files;
}

std::vector<InputFile> input_files(const InputNames& names) {
  std::vector<InputFile> files;
  if (!names.is_texture()) files.push_back({names.photo, "photo"});
  for (const std::string& painting : names.paintings) {
    if (names.hole && painting == names.photo) continue;
    if (!is_folder(painting)) {
      files.push_back({painting, "painting"});
      continue;
    }
    for (std::string& file : files_in(painting)) files.push_back({std::move(file), "painting"});
  }
  for (const auto* masks : {&names.content_masks, &names.style_masks}) {
    for (const std::string& mask : *masks) {
      if (mask != kNoMask) files.push_back({mask, "mask"});
    }
  }
  if (names.keep_mask) files.push_back({*names.keep_mask, "mask"});
  if (names.hole) files.push_back({*names.hole, "hole"});
  return files;
}

bool is_canvas(const Size& size) {
  constexpr int kMost = 100'000;
  return std::min(size.height, size.width) >= 1 && std::max(size.height, size.width) <= kMost;
}

Size parse_canvas(const std::string& text, const std::string& flag) {
  const auto number = [](std::string_view digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return error == std::errc() && end == digits.data() + digits.size() ? value : 0;
  };
  const std::string_view all = text;
  const size_t x = all.find('x');
  const int width = number(all.substr(0, x));
  const Size size = {x == all.npos ? width : number(all.substr(x + 1)), width};
  if (!is_canvas(size)) {
    fail(ErrorKind::usage,
         "{}: '{}' is not a size; give one number of pixels, 512, or width and height, 1024x512, "
         "of at most 100000",
         flag, text);
  }
  return size;
}

std::string base_name(const InputNames& names) {
  if (names.hole) return bare_name(names.photo) + "-inpainted";
  std::string name = names.is_texture() ? "" : bare_name(names.photo);
  for (const std::string& painting : names.paintings) {
    name += fmt::format("{}{}", name.empty() ? "" : "-", bare_name(painting));
  }
  return names.is_texture() ? name + "-texture" : name;
}

}  // namespace limn
