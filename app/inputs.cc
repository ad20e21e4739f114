#include "inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "console.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

// The regular files in a folder that are not hidden, by name. Empty ones keep a place for what is
// being painted (FreshName), here or by another run of limn. One that cannot be looked at counts,
// so that reading it says why.
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

// "oil" for "album/oil.jpg"; of a folder the whole name, "van gogh, 1889.5" for "van gogh,
// 1889.5/".
std::string bare_name(const std::string& path) {
  if (path == "-") return "stdin";
  if (!is_folder(path)) return fs::path(path).stem().string();
  std::error_code ignored;  // the current directory may have been removed
  const fs::path whole = fs::absolute(path, ignored).lexically_normal();  // "." has a name then too
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

// A folder may hold other things than pictures: a list of sources, thumbnails of some program.
Style read_folder(const std::string& folder, std::vector<std::string>& files) {
  Style style;
  std::string warnings;
  for (const std::string& file : files_in(folder)) {
    try {
      style.paintings.push_back(read_image(file));
      files.push_back(file);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::file) throw;
      warnings += fmt::format("limn: {}; the folder's style is made without it\n", error.what());
    }
  }
  if (style.paintings.empty()) {
    fail(ErrorKind::file,
         "'{}' is a folder without a picture that limn reads; a painting is a picture, or a folder "
         "of pictures",
         folder);
  }
  say(warnings);
  return style;
}

Style read_style(const std::string& path, std::vector<std::string>& files) {
  if (is_folder(path)) return read_folder(path, files);
  Style style;
  style.paintings.push_back(read_image(path));
  files.push_back(path);
  return style;
}

// The mask of painting number `index`, or an empty one.
Mask read_mask_of(const std::vector<std::string>& masks, size_t index) {
  if (index >= masks.size() || masks[index] == kNoMask) return {};
  return read_mask(masks[index]);
}

void check_mask_count(const char* flag, size_t masks, size_t paintings) {
  if (masks <= paintings) return;
  fail(ErrorKind::usage,
       "{}: is given {} times, but there {} {} PAINTING{}; the k-th mask is the k-th PAINTING's",
       flag, masks, paintings == 1 ? "is" : "are", paintings, paintings == 1 ? "" : "s");
}

// The style scale at which a painting keeps its own size, in hundredths and not above it.
double keeping_scale(double scale, const Image& painting, const Size& size) {
  constexpr double kLeast = 0.05;  // that style.scale may be
  const double share =
      std::min(1.0 * painting.width / size.width, 1.0 * painting.height / size.height);
  return std::max(kLeast, std::floor(100 * scale * share) / 100);
}

}  // namespace

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

Inputs read_inputs(const InputNames& names) {
  check_mask_count("--mask-content", names.content_masks.size(), names.paintings.size());
  check_mask_count("--mask-style", names.style_masks.size(), names.paintings.size());
  Inputs inputs;
  auto& [photo, styles, keep] = inputs.pictures;
  photo = read_image(names.photo);
  for (size_t i = 0; i < names.paintings.size(); ++i) {
    Style& style = styles.emplace_back(read_style(names.paintings[i], inputs.painting_files));
    style.to = read_mask_of(names.content_masks, i);
    style.from = read_mask_of(names.style_masks, i);
    if (!style.from.empty() && style.paintings.size() > 1) {
      fail(ErrorKind::usage,
           "--mask-style: '{}' cannot be the mask of '{}', a folder of {} pictures; name one "
           "picture, or leave the mask out with 'none'",
           names.style_masks[i], names.paintings[i], style.paintings.size());
    }
  }
  if (names.keep_mask) keep = read_mask(*names.keep_mask);
  return inputs;
}

std::vector<std::string> notes_on_enlarging(const Inputs& inputs, const WorkingSizes& sizes,
                                            const Recipe& recipe) {
  const std::vector<Style>& styles = inputs.pictures.styles;
  std::vector<double> given = recipe.style.scale;
  given.resize(styles.size(), given.front());  // one is that of all
  std::vector<double> keeping = given;
  std::vector<std::string> notes;
  size_t painting = 0;  // of all styles
  for (size_t s = 0; s < styles.size(); ++s) {
    for (const Image& image : styles[s].paintings) {
      const Size& size = sizes.paintings[painting];
      const std::string& file = inputs.painting_files[painting++];
      if (size.width <= image.width && size.height <= image.height) continue;
      keeping[s] = std::min(keeping[s], keeping_scale(given[s], image, size));
      notes.push_back(
          fmt::format("'{}' has {} x {} pixels and is enlarged to {} x {}, which gives it no finer "
                      "strokes",
                      file, image.width, image.height, size.width, size.height));
    }
  }
  if (!notes.empty())
    notes.back() += fmt::format("; try --style-scale {}", fmt::join(keeping, ","));
  return notes;
}

}  // namespace limn
