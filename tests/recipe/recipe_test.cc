// Recipes to TOML and back, field by field; the recipes inside the library.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "recipe/fields.h"
#include "recipe/stages.h"
#include "support/errors.h"

namespace limn {
namespace {

// ---- every field as text, exactly ----

std::string exact(const std::string& value) { return value; }
std::string exact(bool value) { return value ? "true" : "false"; }
template <typename Number>
requires std::is_arithmetic_v<Number> std::string exact(Number value) {
  return fmt::format("{}", value);  // of doubles the shortest text that reads back the same
}
template <typename Enum>
requires std::is_enum_v<Enum> std::string exact(Enum value) {
  return fmt::format("value {}", static_cast<int>(value));
}
std::string exact(const std::vector<LayerWeight>& layers) {
  std::string text;
  for (const LayerWeight& layer : layers) text += fmt::format("{}={};", layer.layer, layer.weight);
  return text;
}
template <typename Number>
std::string exact(const std::vector<Number>& numbers) {
  std::string text = "list";
  for (const Number number : numbers) text += fmt::format(" {}", number);
  return text;
}

using Texts = std::vector<std::pair<std::string, std::string>>;  // key, value

Texts texts_of(const Recipe& recipe) {
  Texts texts;
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    texts.emplace_back(std::string(field.key), exact(value));
  });
  return texts;
}

Recipe read_back(const Recipe& recipe) { return parse_recipe(to_toml(recipe), "there and back"); }

// ---- other values for a field, all within its range ----

std::vector<std::string> others(const Field&, const std::string&) {
  return {"",
          "plain",
          "two words",
          "it's",
          "say \"so\"",
          "a\\b",
          "tab\t.",
          "a = 1",
          "[a]",
          "# none",
          "' and \"",
          "trailing\\",
          "\x01\x1f",
          "'''",
          "\x7f",
          "/tmp/a b.png",
          "\xc3\xa9\xe2\x82\xac"};
}
std::vector<bool> others(const Field&, bool value) { return {!value}; }
template <typename Number>
requires std::is_arithmetic_v<Number> std::vector<Number> others(const Field& field, Number) {
  std::vector<Number> values;
  for (const double value :
       {0.0, 1.0, 2.0, 3.0, 0.1, 1.0 / 3, 1e-8, 1e-12, 1e12, 6.02e23, 12345.678, 1e15,
        123456789012345680.0, 1e300, field.least, field.most}) {
    if (value < field.least || value > field.most) continue;
    if (static_cast<double>(static_cast<Number>(value)) == value) {
      values.push_back(static_cast<Number>(value));
    }
  }
  return values;
}
template <typename Enum>
requires std::is_enum_v<Enum> std::vector<Enum> others(const Field&, Enum) {
  std::vector<Enum> values;
  for (const auto& entry : kNames<Enum>) values.push_back(entry.value);
  return values;
}
// Lists of one, of none, and of all that a number may be.
template <typename Number>
std::vector<std::vector<Number>> others(const Field& field, const std::vector<Number>&) {
  const std::vector<Number> numbers = others(field, Number{});
  std::vector<std::vector<Number>> lists = {{}, numbers};
  for (const Number number : numbers) lists.push_back({number});
  return lists;
}
std::vector<std::vector<LayerWeight>> others(const Field&, const std::vector<LayerWeight>&) {
  return {{},
          {{"relu1_1", 0.1}},
          {{"conv1_1", 1e-9}, {"pool2", 0}, {"relu3_1", 1e9}},
          {{"a layer's \"name\"", 1}, {"tab\t", 2}, {"\xc3\xa9", 3}}};
}

TEST(RecipeToml, ReadsBackEveryValueOfEveryField) {
  const Texts defaults = texts_of(Recipe());
  for (size_t number = 0; number < defaults.size(); ++number) {
    SCOPED_TRACE(defaults[number].first);
    Recipe recipe;
    // Only this field, with all other values that it may have.
    size_t at = 0;
    visit_fields(recipe, [&](const Field& field, auto& value) {
      if (at++ != number) return;
      int different = 0;
      for (const auto& other : others(field, value)) {
        value = other;
        Texts expected = defaults;
        expected[number].second = exact(other);
        different += expected == defaults ? 0 : 1;
        ASSERT_EQ(texts_of(recipe), expected);
        ASSERT_EQ(texts_of(read_back(recipe)), expected) << to_toml(recipe);
      }
      EXPECT_GT(different, 0) << "this field was never changed";
    });
  }
}

