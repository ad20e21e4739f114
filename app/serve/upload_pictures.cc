#include "serve/upload_pictures.h"

#include <fmt/format.h>

#include <algorithm>

#include "serve/problem.h"
#include "serve/results.h"

namespace limn {
namespace {

constexpr int kShownQuality = 88;       // what a page shows small
constexpr size_t kMostDescribed = 200;  // half a megabyte each at the very most

}  // namespace

std::string UploadPictures::path_of(const std::string& id, int side) const {
  return fmt::format("{}/{}-{}", files_.folder_of_pictures(), id, side);
}

std::optional<std::string> UploadPictures::find(const std::string& id, int side) const {
  std::string path = path_of(id, side);
  if (tag_of_file(path).empty()) return {};
  return path;
}

std::string UploadPictures::make(const std::string& id, int side) {
  const std::lock_guard lock(one_at_a_time_);
  if (stopped_) throw Problem(503, "the server is stopping; ask again");
  if (std::optional<std::string> made = find(id, side)) return *made;
  std::string path = path_of(id, side);
  const ScratchFolder scratch(files_.folder_of_pictures());
  converter_(files_.path_of(id), scratch.path() + "/picture",
             {.format = "", .bits = 8, .quality = kShownQuality, .side = side}, stopped_);
  scratch.give("picture", path);
  return path;
}

std::optional<std::string> UploadPictures::find_about(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(abouts_, id, &std::pair<std::string, std::string>::first);
  if (found == abouts_.end()) return {};
  return found->second;
}

std::string UploadPictures::make_about(const std::string& id) {
  const std::lock_guard lock(one_at_a_time_);
  if (stopped_) throw Problem(503, "the server is stopping; ask again");
  if (std::optional<std::string> known = find_about(id)) return *known;
  std::string text = describer_(files_.path_of(id), stopped_);
  const std::lock_guard guard(mutex_);
  abouts_.emplace_front(id, text);
  if (abouts_.size() > kMostDescribed) abouts_.pop_back();
  return text;
}

}  // namespace limn
