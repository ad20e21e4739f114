#include "request/arguments.h"

#include <algorithm>
#include <array>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "canvas/initial.h"
#include "models/model_cache.h"
#include "recipe/fields.h"
#include "request/paint_request.h"
#include "request/provenance.h"
#include "weights/read.h"

namespace limn {
namespace {

// What stands in the help for a setting's value, and what it is by default.
template <typename T>
std::string value_name(const T&) {
  if constexpr (std::is_enum_v<T>) {
    std::string names;
    for (const auto& entry : kNames<T>) {
      names += fmt::format("{}{}", names.empty() ? "" : "|", entry.name);
    }
    return names;
  } else if constexpr (std::is_same_v<T, bool>) {
    return "true|false";
  } else if constexpr (std::is_arithmetic_v<T>) {
    return "N";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "TEXT";
  } else if constexpr (std::is_same_v<T, std::vector<LayerWeight>>) {
    return "LAYER:N,...";
  } else {
    return "N,...";
  }
}

template <typename T>
std::string default_text(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return std::string(name_of(value));
  } else if constexpr (std::is_same_v<T, std::vector<LayerWeight>>) {
    return to_text(value);
  } else if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>) {
    return fmt::format("{}", value);
  } else {
    return value.empty() ? "none" : fmt::format("{}", fmt::join(value, ","));
  }
}

// What an artist turns: how the picture looks, and how long and from what it is painted.
constexpr std::array<std::string_view, 5> kLook = {"picture.size", "balance.strength",
                                                   "style.scale", "style.blend", "picture.colors"};
constexpr std::array<std::string_view, 4> kEffort = {"optimiser.seconds", "optimiser.iterations",
                                                     "style.layers", "content.layers"};
constexpr const char* kControls = "The artist's controls, with their defaults in recipe 'limn'";

// The group of the help in which another setting stands.
const char* group_of(std::string_view key) {
  const std::string_view section = key.substr(0, key.find('.'));
  if (section == "optimiser" || section == "pyramid") return "Settings of the optimiser";
  if (section == "picture") return "Settings of the pictures";
  if (section == "output") return "Settings of what is kept";
  return "Settings of the network and the losses";
}

constexpr std::string_view kSeedKey = "picture.seed";

// A seed that nobody chose, short enough to be typed again.
std::string new_seed() { return std::to_string(std::random_device()() % 1'000'000'000); }

// Whether the losses of a given picture depend on the setting; those of how fast count as well.
bool matters_to_losses(std::string_view key) {
  constexpr std::array kOfTheWay = {"picture.init", "picture.noise", "picture.noise_share",
                                    "picture.seed", "style.blend",   "picture.border"};
  if (key.starts_with("optimiser.")) return key == "optimiser.space";
  if (key.starts_with("output.") || key.starts_with("pyramid.")) return false;
  return std::ranges::find(kOfTheWay, key) == kOfTheWay.end();
}

// The keys of the settings that have a flag and are none of the artist's controls.
std::vector<std::string_view> other_keys() {
  const auto in = [](const auto& keys, std::string_view key) {
    return std::ranges::find(keys, key) != keys.end();
  };
  std::vector<std::string_view> keys;
  const Recipe recipe;
  visit_fields(recipe, [&](const Field& field, const auto&) {
    if (!field.flag.empty() && !in(kLook, field.key) && !in(kEffort, field.key)) {
      keys.push_back(field.key);
    }
  });
  return keys;
}

// A picture that limn has painted carries its recipe.
bool is_picture(const std::string& name) {
  constexpr std::array<std::string_view, 6> kEndings = {".png",  ".jpg", ".jpeg",
                                                        ".webp", ".tif", ".tiff"};
  return std::ranges::any_of(kEndings, [&](std::string_view e) { return name.ends_with(e); });
}

bool is_recipe_file(const std::string& name_or_file) {
  return name_or_file.ends_with(".toml") || is_picture(name_or_file) ||
         name_or_file.find('/') != std::string::npos;
}

}  // namespace

void PaintingArguments::add_to(CLI::App& command, Settings settings, Styles styles) {
  const bool several = styles == Styles::several;
  command_ = &command;
  command.add_option("PHOTO", names_.photo, "The picture to be painted")
      ->required()
      ->type_name("FILE");
  CLI::Option* paintings =
      command
          .add_option("PAINTING", names_.paintings,
                      several ? "The picture in whose style it is painted. Several are blended; a "
                                "folder's pictures make one style together"
                              : "The picture in whose style it is painted")
          ->required()
          ->type_name(several ? "FILE|FOLDER" : "FILE");
  if (!several) paintings->expected(1)->allow_extra_args(false);
  command
      .add_option(
          "--weights", weights_,
          "Trained weights: a file, builtin, or a name in the cache ('limn model') [the recipe's "
          "network]")
      ->type_name("FILE|NAME");
  if (settings != Settings::none) add_recipe(command);
  command
      .add_option("--max-pixels", max_pixels_,
                  fmt::format("Refuse to read pictures of more pixels [{}]", max_pixels_))
      ->type_name("N");
  if (settings == Settings::none) {
    if (several) add_masks(command);
    return;
  }
  const auto add = [&](std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) {
      if (settings == Settings::all || matters_to_losses(key)) add_setting(command, key);
    }
  };
  add(kLook);
  if (several) add_masks(command);
  add(kEffort);
  add(other_keys());
}

