#include "request/saved_pictures.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <string_view>

#include "request/outputs.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

// "-20260131-235959": later ones sort after earlier ones.
std::string time_now() {
  return fmt::format("-{:%Y%m%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
}

// Whether it is such a time, and not in the past.
bool is_still_to_come(std::string_view text) {
  const std::string now = time_now();
  const auto same_kind = [](char a, char b) { return (a == '-') == (b == '-'); };
  const auto is_part = [](char c) { return c == '-' || (c >= '0' && c <= '9'); };
  return std::ranges::equal(text, now, same_kind) && std::ranges::all_of(text, is_part) &&
         text >= now;
}

}  // namespace

SavedPictures::SavedPictures(const std::string& output, const Recipe& recipe)
    : output_(output),
      every_(is_standard_output(output) ? 0 : recipe.output.save_every),
      iterations_(recipe.optimiser.iterations),
      timed_(recipe.output.save_name == SavedName::time) {}

bool SavedPictures::takes(int iteration) const {
  return every_ > 0 && iteration > 0 && iteration <= iterations_ && iteration % every_ == 0;
}

std::string SavedPictures::number(int iteration) const {
  const size_t digits = std::max<size_t>(4, std::to_string(iterations_).size());
  return fmt::format("-{:0{}}", iteration, digits);
}

std::string SavedPictures::path(int iteration) const {
  const fs::path path(output_);
  const std::string name = path.stem().string() + (timed_ ? time_now() : "") + number(iteration) +
                           path.extension().string();
  return (path.parent_path() / name).string();
}

std::string SavedPictures::folder() const { return fs::path(output_).parent_path().string(); }

bool SavedPictures::may_be_called(const std::string& name) const {
  const fs::path path(output_);
  const std::string stem = path.stem().string(), ending = path.extension().string();
  if (!name.starts_with(stem) || !name.ends_with(ending)) return false;
  if (name.size() < stem.size() + ending.size()) return false;
  std::string_view between = name;
  between.remove_prefix(stem.size());
  between.remove_suffix(ending.size());
  if (timed_) {
    const size_t length = time_now().size();
    if (between.size() < length || !is_still_to_come(between.substr(0, length))) return false;
    between.remove_prefix(length);
  }
  if (!between.starts_with('-')) return false;
  int iteration = 0;
  std::from_chars(between.data() + 1, between.data() + between.size(), iteration);
  return takes(iteration) && number(iteration) == between;
}

}  // namespace limn
