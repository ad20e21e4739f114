#include "request/inputs.h"

#include <fmt/format.h>

#include <algorithm>
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
  std::vector<InputFile> files = {{names.photo, "photo"}};
  for (const std::string& painting : names.paintings) {
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
  return files;
}

std::string base_name(const InputNames& names) {
  std::string name = bare_name(names.photo);
  for (const std::string& painting : names.paintings) {
    name += fmt::format("-{}", bare_name(painting));
  }
  return name;
}

}  // namespace limn