void PaintingArguments::add_recipe(CLI::App& command) {
  command
      .add_option("--recipe", recipe_name_,
                  "A recipe's name ('limn recipes' lists them), its file, or a picture "
                  "that was painted by it")
      ->type_name("NAME|FILE")
      ->default_str(recipe_name_);
}

void PaintingArguments::add_masks(CLI::App& command) {
  const auto add = [&](const char* flag, auto& variable, const char* help) {
    return command.add_option(flag, variable, help)->type_name("FILE")->group(kControls);
  };
  add("--mask-content", names_.content_masks,
      "Where in the photo the first PAINTING's style goes: white. Again for the second, ...; none "
      "leaves one out")
      ->allow_extra_args(false);
  add("--mask-style", names_.style_masks,
      "Where in the PAINTING its style is found, in the same way")
      ->allow_extra_args(false);
  add("--mask-keep", names_.keep_mask, "Where the photo stays as it is: white");
}

void PaintingArguments::add_setting(CLI::App& command, std::string_view key) {
  static const Recipe defaults = named_recipe("limn");
  const auto in = [&](const auto& keys) { return std::ranges::find(keys, key) != keys.end(); };
  const char* group = in(kLook) || in(kEffort) ? kControls : group_of(key);
  visit_fields(defaults, [&](const Field& field, const auto& value) {
    if (field.key != key) return;
    const std::string flag(field.flag);
    const std::string help = fmt::format("{} [{}]", field.help, default_text(value));
    const auto set = [this, name = std::string(key)](const std::string& text) {
      values_[name] = text;
      if (name == kSeedKey && text == "-1") values_[name] = drawn_seed_ = new_seed();
    };
    if constexpr (std::is_same_v<decltype(value), const Pinning&>) {
      command
          .add_flag_callback(
              flag, [set] { set(std::string(name_of(Pinning::none))); }, help)
          ->group(group);
    } else {
      command.add_option_function<std::string>(flag, set, help)
          ->type_name(value_name(value))
          ->group(group);
    }
  });
}

ReadOptions PaintingArguments::read_options() const {
  if (max_pixels_ < 1) {
    fail(ErrorKind::usage, "--max-pixels: is {}, but should be at least 1", max_pixels_);
  }
  return {.max_pixels = max_pixels_};
}

std::string PaintingArguments::drawn_seed_note() const {
  return drawn_seed_.empty() ? "" : ", seed " + drawn_seed_;
}

