#include "request/arguments.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>

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

// How the help shows a setting's value and its default. Completions go by it too
// (packaging/commands/command.h): small letters are values, capitals what a value stands for.
template <typename T>
std::string value_name(std::string_view key, const T&) {
  if (key == "network.name") return fmt::format("{}", fmt::join(network_names(), "|"));
  if (key == "picture.init") return "content|noise|mean|FILE";
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

// The artistic controls: how the picture looks, and how long and from which layers it is painted.
constexpr std::array<std::string_view, 5> kLook = {"picture.size", "balance.strength",
                                                   "style.scale", "style.blend", "picture.colors"};
constexpr std::array<std::string_view, 7> kTextureLook = {
    "style.scale",        "style.blend",    "picture.tileable", "picture.symmetry",
    "style.shift_weight", "style.symmetry", "picture.colors"};
constexpr std::array<std::string_view, 4> kEffort = {"optimiser.seconds", "optimiser.iterations",
                                                     "style.layers", "content.layers"};
std::string controls_group(const std::string& recipe) {
  return fmt::format("Artistic controls, with the defaults of recipe '{}'", recipe);
}

// The help group of any other setting.
const char* group_of(std::string_view key) {
  const std::string_view section = key.substr(0, key.find('.'));
  if (section == "optimiser" || section == "pyramid") return "Optimiser settings";
  if (section == "picture") return "Picture settings";
  if (section == "output") return "Output settings";
  return "Network and loss settings";
}

constexpr std::string_view kSeedKey = "picture.seed";
constexpr std::string_view kSizeKey = "picture.size";
constexpr std::string_view kStrengthKey = "balance.strength";
constexpr std::string_view kTileableKey = "picture.tileable";

// Whether nothing of a photo is to be kept, and the pictures determine the size: neither the
// recipe's size nor a strength would make a difference.
bool is_of_texture(PaintingArguments::Task task) {
  return task == PaintingArguments::Task::texture || task == PaintingArguments::Task::inpainting;
}

std::span<const std::string_view> look_of(PaintingArguments::Task task) {
  if (is_of_texture(task)) return kTextureLook;
  return kLook;
}

// A random seed, short enough to retype.
std::string new_seed() { return std::to_string(std::random_device()() % 1'000'000'000); }

// Whether the losses of a given picture, or the time that they take, depend on the setting.
bool matters_to_losses(std::string_view key) {
  constexpr std::array kOfTheWay = {"picture.init", "picture.noise", "picture.noise_share",
                                    "picture.seed", "style.blend",   "picture.border"};
  if (key.starts_with("optimiser.")) return key == "optimiser.space";
  if (key.starts_with("output.") || key.starts_with("pyramid.")) return false;
  return std::ranges::find(kOfTheWay, key) == kOfTheWay.end();
}

// The settings that have a flag and are not among these artistic controls, by key.
std::vector<std::string_view> other_keys(std::span<const std::string_view> look) {
  const auto in = [](const auto& keys, std::string_view key) {
    return std::ranges::find(keys, key) != keys.end();
  };
  std::vector<std::string_view> keys;
  const Recipe recipe;
  visit_fields(recipe, [&](const Field& field, const auto&) {
    if (!field.flag.empty() && !in(look, field.key) && !in(kEffort, field.key)) {
      keys.push_back(field.key);
    }
  });
  return keys;
}

// Pictures painted by limn carry their recipe.
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
  add_inputs(command, settings, styles);
  add_common(command, settings, styles);
}

void PaintingArguments::add_to(CLI::App& command, Task task) {
  task_ = task;
  switch (task) {
    case Task::painting:
      return add_to(command);
    case Task::season:
      recipe_name_ = "season";
      return add_to(command);
    case Task::texture:
      recipe_name_ = "texture";
      command
          .add_option("EXEMPLAR", names_.paintings,
                      "A picture of the texture. Several are blended; the pictures of a folder "
                      "form one texture")
          ->required()
          ->type_name("FILE|FOLDER");
      command
          .add_option("--size", canvas_,
                      "Size of the texture: pixels a side, or WIDTHxHEIGHT; or of a print of it, "
                      "60x40cm@300dpi")
          ->type_name("N|WxH|PRINT")
          ->default_str(canvas_);
      command
          .add_option_function<std::string>(
              "--shifts",
              [this](const std::string& text) {
                if (text != "auto") values_["style.shifts"] = text;
              },
              "Distances in pixels at which features are compared, as --style-shifts: auto (the "
              "exemplar's periods, or the recipe's where it does not repeat), none, or some")
          ->type_name("auto|none|N,...");
      break;
    case Task::inpainting:
      recipe_name_ = "inpaint";
      command.add_option("PICTURE", names_.photo, "The picture with a hole")
          ->required()
          ->type_name("FILE");
      command
          .add_option("--hole", names_.hole,
                      "A mask of the picture: white where it is painted, black where every pixel "
                      "stays as it is, grey in between")
          ->required()
          ->type_name("FILE");
      command
          .add_option("--from", source_, "A picture of what fills the hole [the rest of PICTURE]")
          ->type_name("FILE|FOLDER");
      break;
  }
  add_common(command, Settings::all, Styles::none);
}

void PaintingArguments::add_settings_to(CLI::App& command) {
  add_common(command, Settings::all, Styles::none);
}

InputNames PaintingArguments::names() const {
  InputNames names = names_;
  if (task_ == Task::texture) {
    const std::optional<PrintSize> print = this->print();
    names.canvas = print ? print->pixels : parse_canvas(canvas_, "--size");
  }
  if (task_ == Task::inpainting) names.paintings = {source_.value_or(names.photo)};
  return names;
}

void PaintingArguments::add_inputs(CLI::App& command, Settings settings, Styles styles) {
  const bool several = styles == Styles::several;
  const bool season = task_ == Task::season;
  const char* const name = season ? "EXAMPLE" : "PAINTING";
  command.add_option("PHOTO", names_.photo, season ? "The photo to change" : "The photo to paint")
      ->required()
      ->type_name("FILE");
  std::string help = season ? "A photo of the season wanted" : "The painting whose style to use";
  if (several) help += ". Several are blended; the pictures of a folder form one style";
  CLI::Option* paintings = command.add_option(name, names_.paintings, help)
                               ->required()
                               ->type_name(several ? "FILE|FOLDER" : "FILE");
  if (!several) paintings->expected(1)->allow_extra_args(false);
  if (settings == Settings::none) paintings->required(false);
}

void PaintingArguments::add_common(CLI::App& command, Settings settings, Styles styles) {
  const bool several = styles == Styles::several;
  command_ = &command;
  command
      .add_option(
          "--weights", weights_,
          "Trained weights: a file, builtin, or a name in the cache ('limn model') [the recipe's "
          "network]")
      ->type_name("FILE|NETWORK");
  if (settings != Settings::none) add_recipe(command);
  command
      .add_option(
          "--max-pixels", max_pixels_,
          fmt::format("Refuse to read pictures with more pixels than this [{}]", max_pixels_))
      ->type_name("N");
  if (settings == Settings::none) {
    if (several) add_masks(command);
    return;
  }
  defaults_ = named_recipe(recipe_name_);
  const auto add = [&](std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) {
      if (is_of_texture(task_) && (key == kSizeKey || key == kStrengthKey)) continue;
      if (settings == Settings::all || matters_to_losses(key)) add_setting(command, key);
    }
  };
  const std::span<const std::string_view> look = look_of(task_);
  add(look);
  if (several) add_masks(command);
  add(kEffort);
  add(other_keys(look));
  if (settings == Settings::all) add_dpi(command);
}

namespace {

double dpi_in(const std::string& text) {
  double dpi = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dpi);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail(ErrorKind::usage, "--dpi: '{}' is not a number; most prints have 150 to 300", text);
  }
  check_dpi(dpi);
  return dpi;
}

}  // namespace

