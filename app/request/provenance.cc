#include "request/provenance.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/byte_source.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "canvas/initial.h"
#include "image/read.h"
#include "image/write.h"
#include "models/model_cache.h"
#include "network/student.h"
#include "weights/read.h"

namespace limn {
namespace {

using Json = nlohmann::ordered_json;

// The names of the notes.
constexpr const char* kVersion = "Version";
constexpr const char* kInstructionSet = "InstructionSet";
constexpr const char* kRecipe = "Recipe";
constexpr const char* kSeed = "Seed";
constexpr const char* kInputs = "Inputs";
constexpr const char* kLevels = "Levels";
constexpr const char* kBits = "Bits";
constexpr const char* kQuality = "Quality";
constexpr const char* kDpi = "Dpi";

std::string bare(const std::string& name) {
  return name == kStandardInput ? "stdin" : std::filesystem::path(name).filename().string();
}

// The digest of a picture's file; a frame keeps its own name.
InputDigest picture_digest(const std::string& role, const std::string& name, FileDigests& known) {
  return {role, bare(name), is_stream(name) ? "" : known.of(picture_name(name).path, role)};
}

// The recipe without what makes no difference to the picture, and with names instead of paths.
Recipe essential(Recipe recipe, bool on_the_way) {
  const Recipe defaults;
  recipe.picture.threads = defaults.picture.threads;
  recipe.picture.pinning = defaults.picture.pinning;
  recipe.output.save_every = defaults.output.save_every;
  recipe.output.save_name = defaults.output.save_name;
  if (names_picture(recipe.picture.init)) recipe.picture.init = bare(recipe.picture.init);
  if (on_the_way) recipe.output.keep = Keep::last;
  return recipe;
}

template <typename Number>
Number number_in(const Notes& notes, const char* name, Number otherwise) {
  const auto note = notes.find(name);
  if (note == notes.end()) return otherwise;
  Number value = otherwise;
  std::from_chars(note->second.data(), note->second.data() + note->second.size(), value);
  return value;
}

std::string text_in(const Notes& notes, const char* name) {
  const auto note = notes.find(name);
  return note == notes.end() ? "" : note->second;
}

std::vector<LevelReached> parse_levels(const std::string& text, const std::string& picture) try {
  std::vector<LevelReached> levels;
  for (const Json& json : Json::parse(text)) {
    levels.push_back({json.value("stage", 0),
                      {json.at("height").get<int>(), json.at("width").get<int>()},
                      json.at("iterations").get<int>(),
                      {json.value("tile_height", 0), json.value("tile_width", 0)},
                      {.half_features = json.value("half_features", false),
                       .half_history = json.value("half_history", false),
                       .history = json.value("history", 0)}});
    const Size& tile = levels.back().tile;
    if (tile.height < 0 || tile.width < 0) {
      fail(ErrorKind::file, "'{}': its metadata is damaged: a tile of no size", picture);
    }
    constexpr int kMostHistory = 1000;
    const int history = levels.back().saving.history;
    if (history < 0 || history > kMostHistory) {
      fail(ErrorKind::file, "'{}': its metadata is damaged: a history of no length", picture);
    }
  }
  return levels;
} catch (const nlohmann::json::exception& error) {
  fail(ErrorKind::file, "'{}': its metadata is damaged: {}", picture, error.what());
}

}  // namespace

bool is_stream(const std::string& name) {
  const PictureName picture = picture_name(name);
  return picture.path == kStandardInput ||
         identity_of(picture.path).value_or(FileIdentity{}).stream;
}

std::vector<InputDigest> digests_of(const PaintRequest& request,
                                    std::span<const std::string> paintings) {
  FileDigests known;
  return digests_of(request, paintings, known);
}

std::vector<InputDigest> digests_of(const PaintRequest& request,
                                    std::span<const std::string> paintings, FileDigests& known) {
  std::vector<InputDigest> inputs;
  const auto add = [&](const char* role, const std::string& name) {
    inputs.push_back(picture_digest(role, name, known));
  };
  if (!request.names.is_texture()) add("photo", request.names.photo);
  for (const std::string& painting : paintings) add("painting", painting);
  for (const auto* masks : {&request.names.content_masks, &request.names.style_masks}) {
    for (const std::string& mask : *masks) {
      if (mask != kNoMask) add("mask", mask);
    }
  }
  if (request.names.keep_mask) add("mask", *request.names.keep_mask);
  if (request.names.hole) add("hole", *request.names.hole);
  const std::string& init = request.recipe.picture.init;
  if (names_picture(init)) add("initial picture", init);
  if (request.weights) {
    for (const std::string& file : files_of_weights(*request.weights)) {
      inputs.push_back({"weights", bare(file), known.of(file, "weights")});
    }
  } else {
    static const std::string kDigest = sha256_of_bytes(builtin_file());
    inputs.push_back({"weights", std::string(kBuiltinName), kDigest});
  }
  return inputs;
}

std::string to_text(const std::vector<InputDigest>& inputs) {
  Json json = Json::array();
  for (const auto& [role, name, sha256] : inputs) {
    json.push_back({{"role", role}, {"name", name}, {"sha256", sha256}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<InputDigest> parse_inputs(const std::string& text, const std::string& source) try {
  std::vector<InputDigest> inputs;
  for (const Json& json : Json::parse(text)) {
    inputs.push_back({json.at("role").get<std::string>(), json.at("name").get<std::string>(),
                      json.at("sha256").get<std::string>()});
  }
  return inputs;
} catch (const nlohmann::json::exception& error) {
  fail(ErrorKind::file, "'{}': its list of inputs is damaged: {}", source, error.what());
}

void check_same(const std::vector<InputDigest>& recorded, const std::vector<InputDigest>& given,
                const std::string& subject) {
  const auto count = [](const std::vector<InputDigest>& inputs, const std::string& role) {
    return std::ranges::count(inputs, role, &InputDigest::role);
  };
  for (const char* role : {"photo", "painting", "mask", "hole", "initial picture", "weights"}) {
    if (count(recorded, role) == count(given, role)) continue;
    fail(ErrorKind::file, "{} was made from {} {} file(s), but {} were given", subject,
         count(recorded, role), role, count(given, role));
  }
  for (size_t i = 0; i < recorded.size(); ++i) {
    const InputDigest& was = recorded[i];
    const InputDigest& is = given[i];
    // What came through a pipe cannot be compared.
    if (was.sha256.empty() || is.sha256.empty() || was.sha256 == is.sha256) continue;
    fail(ErrorKind::file,
         "the {} '{}' is not the file that {} was made from ('{}', SHA-256 {}...); its SHA-256 is "
         "{}...",
         is.role, is.name, subject, was.name, was.sha256.substr(0, 12), is.sha256.substr(0, 12));
  }
}

Notes provenance_notes(const PaintRequest& request, const std::vector<InputDigest>& inputs,
                       const std::vector<LevelReached>& levels, bool on_the_way) {
  Json reached = Json::array();
  for (const auto& [stage, size, iterations, tile, saving] : levels) {
    reached.push_back({{"stage", stage},
                       {"width", size.width},
                       {"height", size.height},
                       {"iterations", iterations}});
    if (saving.half_features) reached.back()["half_features"] = true;
    if (saving.half_history) reached.back()["half_history"] = true;
    if (saving.history > 0) reached.back()["history"] = saving.history;
    if (tile == Size()) continue;
    reached.back()["tile_width"] = tile.width;
    reached.back()["tile_height"] = tile.height;
  }
  const Recipe recipe = essential(request.recipe, on_the_way);
  Notes notes = {{kVersion, std::string(version())},
                 {kInstructionSet, std::string(instruction_set())},
                 {kRecipe, to_toml(recipe)},
                 {kSeed, fmt::format("{}", recipe.picture.seed)},
                 {kInputs, to_text(inputs)},
                 {kLevels, reached.dump()},
                 {kBits, fmt::format("{}", request.write.bits)},
                 {kQuality, fmt::format("{}", request.write.quality)}};
  if (request.write.dpi > 0) notes[kDpi] = fmt::format("{}", request.write.dpi);
  return notes;
}

std::optional<Origin> origin_of(const Notes& notes, const std::string& picture) {
  if (!notes.contains(kRecipe)) return std::nullopt;
  Origin provenance;
  provenance.version = text_in(notes, kVersion);
  provenance.instruction_set = text_in(notes, kInstructionSet);
  provenance.recipe = parse_recipe(notes.at(kRecipe), picture);
  if (notes.contains(kInputs)) provenance.inputs = parse_inputs(notes.at(kInputs), picture);
  if (notes.contains(kLevels)) provenance.levels = parse_levels(notes.at(kLevels), picture);
  provenance.bits = number_in(notes, kBits, 8);
  provenance.quality = number_in(notes, kQuality, 95);
  const double dpi = number_in(notes, kDpi, 0.0);
  if (dpi >= kLeastDpi && dpi <= kMostDpi) provenance.dpi = dpi;
  return provenance;
}

Origin read_origin(const std::string& picture) {
  std::optional<Origin> origin = origin_of(read_notes(picture), picture);
  if (!origin) {
    fail(ErrorKind::file,
         "'{}' carries no recipe: it was not painted by limn, or another program removed its "
         "metadata",
         picture);
  }
  return std::move(*origin);
}

bool is_up_to_date(const Origin& origin, const PaintRequest& request,
                   std::span<const InputDigest> inputs) {
  const auto same_bytes = [](const InputDigest& was, const InputDigest& is) {
    return was.role == is.role && was.sha256 == is.sha256;
  };
  const WriteOptions& write = request.write;
  return origin.version == version() &&
         to_toml(origin.recipe) == to_toml(essential(request.recipe, /*on_the_way=*/false)) &&
         std::ranges::equal(origin.inputs, inputs, same_bytes) && origin.bits == write.bits &&
         origin.quality == write.quality && origin.dpi == write.dpi;
}

std::vector<LevelReached> levels_reached(const Run& run) {
  return levels_reached(run.plan(), run.iterations());
}

std::vector<LevelReached> levels_reached(const Plan& plan, std::span<const int> iterations) {
  std::vector<LevelReached> levels;
  levels.reserve(iterations.size());
  for (size_t i = 0; i < iterations.size(); ++i) {
    const Level& level = plan.levels[i];
    levels.push_back({level.stage, level.sizes.picture, iterations[i], level.tile, level.saving});
  }
  return levels;
}

void stop_at(Plan& plan, const std::vector<LevelReached>& levels, const std::string& picture) {
  const bool same_sizes =
      std::ranges::equal(plan.levels, levels, [](const Level& level, const LevelReached& reached) {
        return level.stage == reached.stage && level.sizes.picture == reached.size;
      });
  if (!same_sizes) {
    fail(ErrorKind::file, "'{}' was painted at sizes other than those that these pictures give",
         picture);
  }
  for (size_t i = 0; i < levels.size(); ++i) {
    plan.levels[i].iterations = levels[i].iterations;
    plan.levels[i].tile = levels[i].tile;
    plan.levels[i].saving = levels[i].saving;
  }
  plan.recipe.optimiser.seconds = 0;
  for (Recipe& stage : plan.stages) stage.optimiser.plateau = 0;
}

}  // namespace limn
