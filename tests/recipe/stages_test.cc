// Recipes with stages: their text, and the recipe of each.
#include "recipe/stages.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "recipe/fields.h"
#include "support/errors.h"

namespace limn {
namespace {

Recipe recipe_of(std::vector<Stage> stages, int iterations = 100) {
  Recipe recipe;
  recipe.name = "mine";
  recipe.optimiser.iterations = iterations;
  recipe.stages = std::move(stages);
  return recipe;
}

TEST(Stages, AreTheRecipeItselfIfItHasNone) {
  const std::vector<Recipe> stages = stages_of(Recipe());
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_EQ(to_toml(stages[0]), to_toml(Recipe()));
}

TEST(Stages, AreTheRecipeWithTheirChanges) {
  Recipe recipe = recipe_of({{"a", 1, {}}, {"b", 1, {{"content.weight", "3"}}}});
  recipe.style.weight = 7;
  const std::vector<Recipe> stages = stages_of(recipe);
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].content.weight, Recipe().content.weight);
  EXPECT_EQ(stages[1].content.weight, 3);
  for (const Recipe& stage : stages) {
    EXPECT_EQ(stage.style.weight, 7);
    EXPECT_TRUE(stage.stages.empty());
  }
}

// However they are divided, all iterations are done.
TEST(Stages, ShareTheIterations) {
  const auto iterations = [](std::vector<double> shares, int all) {
    std::vector<Stage> stages;
    for (const double share : shares) stages.push_back({"", share, {}});
    std::vector<int> found;
    for (const Recipe& stage : stages_of(recipe_of(stages, all))) {
      found.push_back(stage.optimiser.iterations);
    }
    return found;
  };
  EXPECT_EQ(iterations({0.9, 0.1}, 120), (std::vector<int>{108, 12}));
  EXPECT_EQ(iterations({1, 1, 1}, 10), (std::vector<int>{3, 4, 3}));
  EXPECT_EQ(iterations({0, 2}, 5), (std::vector<int>{0, 5}));
  EXPECT_EQ(iterations({1, 1}, 0), (std::vector<int>{0, 0}));
  EXPECT_EQ(iterations({0.9, 0.1}, 1), (std::vector<int>{1, 0}));
}

// Of every kind of value; the text is the same again, and so are the stages.
TEST(Stages, AreReadAsTheyAreWritten) {
  const Recipe recipe = recipe_of({{"rough",
                                    3,
                                    {{"style.layers", "relu1_1:0.5,relu2_1:1"},
                                     {"style.shifts", "1,2,4"},
                                     {"pyramid.bands", "0.5,0.25"},
                                     {"pyramid.smallest", "64"},
                                     {"optimiser.kind", "adam"},
                                     {"optimiser.clip", "true"},
                                     {"neighbours.weight", "0.001"}}},
                                   {"fine \"2\"", 0.5, {}}});
  const std::string toml = to_toml(recipe);
  const Recipe again = parse_recipe(toml, "mine.toml");
  EXPECT_EQ(again.stages, recipe.stages);
  EXPECT_EQ(to_toml(again), toml);
  const Recipe rough = stages_of(again)[0];
  EXPECT_EQ(rough.style.layers, (std::vector<LayerWeight>{{"relu1_1", 0.5}, {"relu2_1", 1}}));
  EXPECT_EQ(rough.optimiser.kind, OptimiserKind::adam);
  EXPECT_EQ(rough.pyramid.bands, (std::vector<double>{0.5, 0.25}));
}

TEST(Stages, MayBeWrittenAsTables) {
  const Recipe recipe = parse_recipe(
      "[[stages]]\nshare = 2\n[stages.content]\nweight = 4\n[[stages]]\nname = 'end'\n", "my.toml");
  ASSERT_EQ(recipe.stages.size(), 2u);
  EXPECT_EQ(recipe.stages[0].name, "1");
  EXPECT_EQ(recipe.stages[0].share, 2);
  EXPECT_EQ(stages_of(recipe)[0].content.weight, 4);
  EXPECT_EQ(recipe.stages[1].name, "end");
}