void PaintingArguments::add_dpi(CLI::App& command) {
  command
      .add_option_function<std::string>(
          "--dpi", [this](const std::string& text) { dpi_ = dpi_in(text); },
          fmt::format("Pixels per inch of a print, for programs that print the picture; does not "
                      "change its size, unless that is given in cm, mm or inches [{}]",
                      kPrintDpi))
      ->type_name("N");
}

// What --size says of a print, if it does.
std::optional<PrintSize> PaintingArguments::print() const {
  const bool is_texture = task_ == Task::texture;
  const auto size = values_.find(std::string(kSizeKey));
  if (!is_texture && size == values_.end()) return std::nullopt;
  const std::string& text = is_texture ? canvas_ : size->second;
  if (!is_print_size(text)) return std::nullopt;
  const PrintSize print = parse_print_size(text, "--size", dpi_);
  if (!is_texture && text.find_first_of("xX") != text.npos) {
    fail(ErrorKind::usage,
         "--size: '{}' has two lengths, but a photo keeps its proportions; give the longer one",
         text);
  }
  return print;
}

double PaintingArguments::dpi() const {
  if (dpi_) check_dpi(*dpi_);
  if (const std::optional<PrintSize> print = this->print()) return print->dpi;
  return dpi_.value_or(0);
}

