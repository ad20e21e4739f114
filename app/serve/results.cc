#include "serve/results.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <string_view>

#include "base/temporary_file.h"
#include "serve/problem.h"
#include "work/command_line.h"

namespace limn {
namespace {

// What makes no difference to the file makes no second one.
Conversion canonical(Conversion conversion) {
  if (conversion.format == "jpg" || conversion.format == "webp") {
    conversion.bits = 8;
  } else {
    conversion.quality = Conversion().quality;
  }
  return conversion;
}

// Of each sample, as its header says; 0: it has none.
int bits_of_png(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::array<unsigned char, 25> head = {};
  const ssize_t got = file.number() < 0 ? 0 : read(file.number(), head.data(), head.size());
  return got == static_cast<ssize_t>(head.size()) ? head.back() : 0;
}

// Conversions of a picture that has been painted anew since, and what a server that was killed has
// left: no conversion takes so long. Both times are the file system's.
void remove_old(const std::string& folder, const std::string& current,
                const ScratchFolder& scratch) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::file_time_type now = fs::last_write_time(scratch.path(), error);
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    const bool outdated = name.starts_with("result-") && !name.starts_with(current);
    const bool left =
        name.starts_with(kScratchPrefix) &&
        now - entry.last_write_time(error) > std::chrono::duration<double>(kOldScratch);
    if (outdated || left) fs::remove_all(entry.path(), error);
  }
}

}  // namespace

std::string tag_of_file(const std::string& path) {
  struct stat about = {};
  if (lstat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return "";
  return tag_of(about);
}

std::string tag_of(const struct stat& about) {
  return fmt::format("\"{:x}-{:x}-{:x}-{:x}\"", about.st_ino, about.st_size, about.st_mtim.tv_sec,
                     about.st_mtim.tv_nsec);
}

struct Results::Place {
  std::string folder;
  std::string stored;   // the picture as painted
  std::string current;  // how the names of its conversions begin
  std::string path;     // of this conversion
};

Results::Place Results::place_of(const Job& job, Conversion conversion) const {
  Place place;
  place.folder = files_.folder_of_job(job.id);
  place.stored = place.folder + "/" + kResultFile;
  std::string tag = tag_of_file(place.stored);
  if (tag.empty()) throw Problem(404, "the job has no picture any more");
  // A picture that is painted anew has another tag, so an old conversion is never taken for its.
  std::erase(tag, '"');
  place.current = fmt::format("result-{}-", tag);
  conversion = canonical(conversion);
  const bool as_stored = conversion.format == "png" && conversion.side == 0 &&
                         (conversion.bits == 0 || conversion.bits == bits_of_png(place.stored));
  place.path = as_stored
                   ? place.stored
                   : fmt::format("{}/{}{}-{}{}.{}", place.folder, place.current, conversion.bits,
                                 conversion.quality,
                                 conversion.side == 0 ? "" : fmt::format("-{}", conversion.side),
                                 conversion.format);
  return place;
}

std::optional<std::string> Results::find(const Job& job, const Conversion& conversion) const {
  const Place place = place_of(job, conversion);
  if (tag_of_file(place.path).empty()) return {};
  return place.path;
}

std::string Results::make(const Job& job, const Conversion& conversion) {
  const std::lock_guard lock(one_at_a_time_);
  if (stopped_) throw Problem(503, "the server is stopping; ask again");
  const Place place = place_of(job, conversion);
  if (!tag_of_file(place.path).empty()) return place.path;
  const ScratchFolder scratch(place.folder);
  remove_old(place.folder, place.current, scratch);
  const std::string name = "picture." + conversion.format;
  converter_(place.stored, scratch.path() + "/" + name, canonical(conversion), stopped_);
  scratch.give(name, place.path);
  return place.path;
}

}  // namespace limn