TEST(RecipeToml, ReadsBackTextsOfSeveralLines) {
  for (const std::string text : {"two\nlines", "\n", "\nbegins", "ends\n", "r\r\nn", "\r",
                                 "it's\ntwo", "\"\"\"\n'''", "back\\\nslash"}) {
    SCOPED_TRACE(text);
    Recipe recipe;
    recipe.summary = recipe.picture.init = text;
    recipe.content.layers = {{text, 1.0}};
    const std::string toml = to_toml(recipe);
    try {
      EXPECT_EQ(texts_of(parse_recipe(toml, "there and back")), texts_of(recipe)) << toml;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

// Every member of the struct, by hand: a new one does not compile here until it is named, and does
// not pass until visit_fields knows it. Stages are no setting.
std::multiset<const void*> members_of(const Recipe& recipe) {
  const auto& [name, summary, network, content, style, neighbours, transport, structure, balance,
               variation, optimiser, pyramid, picture, output, stages] = recipe;
  const auto& [network_name, pooling, convention] = network;
  const auto& [content_weight, content_layers, content_form] = content;
  const auto& [style_weight, style_layers, gram, style_form, statistic, shifts, shifts_across,
               shifts_down, shift_unit, shift_weight, style_symmetry, blend, scale, style_every] =
      style;
  const auto& [neighbours_weight, neighbours_layers, matching, distance, every, uses, samples,
               turned, of_photo] = neighbours;
  const auto& [transport_weight, transport_layers, palette, transport_every] = transport;
  const auto& [structure_weight, structure_layers, structure_every] = structure;
  const auto& [balance_kind, strength] = balance;
  const auto& [variation_weight, variation_form] = variation;
  const auto& [kind, iterations, seconds, plateau, space, clip, learning_rate, history,
               half_history, restart_every, line_search, curvature, beta1, beta2, epsilon,
               epsilon_form, decay_rate, decay_steps] = optimiser;
  const auto& [smallest, largest, fall, bands, detail] = pyramid;
  const auto& [size, size_of, painting_size, colors, border, tileable, symmetry, init, noise,
               noise_share, seed, threads, pinning, half_features] = picture;
  const auto& [keep, look_every, save_every, save_name] = output;
  return {&name,
          &summary,
          &network_name,
          &pooling,
          &content_weight,
          &content_layers,
          &content_form,
          &style_weight,
          &style_layers,
          &gram,
          &style_form,
          &variation_weight,
          &variation_form,
          &kind,
          &iterations,
          &space,
          &clip,
          &learning_rate,
          &history,
          &half_history,
          &line_search,
          &beta1,
          &beta2,
          &epsilon,
          &epsilon_form,
          &decay_rate,
          &decay_steps,
          &size,
          &init,
          &seed,
          &threads,
          &pinning,
          &half_features,
          &convention,
          &restart_every,
          &size_of,
          &painting_size,
          &noise,
          &noise_share,
          &keep,
          &look_every,
          &save_every,
          &save_name,
          &statistic,
          &shifts,
          &shifts_across,
          &shifts_down,
          &shift_unit,
          &shift_weight,
          &style_symmetry,
          &blend,
          &scale,
          &style_every,
          &balance_kind,
          &strength,
          &seconds,
          &plateau,
          &smallest,
          &fall,
          &bands,
          &colors,
          &border,
          &tileable,
          &symmetry,
          &curvature,
          &neighbours_weight,
          &neighbours_layers,
          &matching,
          &distance,
          &every,
          &uses,
          &samples,
          &turned,
          &of_photo,
          &transport_weight,
          &transport_layers,
          &palette,
          &transport_every,
          &structure_weight,
          &structure_layers,
          &structure_every,
          &largest,
          &detail};
}

TEST(RecipeFields, AreEveryMemberOfTheStructOnce) {
  const Recipe recipe;
  std::multiset<const void*> visited;
  std::set<std::string_view> keys, flags;
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    visited.insert(&value);
    EXPECT_TRUE(keys.insert(field.key).second) << field.key;
    EXPECT_FALSE(field.help.empty()) << field.key;
    if (!field.flag.empty()) {
      EXPECT_TRUE(field.flag.starts_with("--")) << field.flag;
      EXPECT_TRUE(flags.insert(field.flag).second) << field.flag;
    }
    EXPECT_LE(field.least, field.most) << field.key;
  });
  EXPECT_EQ(visited, members_of(recipe));
}

TEST(RecipeFields, HaveDefaultsWithinTheirRanges) { EXPECT_NO_THROW(check_ranges(Recipe(), "x")); }

TEST(RecipeFields, NameEveryEnumeratedValueOnce) {
  Recipe recipe;
  visit_fields(recipe, [&]<typename T>(const Field& field, T& value) {
    if constexpr (std::is_enum_v<T>) {
      std::set<T> values;
      std::set<std::string_view> names;
      for (const auto& entry : kNames<std::remove_cvref_t<decltype(value)>>) {
        EXPECT_TRUE(values.insert(entry.value).second) << field.key;
        EXPECT_TRUE(names.insert(entry.name).second) << field.key;
        EXPECT_EQ(name_of(entry.value), entry.name);
      }
      // Values are counted from 0 without a gap, so the next number is no value.
      EXPECT_EQ(static_cast<size_t>(*values.rbegin()) + 1, values.size()) << field.key;
    }
  });
}

TEST(ParseRecipe, KeepsTheDefaultOfEveryAbsentKey) {
  const Recipe empty = parse_recipe("", Recipe().name);
  EXPECT_EQ(texts_of(empty), texts_of(Recipe()));
  const Recipe one = parse_recipe("[optimiser]\niterations = 7\n", "limn");
  EXPECT_EQ(one.optimiser.iterations, 7);
  EXPECT_EQ(one.optimiser.history, Recipe().optimiser.history);
  EXPECT_EQ(one.content.layers, Recipe().content.layers);
}

TEST(ParseRecipe, ReplacesALayerListWhole) {
  const Recipe recipe = parse_recipe("[style]\nlayers = { relu2_1 = 1, pool1 = 0.25 }\n", "x");
  EXPECT_EQ(recipe.style.layers, (std::vector<LayerWeight>{{"pool1", 0.25}, {"relu2_1", 1.0}}));
}

TEST(ParseRecipe, TakesWholeNumbersForWeights) {
  EXPECT_EQ(parse_recipe("content.weight = 3", "x").content.weight, 3.0);
}

// Layers in any order make the same recipe.
TEST(RecipeToml, ReadsBackLayersInOrderOfTheirNames) {
  Recipe recipe;
  recipe.style.layers = {{"relu3_1", 3}, {"conv1_1", 1}, {"relu2_1", 2}};
  EXPECT_EQ(read_back(recipe).style.layers,
            (std::vector<LayerWeight>{{"conv1_1", 1}, {"relu2_1", 2}, {"relu3_1", 3}}));
}

// ---- the recipes inside the library ----

std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(BuiltinRecipes, AreTheFilesOfTheRecipesFolder) {
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(LIMN_SOURCE_DIR "/recipes")) {
    if (entry.path().extension() != ".toml") continue;
    const std::string name = entry.path().stem();
    files.insert(name);
    EXPECT_EQ(recipe_text(name), file_text(entry.path())) << name;
  }
  const std::vector<std::string> names = recipe_names();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()), files);
  ASSERT_FALSE(names.empty());
  EXPECT_EQ(names.front(), "limn");
  EXPECT_TRUE(std::is_sorted(names.begin() + 1, names.end()));
}

