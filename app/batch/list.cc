#include "batch/list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "batch/csv.h"
#include "canvas/initial.h"
#include "recipe/listed_settings.h"
#include "request/setting_key.h"

namespace limn {
namespace {

constexpr std::size_t kMostBytes = 16 << 20;
constexpr std::size_t kMostPictures = 100'000;

constexpr std::string_view kPhoto = "photo", kPainting = "painting", kName = "name",
                           kRecipe = "recipe";
constexpr std::array kOwn = {kPhoto, kPainting, kName, kRecipe};

// What a list says of a picture: each text with what it is about, a setting by its key.
using Said = std::vector<std::pair<std::string, std::string>>;

class Resolver {
 public:
  explicit Resolver(std::string folder) : folder_(std::move(folder)) {}

  std::string path(const std::string& name) const {
    return (std::filesystem::path(folder_) / name).string();
  }

  BatchTask task(const Said& said, std::string origin) const {
    BatchTask task;
    task.origin = std::move(origin);
    for (const auto& [what, text] : said) {
      if (text.empty()) continue;
      if (what == kPhoto) {
        task.photo = path(text);
      } else if (what == kPainting) {
        task.paintings.push_back(path(text));
      } else if (what == kName) {
        task.name = text;
      } else if (what == kRecipe) {
        task.recipe = recipe(text);
      } else {
        task.settings[what] = what == "picture.init" && names_picture(text) ? path(text) : text;
      }
    }
    if (task.photo.empty()) fail(ErrorKind::usage, "{}: names no photo", task.origin);
    if (task.paintings.empty()) fail(ErrorKind::usage, "{}: names no painting", task.origin);
    check_name(task);
    return task;
  }

 private:
  // A file, unless it is a plain name.
  std::string recipe(const std::string& text) const {
    return text.find_first_of("./") == text.npos ? text : path(text);
  }

  static void check_name(const BatchTask& task) {
    const std::string& name = task.name;
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (name.find('/') == name.npos && !name.starts_with('.') &&
        std::ranges::none_of(name, is_control)) {
      return;
    }
    fail(ErrorKind::usage,
         "{}: '{}' is not a name for a picture, which goes into --output's folder; leave out "
         "folders and leading dots",
         task.origin, printable(name));
  }

  const std::string folder_;
};

std::string line_of(const std::string& source, int line) {
  return fmt::format("{}, line {}", source, line);
}

// What the columns of a table are about, by its first line.
std::vector<std::string> columns_of(const CsvRow& head, const std::string& source) {
  const std::string origin = line_of(source, head.line);
  std::vector<std::string> columns;
  columns.reserve(head.cells.size());
  for (const std::string& cell : head.cells) {
    const bool own = std::ranges::find(kOwn, cell) != kOwn.end();
    std::string column = own ? cell : setting_key(cell, origin, kOwn);
    if (column != kPainting && std::ranges::count(columns, column) > 0) {
      fail(ErrorKind::usage, "{}: has two columns of '{}'", origin, column);
    }
    columns.push_back(std::move(column));
  }
  for (const std::string_view needed : {kPhoto, kPainting}) {
    if (std::ranges::count(columns, needed) > 0) continue;
    fail(ErrorKind::usage,
         "{}: has no column '{}'; the first line of a table names its columns, as in "
         "photo,painting,strength",
         origin, needed);
  }
  return columns;
}

std::vector<BatchTask> tasks_of_csv(const std::string& text, const std::string& source,
                                    const Resolver& resolver) {
  const std::vector<CsvRow> rows = parse_csv(text, source);
  if (rows.empty()) fail(ErrorKind::usage, "{}: is empty", source);
  const std::vector<std::string> columns = columns_of(rows.front(), source);
  std::vector<BatchTask> tasks;
  tasks.reserve(rows.size());
  for (size_t i = 1; i < rows.size(); ++i) {
    Said said;
    said.reserve(columns.size());
    for (size_t k = 0; k < columns.size(); ++k) said.emplace_back(columns[k], rows[i].cells[k]);
    tasks.push_back(resolver.task(said, line_of(source, rows[i].line)));
  }
  return tasks;
}

std::vector<BatchTask> tasks_of_toml(const std::string& text, const std::string& source,
                                     const Resolver& resolver) {
  std::vector<BatchTask> tasks;
  const std::vector<ListedSettings> pictures = parse_listed(text, "picture", kOwn, source);
  tasks.reserve(pictures.size());
  for (const ListedSettings& picture : pictures) {
    const std::string origin = line_of(source, picture.line);
    Said said;
    for (const auto& [what, texts] : picture.texts) {
      if (what != kPainting && texts.size() != 1) {
        fail(ErrorKind::usage, "{}: has {} of '{}', but should have one", origin, texts.size(),
             what);
      }
      for (const std::string& each : texts) said.emplace_back(what, each);
    }
    std::ranges::copy(picture.settings, std::back_inserter(said));
    tasks.push_back(resolver.task(said, origin));
  }
  return tasks;
}

}  // namespace

std::vector<BatchTask> parse_list(const std::string& text, bool toml, const std::string& source,
                                  const std::string& folder) {
  const Resolver resolver(folder);
  std::vector<BatchTask> tasks =
      toml ? tasks_of_toml(text, source, resolver) : tasks_of_csv(text, source, resolver);
  if (tasks.empty()) fail(ErrorKind::usage, "{}: lists no pictures", source);
  if (tasks.size() > kMostPictures) {
    fail(ErrorKind::usage, "{}: lists {} pictures, but at most {} are allowed", source,
         tasks.size(), kMostPictures);
  }
  return tasks;
}

std::vector<BatchTask> read_list(const std::string& path) {
  const std::string text = read_text(path, "list", kMostBytes);
  // A pipe has no folder of its own.
  const bool stream = identity_of(path).value_or(FileIdentity{}).stream;
  const std::string folder = stream ? "" : std::filesystem::path(path).parent_path().string();
  return parse_list(text, path.ends_with(".toml"), fmt::format("'{}'", path), folder);
}

}  // namespace limn