// What is set afterwards holds for the stages that do not change it themselves.
TEST(Stages, FollowTheRecipe) {
  Recipe recipe = recipe_of({{"a", 1, {}}, {"b", 1, {{"content.weight", "3"}}}});
  set_field(recipe, "content.weight", "5", "--content-weight");
  const std::vector<Recipe> stages = stages_of(recipe);
  EXPECT_EQ(stages[0].content.weight, 5);
  EXPECT_EQ(stages[1].content.weight, 3);
}

TEST(Stages, DifferInNothingThatThePicturesDependOn) {
  const Recipe recipe;
  visit_fields(recipe, [](const Field& field, const auto&) {
    const std::string_view key = field.key;
    const bool of_pictures = key.find('.') == key.npos || key.starts_with("picture.") ||
                             key.starts_with("network.") || key.starts_with("output.") ||
                             key == "style.scale" || key == "style.blend" ||
                             key == "optimiser.iterations" || key == "optimiser.seconds";
    EXPECT_EQ(may_differ(key), !of_pictures) << key;
  });
}

TEST(Stages, ThatAreWrittenWronglyAreRefused) {
  const auto refused = [](const std::string& text, const auto&... parts) {
    return says(error_of([&] { parse_recipe(text, "my.toml"); }), ErrorKind::usage, parts...);
  };
  EXPECT_TRUE(refused("stages = 3\n", "my.toml, line 1, stages", "[[stages]]"));
  EXPECT_TRUE(refused("[stages]\nname = 'a'\n", "[[stages]]"));
  EXPECT_TRUE(refused("stages = [1, 2]\n", "[[stages]]"));
  EXPECT_TRUE(refused("[[stages]]\nname = 3\n", "line 2", "should be a string"));
  EXPECT_TRUE(refused("[[stages]]\nshare = -1\n", "share is -1"));
  EXPECT_TRUE(refused("[[stages]]\nshare = nan\n", "share is nan"));
  EXPECT_TRUE(refused("[[stages]]\nshare = 0\n", "the shares of all stages are 0"));
  EXPECT_TRUE(refused("[[stages]]\nwieght = 1\n", "line 2", "wieght", "unknown key"));
  EXPECT_TRUE(refused("[[stages]]\ncontent.wieght = 1\n", "did you mean 'content.weight'?"));
  EXPECT_TRUE(refused("[[stages]]\npicture.size = 9\n", "line 2, picture.size", "same for all"));
  EXPECT_TRUE(refused("[[stages]]\nsummary = 'x'\n", "summary", "same for all"));
  EXPECT_TRUE(refused("[[stages]]\ncontent.weight = -1\n", "line 2, content.weight"));
  std::string many;
  for (size_t i = 0; i <= kMostStages; ++i) many += "[[stages]]\n";
  EXPECT_TRUE(refused(many, "101", "at most 100"));
}

TEST(Stages, ThatAreMadeWronglyAreRefused) {
  const auto refused = [](const Stage& stage, const auto&... parts) {
    return says(error_of([&] { check_ranges(recipe_of({stage}), "mine"); }), ErrorKind::usage,
                "recipe 'mine'", "stage 'a'", parts...);
  };
  EXPECT_TRUE(refused({"a", 1, {{"xyz", "1"}}}, "unknown key"));
  EXPECT_TRUE(refused({"a", 1, {{"picture.size", "64"}}}, "same for all"));
  EXPECT_TRUE(refused({"a", 1, {{"content.weight", "much"}}}, "not a number"));
  EXPECT_TRUE(refused({"a", 1, {{"content.weight", "-1"}}}, "at least 0"));
  EXPECT_TRUE(refused({"a", -1, {}}, "share"));
}

}  // namespace
}  // namespace limn