TEST(BuiltinRecipes, AllParseUnderTheirOwnName) {
  for (const std::string& name : recipe_names()) {
    const Recipe recipe = named_recipe(name);
    EXPECT_EQ(recipe.name, name);
    EXPECT_FALSE(recipe.summary.empty()) << name;
    EXPECT_EQ(texts_of(read_back(recipe)), texts_of(recipe)) << name;
  }
}

// What the header promises of members that are not set: "one size, the weights as they stand".
void expect_neutral(const Recipe& recipe) {
  EXPECT_EQ(recipe.balance.kind, Balance::fixed);
  EXPECT_EQ(recipe.style.statistic, StyleStatistic::gram);
  EXPECT_TRUE(recipe.style.shifts.empty());
  EXPECT_TRUE(recipe.style.blend.empty());
  EXPECT_EQ(recipe.neighbours.weight, 0);
  EXPECT_EQ(recipe.transport.weight, 0);
  EXPECT_EQ(recipe.structure.weight, 0);
  EXPECT_EQ(recipe.style.scale, std::vector<double>{1.0});
  EXPECT_EQ(recipe.optimiser.seconds, 0);
  EXPECT_EQ(recipe.optimiser.plateau, 0);
  EXPECT_EQ(recipe.pyramid.smallest, 0);
  EXPECT_TRUE(recipe.pyramid.bands.empty());
  EXPECT_EQ(recipe.picture.colors, Colors::style);
  EXPECT_EQ(recipe.picture.border, 0);
}

