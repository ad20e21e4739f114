// Recipes as a page shows them: what differs, and what is wrong.
#include "serve/recipe_reply.h"

#include "serve/served.h"

namespace limn {
namespace {

// The recipe again, from what differs.
void expect_round_trip(Recipe recipe, const Recipe& from) {
  const Json changed = differences(recipe, from);
  Recipe again = with_settings(from, changed, "");
  again.name = recipe.name;
  again.summary = recipe.summary;
  EXPECT_EQ(to_toml(again), to_toml(recipe)) << changed.dump();
}

TEST(Differences, AreNoneOfTheSame) {
  for (const std::string& name : recipe_names()) {
    EXPECT_EQ(differences(named_recipe(name), named_recipe(name)).dump(), "{}") << name;
  }
}

TEST(Differences, MakeTheRecipeAgain) {
  const Recipe from = named_recipe("limn");
  Recipe recipe = from;
  recipe.balance.strength = 0.75;
  recipe.style.layers = {{"relu3_1", 2.0}};
  recipe.style.scale = {0.5, 2.0};
  recipe.picture.colors = Colors::content;
  expect_round_trip(recipe, from);
  recipe.stages.clear();
  expect_round_trip(recipe, from);
  for (const char* name : {"gatys", "texture", "keras"}) {
    expect_round_trip(named_recipe(name), named_recipe("pytorch"));
  }
}

class CheckedRecipe : public ::testing::Test {
 protected:
  Reply check(const Json& json) { return served_.post("/api/v1/recipes", json.dump()); }
  Served served_;
};

TEST_F(CheckedRecipe, SaysWhatDiffers) {
  const Reply reply =
      check({{"recipe", "texture"}, {"settings", {{"picture", {{"tileable", true}}}}}});
  ASSERT_EQ(reply.status, 200) << reply.body;
  const Json json = Json::parse(reply.body);
  EXPECT_EQ(json["name"], "texture");
  EXPECT_EQ(json["settings"].dump(), R"({"picture":{"tileable":true}})");
  const Reply again = check({{"toml", json["toml"]}});
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.body, reply.body);
}

TEST_F(CheckedRecipe, NamesLineAndKey) {
  const Reply reply = check({{"toml", "name = \"mine\"\n[style]\nwieght = 2\n"}});
  EXPECT_EQ(reply.status, 422);
  for (const char* part : {"line 3", "style.wieght", "style.weight", "\"pointer\":\"/toml\""}) {
    EXPECT_NE(reply.body.find(part), std::string::npos) << part << " is not in " << reply.body;
  }
}

TEST_F(CheckedRecipe, RefusesWhatAJobWould) {
  EXPECT_EQ(check({{"toml", "[picture]\ninit = \"/etc/passwd\"\n"}}).status, 422);
  EXPECT_EQ(check({{"recipe", "nothing"}}).status, 422);
  EXPECT_EQ(check({{"recipe", "limn"}, {"toml", ""}}).status, 422);
  EXPECT_EQ(check({{"toml", 1}}).status, 422);
  EXPECT_EQ(check(Json::array()).status, 422);
}

}  // namespace
}  // namespace limn
