#include "batch/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/file.h"
#include "canvas/sizes.h"
#include "image/read.h"
#include "recipe/fields.h"
#include "request/inputs.h"

namespace limn {
namespace {

// The number of a thing in the list, to which it is added if it is new.
template <typename Thing>
int number_in(std::vector<Thing>& list, const Thing& thing) {
  const auto found = std::ranges::find(list, thing);
  if (found != list.end()) return static_cast<int>(found - list.begin());
  list.push_back(thing);
  return static_cast<int>(list.size()) - 1;
}

// The recipe's settings as text, by flag or key.
std::vector<std::pair<std::string, std::string>> settings_text(const Recipe& recipe) {
  std::vector<std::pair<std::string, std::string>> texts;
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    using Value = std::decay_t<decltype(value)>;
    const std::string name(field.flag.empty() ? field.key : field.flag.substr(2));
    if constexpr (std::is_enum_v<Value>) {
      texts.emplace_back(name, name_of(value));
    } else if constexpr (std::is_same_v<Value, std::vector<LayerWeight>>) {
      texts.emplace_back(name, to_text(value));
    } else if constexpr (std::is_arithmetic_v<Value> || std::is_same_v<Value, std::string>) {
      texts.emplace_back(name, fmt::format("{}", value));
    } else {
      texts.emplace_back(name, fmt::format("{}", fmt::join(value, ",")));
    }
  });
  return texts;
}

// Says of each picture in which settings it differs from others.
void compare_settings(std::vector<Overview::Picture>& pictures) {
  const auto recipe_of = [](const Overview::Picture& picture) -> const Recipe& {
    return picture.item->request.recipe;
  };
  const auto same_as_first = [&](const Overview::Picture& picture) {
    return to_toml(recipe_of(picture)) == to_toml(recipe_of(pictures.front()));
  };
  if (pictures.empty() || std::ranges::all_of(pictures, same_as_first)) return;
  const auto first = settings_text(recipe_of(pictures.front()));
  std::vector<bool> differs(first.size());
  for (const Overview::Picture& picture : pictures) {
    const auto texts = settings_text(recipe_of(picture));
    for (size_t i = 0; i < texts.size(); ++i) differs[i] = differs[i] || texts[i] != first[i];
  }
  for (Overview::Picture& picture : pictures) {
    const auto texts = settings_text(recipe_of(picture));
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto& [name, value] = texts[i];
      if (!differs[i] || name == "summary") continue;
      picture.settings += fmt::format("{}{} {}", picture.settings.empty() ? "" : ", ",
                                      name == "name" ? "recipe" : name, value);
    }
  }
}

}  // namespace

Overview overview_of(std::span<const BatchItem> items) {
  Overview overview;
  std::vector<std::string> photos;  // of all items
  std::vector<Overview::StyleFiles> styles;
  std::set<std::pair<int, int>> cells;
  for (const BatchItem& item : items) {
    const InputNames& names = item.request.names;
    cells.emplace(number_in(photos, names.photo), number_in(styles, names.paintings));
    if (item.is_there()) {
      overview.pictures.push_back({&item,
                                   number_in(overview.photos, names.photo),
                                   number_in(overview.styles, names.paintings),
                                   {}});
    } else {
      overview.not_there.push_back(&item);
    }
  }
  overview.is_table = cells.size() == items.size() && cells.size() == photos.size() * styles.size();
  compare_settings(overview.pictures);
  return overview;
}

std::string title_of(const std::string& photo) {
  InputNames names;
  names.photo = photo;
  std::string title = base_name(names);
  std::ranges::replace(title, '_', ' ');
  return title;
}

std::string title_of(const Overview::StyleFiles& style) {
  std::string title;
  for (const std::string& painting : style) {
    title += (title.empty() ? "" : " + ") + title_of(painting);
  }
  return title;
}

Image small_picture(const std::string& name, int most) {
  const std::string file = is_folder(name) ? files_in(name).front() : name;
  const OpenedPicture picture = open_picture(file);
  const PictureHeader header = read_header(picture);
  const int longest = std::max(header.width, header.height);
  ReadOptions options;
  if (longest > most) {
    options.width = scaled(header.width, longest, most);
    options.height = scaled(header.height, longest, most);
  }
  return read_image(picture, options);
}

}  // namespace limn