void PaintingArguments::add_recipe(CLI::App& command) {
  command
      .add_option(
          "--recipe", recipe_name_,
          "A recipe: a name ('limn recipes' lists them), a file, or a picture painted with it")
      ->type_name("RECIPE|FILE")
      ->default_str(recipe_name_);
}

void PaintingArguments::add_masks(CLI::App& command) {
  const auto add = [&](const char* flag, auto& variable, const char* help) {
    return command.add_option(flag, variable, help)
        ->type_name("FILE")
        ->group(controls_group(recipe_name_));
  };
  add("--mask-content", names_.content_masks,
      "White where the first PAINTING's style goes in the photo. Repeat for the second and so on; "
      "'none' skips one")
      ->allow_extra_args(false);
  add("--mask-style", names_.style_masks,
      "White where the first PAINTING's style comes from. Repeat likewise")
      ->allow_extra_args(false);
  add("--mask-keep", names_.keep_mask, "White where the photo stays as it is");
}

void PaintingArguments::add_setting(CLI::App& command, std::string_view key) {
  const auto in = [&](const auto& keys) { return std::ranges::find(keys, key) != keys.end(); };
  const std::string group =
      in(look_of(task_)) || in(kEffort) ? controls_group(recipe_name_) : group_of(key);
  visit_fields(std::as_const(defaults_), [&](const Field& field, const auto& value) {
    if (field.key != key) return;
    const std::string flag(field.flag);
    const std::string help = fmt::format("{} [{}]", field.help, default_text(value));
    const auto set = [this, name = std::string(key)](const std::string& text) {
      values_[name] = text;
      if (name == kSeedKey && text == "-1") values_[name] = drawn_seed_ = new_seed();
    };
    if (key == kTileableKey) {
      command
          .add_flag_callback(
              flag, [set] { set("true"); }, help)
          ->group(group);
    } else if constexpr (std::is_same_v<decltype(value), const Pinning&>) {
      command
          .add_flag_callback(
              flag, [set] { set(std::string(name_of(Pinning::none))); }, help)
          ->group(group);
    } else if (key == kSizeKey) {
      command
          .add_option_function<std::string>(
              flag, set,
              fmt::format("{}; or that of a print: 60cm@300dpi, 297mm, 24in [{}]", field.help,
                          default_text(value)))
          ->type_name("N|PRINT")
          ->group(group);
    } else {
      command.add_option_function<std::string>(flag, set, help)
          ->type_name(value_name(key, value))
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

// To the parser a second name after a mask flag is a PAINTING, but whoever typed it probably meant
// a second mask.
void PaintingArguments::check_masks() const {
  const CLI::Option* before = nullptr;
  size_t painting = 0;
  for (const CLI::Option* option : command_->parse_order()) {
    const bool is_painting = option->get_name() == "PAINTING" || option->get_name() == "EXAMPLE";
    const bool behind_mask = before && before->get_name().starts_with("--mask-");
    if (is_painting && behind_mask && names_.paintings.size() > 1) {
      const std::string flag = before->get_name();
      fail(ErrorKind::usage,
           "{}: takes one mask, so '{}' after it would be a PAINTING; if it is one, put it before "
           "all masks; if it is a mask, use {} '{}'",
           flag, names_.paintings[painting], flag, names_.paintings[painting]);
    }
    painting += is_painting ? 1 : 0;
    before = option;
  }
}

namespace {

// Stages keep what they change themselves. A setting that none of them follows would do nothing.
void check_stages_follow(const Recipe& recipe, const Field& field, const std::string& origin) {
  const auto changes = [&](const Stage& stage) {
    return stage.changes.contains(std::string(field.key));
  };
  if (recipe.stages.empty() || !std::ranges::all_of(recipe.stages, changes)) return;
  fail(ErrorKind::usage, "{}: every stage of recipe '{}' has its own {}; change it in the recipe",
       origin, recipe.name, field.key);
}

}  // namespace

Recipe PaintingArguments::recipe(const std::string& name_or_file,
                                 const std::map<std::string, std::string>& settings,
                                 const std::string& origin) const {
  check_masks();
  Recipe recipe = find_recipe(name_or_file);
  visit_fields(recipe, [&](const Field& field, auto&) {
    const auto given = values_.find(std::string(field.key));
    if (given != values_.end()) {
      std::string value = given->second;
      if (field.key == kSizeKey) {
        if (const auto print = this->print()) value = std::to_string(print->pixels.width);
      }
      set_field(recipe, field.key, value, std::string(field.flag));
      check_stages_follow(recipe, field, std::string(field.flag));
    }
  });
  for (const auto& [key, value] : settings) {
    const std::string place = fmt::format("{}, {}", origin, key);
    set_field(recipe, key, value, place);
    visit_fields(std::as_const(recipe), [&, &key = key](const Field& field, const auto&) {
      if (field.key == key) check_stages_follow(recipe, field, place);
    });
  }
  if (is_of_texture(task_)) recipe.picture.size = 0;
  if (given("balance.strength")) check_strength_matters(recipe, "--strength");
  if (settings.contains("balance.strength")) check_strength_matters(recipe, origin + ", strength");
  return recipe;
}

std::optional<std::string> PaintingArguments::weights_file(const Recipe& recipe) const {
  if (!weights_.empty()) return find_weights(weights_);
  const std::string& network = recipe.network.name;
  check_network_name(network);
  if (network == kBuiltinName) return std::nullopt;
  if (std::optional<std::string> cached = cached_weights(network)) return cached;
  fail(ErrorKind::usage,
       "--weights: painting needs trained weights of {}, but none were given and none are in the "
       "cache; run 'limn model fetch {}', or use --weights FILE or --network builtin",
       network, network);
}

void PaintingArguments::add_inputs(CommandFiles& files) const {
  if (task_ == Task::inpainting && !source_ && is_stream(names_.photo)) {
    fail(ErrorKind::usage,
         "PICTURE: the hole is filled from the rest of the picture, which a pipe does not give "
         "twice; save it as a file first, or say with --from what fills the hole");
  }
  for (const InputFile& file : input_files(names())) {
    files.reads_picture(file.path, std::string(file.role));
  }
  add_recipe_file(files);
}

void PaintingArguments::add_recipe_file(CommandFiles& files) const {
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
  fail(ErrorKind::usage,
       "{}: makes no difference to recipe '{}', which uses fixed weights; use --style-weight "
       "instead, or add --balance measured",
       flag, recipe.name);
}

Recipe find_recipe(const std::string& name_or_file) {
  constexpr size_t kMostBytes = 1 << 20;  // a recipe is a page; anything larger is something else
  if (is_picture(name_or_file)) return read_origin(name_or_file).recipe;
  if (is_recipe_file(name_or_file)) {
    return parse_recipe(read_text(name_or_file, "recipe file", kMostBytes), name_or_file);
  }
  const std::vector<std::string> names = recipe_names();
  const bool known = std::find(names.begin(), names.end(), name_or_file) != names.end();
  if (!known && !is_missing(name_or_file)) {
    fail(ErrorKind::usage, "there is no recipe '{}'; if you mean the file, use --recipe ./{}",
         name_or_file, name_or_file);
  }
  return named_recipe(name_or_file);
}

}  // namespace limn
