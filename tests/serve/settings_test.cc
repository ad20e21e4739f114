#include "serve/settings.h"

#include "serve/served.h"

namespace limn {
namespace {

std::string pointer_of(const char* settings, const char* recipe = "limn", int status = 422) {
  std::string pointer;
  EXPECT_EQ(
      problem_of([&] { with_settings(named_recipe(recipe), Json::parse(settings), "/settings"); },
                 &pointer),
      status)
      << settings;
  return pointer;
}

TEST(Settings, GoThroughJsonUnchanged) {
  for (const std::string& name : recipe_names()) {
    const Recipe recipe = named_recipe(name);
    const Recipe back = with_settings(Recipe(), recipe_json(recipe), "");
    EXPECT_EQ(to_toml(back), to_toml(recipe));
  }
}

TEST(Settings, ChangeWhatTheyName) {
  const Recipe recipe =
      with_settings(named_recipe("gatys"),
                    Json::parse(R"({"style": {"weight": 2, "layers": {"relu1_1": 0.5, "relu2_1": 1},
                      "scale": [1, 2]}, "picture": {"size": 64, "tileable": true,
                      "colors": "content"}, "name": "mine"})"),
                    "/settings");
  EXPECT_EQ(recipe.style.weight, 2);
  ASSERT_EQ(recipe.style.layers.size(), 2U);
  EXPECT_EQ(recipe.style.layers[0].weight, 0.5);
  EXPECT_EQ(recipe.style.scale, (std::vector<double>{1, 2}));
  EXPECT_EQ(recipe.picture.size, 64);
  EXPECT_TRUE(recipe.picture.tileable);
  EXPECT_EQ(recipe.name, "mine");
  EXPECT_EQ(recipe.content.weight, named_recipe("gatys").content.weight);
}

TEST(Settings, NameWhatIsWrong) {
  EXPECT_EQ(pointer_of(R"([])"), "/settings");
  EXPECT_EQ(pointer_of(R"({"style": 3})"), "/settings/style");
  EXPECT_EQ(pointer_of(R"({"style": {"wieght": 3}})"), "/settings/style/wieght");
  EXPECT_EQ(pointer_of(R"({"style.weight": 3})"), "/settings/style.weight");
  EXPECT_EQ(pointer_of(R"({"style": {"weight": "3"}})"), "/settings/style/weight");
  EXPECT_EQ(pointer_of(R"({"style": {"weight": -3}})"), "/settings/style/weight");
  EXPECT_EQ(pointer_of(R"({"picture": {"size": 1.5}})"), "/settings/picture/size");
  EXPECT_EQ(pointer_of(R"({"picture": {"size": 99999999999999999999}})"), "/settings/picture/size");
  EXPECT_EQ(pointer_of(R"({"picture": {"colors": "green"}})"), "/settings/picture/colors");
  EXPECT_EQ(pointer_of(R"({"style": {"layers": {"a,b:1": 1}}})"), "/settings/style/layers/a,b:1");
  EXPECT_EQ(pointer_of(R"({"style": {"scale": [1, "x"]}})"), "/settings/style/scale/1");
  EXPECT_EQ(pointer_of(R"({"a/b~": 1})"), "/settings/a~1b~0");
  EXPECT_EQ(pointer_of(R"({"stages": [{"picture": {"size": 3}}]})"),
            "/settings/stages/0/picture/size");
  EXPECT_EQ(pointer_of(R"({"balance": {"strength": 0.5}})", "gatys"), "/settings/balance/strength");
}

TEST(Settings, NamesTheNearest) {
  try {
    with_settings(Recipe(), Json::parse(R"({"style": {"wieght": 3}})"), "/settings");
    ADD_FAILURE();
  } catch (const Problem& problem) {
    EXPECT_NE(std::string(problem.what()).find("did you mean 'style.weight'?"), std::string::npos);
  }
}

TEST(Json, IsStrict) {
  for (const std::string& text :
       std::vector<std::string>{"", "{", "{\"a\": 1, \"a\": 2}", "{\"a\": NaN}", "[1e999]",
                                "\"\xff\"", std::string(100000, '[')}) {
    EXPECT_EQ(problem_of([&] { parse_json(text, "settings"); }), 400) << text.substr(0, 20);
  }
}

}  // namespace
}  // namespace limn