// A second name behind a mask's flag is a PAINTING to the parser, and hardly to whoever wrote it.
void PaintingArguments::check_masks() const {
  const CLI::Option* before = nullptr;
  size_t painting = 0;
  for (const CLI::Option* option : command_->parse_order()) {
    const bool is_painting = option->get_name() == "PAINTING";
    const bool behind_mask = before && before->get_name().starts_with("--mask-");
    if (is_painting && behind_mask && names_.paintings.size() > 1) {
      const std::string flag = before->get_name();
      fail(ErrorKind::usage,
           "{}: takes one mask, so that '{}' behind it would be a PAINTING; if it is one, name it "
           "before all masks; if it is a mask, say {} '{}'",
           flag, names_.paintings[painting], flag, names_.paintings[painting]);
    }
    painting += is_painting ? 1 : 0;
    before = option;
  }
}

Recipe PaintingArguments::recipe() const {
  check_masks();
  Recipe recipe = find_recipe(recipe_name_);
  visit_fields(recipe, [&](const Field& field, auto&) {
    const auto given = values_.find(std::string(field.key));
    if (given != values_.end()) {
      set_field(recipe, field.key, given->second, std::string(field.flag));
    }
  });
  if (given("balance.strength")) check_strength_matters(recipe, "--strength");
  return recipe;
}

std::optional<std::string> PaintingArguments::weights_file(const Recipe& recipe) const {
  if (!weights_.empty()) return find_weights(weights_);
  const std::string& network = recipe.network.name;
  check_network_name(network);
  if (network == kBuiltinName) return std::nullopt;
  if (std::optional<std::string> cached = cached_weights(network)) return cached;
  fail(ErrorKind::usage,
       "--weights: painting needs the trained weights of {}, and none were given or are in the "
       "cache. 'limn model fetch {}' fetches them; or say --weights FILE, or --network builtin",
       network, network);
}

void PaintingArguments::add_inputs(CommandFiles& files) const {
  for (const InputFile& file : input_files(names_)) {
    files.reads_picture(file.path, std::string(file.role));
  }
  if (is_recipe_file(recipe_name_)) files.reads(recipe_name_, "recipe");
}

void PaintingArguments::add_inputs_of(std::span<const Recipe> recipes, CommandFiles& files) const {
  if (const std::optional<std::string> weights = weights_file(recipes.front())) {
    for (const std::string& file : files_of_weights(*weights)) files.reads(file, "weights");
  }
  std::vector<std::string> seen;
  for (const Recipe& recipe : recipes) {
    const std::string& init = recipe.picture.init;
    if (!names_picture(init) || std::ranges::count(seen, init) > 0) continue;
    files.reads_picture(init, "initial picture");
    seen.push_back(init);
  }
}

Model PaintingArguments::model(std::span<Recipe> recipes) const {
  return read_model(weights_file(recipes.front()), recipes, given("network.name"));
}

void check_strength_matters(const Recipe& recipe, const std::string& flag) {
  if (recipe.balance.kind == Balance::measured) return;
  fail(
      ErrorKind::usage,
      "{}: makes no difference to recipe '{}', whose weights stand as they are; say --style-weight "
      "instead, or --balance measured too",
      flag, recipe.name);
}

Recipe find_recipe(const std::string& name_or_file) {
  constexpr size_t kMostBytes = 1 << 20;  // a recipe is a page; what is larger is something else
  if (is_picture(name_or_file)) return read_origin(name_or_file).recipe;
  if (is_recipe_file(name_or_file)) {
    return parse_recipe(read_text(name_or_file, "recipe file", kMostBytes), name_or_file);
  }
  const std::vector<std::string> names = recipe_names();
  const bool known = std::find(names.begin(), names.end(), name_or_file) != names.end();
  if (!known && !is_missing(name_or_file)) {
    fail(ErrorKind::usage, "there is no recipe '{}'; if the file is meant, say --recipe ./{}",
         name_or_file, name_or_file);
  }
  return named_recipe(name_or_file);
}

}  // namespace limn
