#include "batch/crossing.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/lower_case.h"
#include "image/read.h"
#include "request/inputs.h"
#include "request/provenance.h"

namespace limn {
namespace {

// What people and cameras call pictures that most machines read.
constexpr std::array<std::string_view, 12> kEndings = {".jpg",  ".jpeg", ".png",  ".webp",
                                                       ".tif",  ".tiff", ".avif", ".heic",
                                                       ".heif", ".jxl",  ".gif",  ".jp2"};

bool should_be_picture(const std::string& path) {
  const std::string ending = lower_case(std::filesystem::path(path).extension().string());
  return std::ranges::find(kEndings, ending) != kEndings.end();
}

bool is_picture(const std::string& path) {
  try {
    read_header(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

std::vector<std::string> pictures_named(std::span<const std::string> names,
                                        const std::string& role) {
  std::vector<std::string> pictures;
  for (const std::string& name : names) {
    if (is_stream(name)) {
      fail(ErrorKind::usage,
           "the {} '{}' comes through a pipe, which a batch cannot read again; save it as a file "
           "first",
           role, name);
    }
    if (!is_folder(name)) {
      const std::string path = picture_name(name).path;
      if (is_missing(path)) fail(ErrorKind::file, "there is no {} '{}'", role, path);
      pictures.push_back(name);
      continue;
    }
    const size_t before = pictures.size();
    for (const std::string& file : files_in(name)) {
      if (should_be_picture(file) || is_picture(file)) pictures.push_back(file);
    }
    if (pictures.size() == before) {
      fail(ErrorKind::file, "the folder '{}' has no {} in it that limn can read", name, role);
    }
  }
  return pictures;
}

std::vector<BatchTask> crossed(std::span<const std::string> photos,
                               std::span<const std::string> paintings) {
  std::vector<BatchTask> tasks;
  tasks.reserve(photos.size() * paintings.size());
  for (const std::string& photo : photos) {
    for (const std::string& painting : paintings) {
      BatchTask& task = tasks.emplace_back();
      task.photo = photo;
      task.paintings = {painting};
    }
  }
  return tasks;
}

std::vector<BatchTask> paired(std::span<const std::string> photos,
                              std::span<const std::string> paintings) {
  if (photos.size() != paintings.size()) {
    fail(ErrorKind::usage,
         "--pairs: there are {} photos, but {} paintings; give one painting for each photo",
         photos.size(), paintings.size());
  }
  std::vector<BatchTask> tasks;
  tasks.reserve(photos.size());
  for (size_t i = 0; i < photos.size(); ++i) {
    BatchTask& task = tasks.emplace_back();
    task.photo = photos[i];
    task.paintings = {paintings[i]};
  }
  return tasks;
}

}  // namespace limn
