#include "batch/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <utility>

#include "base/error.h"
#include "recipe/fields.h"
#include "request/inputs.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

std::string short_name(const BatchTask& task) {
  InputNames names;
  names.photo = task.photo;
  names.paintings = task.paintings;
  return base_name(names);
}

// The name of a file or folder without what is above it, and of that above it.
std::string own_name(const std::string& path) {
  std::error_code ignored;
  const fs::path whole = fs::absolute(path, ignored).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}
std::string folder_name(const std::string& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).lexically_normal().parent_path().filename().string();
}

// In a name anything but letters, digits and a little punctuation becomes a dash.
std::string plain(const std::string& text) {
  std::string result = text;
  for (char& c : result) {
    const bool fits = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                      std::string_view(".,_+").find(c) != std::string_view::npos;
    if (!fits) c = '-';
  }
  return result;
}

// "-strength-0.7": the settings by their flags.
std::string settings_text(const BatchTask& task) {
  std::string text;
  if (task.recipe) text += "-" + plain(fs::path(*task.recipe).stem().string());
  const Recipe defaults;
  visit_fields(defaults, [&](const Field& field, const auto&) {
    const auto found = task.settings.find(std::string(field.key));
    if (found == task.settings.end()) return;
    const std::string_view flag =
        field.flag.empty() ? field.key : std::string_view(field.flag).substr(2);
    text += fmt::format("-{}-{}", flag, plain(found->second));
  });
  return text;
}

// Tasks of the same short name.
class Alike {
 public:
  Alike(std::span<const BatchTask> tasks, std::span<const size_t> which) {
    for (const size_t i : which) {
      photos_.insert(tasks[i].photo);
      photo_folders_.insert(folder_name(tasks[i].photo));
      paintings_.insert(tasks[i].paintings);
      painting_folders_.insert(folders(tasks[i]));
      settings_.insert(settings_text(tasks[i]));
    }
  }

  // The name of one of them, with what tells it from the others.
  std::string name(const BatchTask& task) const {
    if (photos_.size() == 1 && paintings_.size() == 1) return short_name(task) + settings(task);
    std::string name = part(task.photo, photos_.size() > 1, photo_folders_.size() > 1);
    for (const std::string& painting : task.paintings) {
      name += "-" + part(painting, paintings_.size() > 1, painting_folders_.size() > 1);
    }
    return name + settings(task);
  }

 private:
  using Names = std::vector<std::string>;

  static Names folders(const BatchTask& task) {
    Names names;
    std::ranges::transform(task.paintings, std::back_inserter(names), folder_name);
    return names;
  }

  // Where these pictures differ, the name with its folder's, if folders do, or with its ending.
  static std::string part(const std::string& path, bool differ, bool folders_differ) {
    std::string own = own_name(path);
    if (differ && !folders_differ) return own;
    const std::string stem = fs::path(own).stem().string();
    return differ ? folder_name(path) + "-" + stem : stem;
  }

  std::string settings(const BatchTask& task) const {
    return settings_.size() > 1 ? settings_text(task) : "";
  }

  std::set<std::string> photos_, photo_folders_, settings_;
  std::set<Names> paintings_, painting_folders_;
};

void check_given(std::span<const BatchTask> tasks) {
  std::map<std::string, const BatchTask*> given;
  for (const BatchTask& task : tasks) {
    if (task.name.empty()) continue;
    const auto [other, is_new] = given.emplace(task.name, &task);
    if (is_new) continue;
    fail(ErrorKind::usage, "{}: has the name '{}', as has {}", task.origin, task.name,
         other->second->origin);
  }
}

}  // namespace

void give_names(std::vector<BatchTask>& tasks) {
  check_given(tasks);
  std::set<std::string> taken;
  std::map<std::string, std::vector<size_t>> alike;  // by short name
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].name.empty()) {
      alike[short_name(tasks[i])].push_back(i);
    } else {
      taken.insert(tasks[i].name);
    }
  }
  std::vector<std::pair<size_t, std::string>> wanted;
  wanted.reserve(tasks.size());
  for (const auto& [name, which] : alike) {
    const Alike others(tasks, which);
    for (const size_t i : which) {
      wanted.emplace_back(i, which.size() == 1 ? name : others.name(tasks[i]));
    }
  }
  std::ranges::sort(wanted);  // numbers in the order of the tasks
  for (auto& [i, name] : wanted) {
    tasks[i].name = name;
    for (int number = 2; !taken.insert(tasks[i].name).second; ++number) {
      tasks[i].name = fmt::format("{}-{}", name, number);
    }
  }
}

}  // namespace limn