TEST(Recipe, WithNothingSetIsNeutral) { expect_neutral(Recipe()); }

// What limn can do more than the published systems is no part of theirs.
TEST(BuiltinRecipes, OfPublishedSystemsByGramMatricesKeepToOneSizeAndTheirWeights) {
  for (const std::string& name : recipe_names()) {
    SCOPED_TRACE(name);
    constexpr std::array kOthers = {"limn",    "gram",          "nnst",
                                    "strotss", "texture",       "inpaint",
                                    "season",  "texture-gatys", "texture-long-range"};
    if (std::ranges::find(kOthers, name) == kOthers.end()) expect_neutral(named_recipe(name));
  }
  EXPECT_EQ(recipe_names().size(), 14u);
}

// Its text repeats limn's, of which these are the only differences.
TEST(BuiltinRecipes, GramIsLimnWithoutNeighbours) {
  const Recipe gram = named_recipe("gram");
  EXPECT_EQ(gram.neighbours.weight, 0);
  EXPECT_TRUE(gram.stages.empty());
  Recipe limn = named_recipe("limn");
  EXPECT_GT(limn.neighbours.weight, 0);
  EXPECT_EQ(stages_of(limn).back().neighbours.weight, 0);
  limn.name = gram.name;
  limn.summary = gram.summary;
  limn.neighbours = gram.neighbours;
  limn.stages.clear();
  limn.optimiser.iterations = gram.optimiser.iterations;
  EXPECT_EQ(to_toml(limn), to_toml(gram));
}

TEST(BuiltinRecipes, LimnMeasuresItsWeightsAndPaintsFromCoarseToFine) {
  const Recipe limn = named_recipe("limn");
  EXPECT_EQ(limn.balance.kind, Balance::measured);
  EXPECT_EQ(limn.balance.strength, 0.5);
  EXPECT_EQ(limn.pyramid.smallest, 256);
  EXPECT_LT(limn.pyramid.smallest, limn.picture.size);
  EXPECT_FALSE(limn.pyramid.bands.empty());
  EXPECT_EQ(limn.optimiser.line_search, LineSearch::strong_wolfe);
  EXPECT_EQ(limn.network.name, "builtin");
  EXPECT_EQ(limn.picture.colors, Colors::style);
  // Measured weights are shares: with all of them alike, no layer is pushed harder than another.
  for (const LayerWeight& layer : limn.style.layers) EXPECT_EQ(layer.weight, 1.0) << layer.layer;
  EXPECT_EQ(limn.style.layers.size(), 5u);
}

TEST(BuiltinRecipes, OfANearMissOfferTheName) {
  EXPECT_TRUE(says(error_of([] { named_recipe("lim"); }), ErrorKind::usage, "'lim'",
                   "did you mean 'limn'?"));
  EXPECT_TRUE(
      says(error_of([] { recipe_text("limnn"); }), ErrorKind::usage, "did you mean 'limn'?"));
  const Error far = error_of([] { named_recipe("something else"); });
  EXPECT_TRUE(says(far, ErrorKind::usage, "'something else'", "known recipes: limn"));
  EXPECT_EQ(std::string(far.what()).find("did you mean"), std::string::npos);
}

}  // namespace
}  // namespace limn
