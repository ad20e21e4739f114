#include "batch/list.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace limn {
namespace {

std::vector<BatchTask> csv(const std::string& text, const std::string& folder = "") {
  return parse_list(text, false, "list", folder);
}
std::vector<BatchTask> toml(const std::string& text, const std::string& folder = "") {
  return parse_list(text, true, "list", folder);
}

using Settings = std::map<std::string, std::string>;

TEST(BatchList, ReadsATable) {
  const std::vector<BatchTask> tasks =
      csv("photo,painting,painting,recipe,strength,content.weight,name\n"
          "a.jpg,oil.jpg,,,0.7,,\n"
          "b.jpg,oil.jpg,ink.jpg,gatys,,2,b in both\n");
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].photo, "a.jpg");
  EXPECT_EQ(tasks[0].paintings, std::vector<std::string>{"oil.jpg"});
  EXPECT_EQ(tasks[0].recipe, std::nullopt);
  EXPECT_EQ(tasks[0].settings, (Settings{{"balance.strength", "0.7"}}));
  EXPECT_EQ(tasks[0].name, "");
  EXPECT_EQ(tasks[0].origin, "list, line 2");
  EXPECT_EQ(tasks[1].paintings, (std::vector<std::string>{"oil.jpg", "ink.jpg"}));
  EXPECT_EQ(tasks[1].recipe, "gatys");
  EXPECT_EQ(tasks[1].settings, (Settings{{"content.weight", "2"}}));
  EXPECT_EQ(tasks[1].name, "b in both");
}

TEST(BatchList, ReadsToml) {
  const std::vector<BatchTask> tasks = toml(R"(
[[picture]]
photo = "a.jpg"
painting = "oil.jpg"

[[picture]]
photo = "b.jpg"
painting = ["oil.jpg", "ink.jpg"]
name = "b"
style = { blend = [0.3, 0.7], layers = { relu1_1 = 1.0, relu2_1 = 0.5 } }
picture.colors = "content"
)");
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_TRUE(tasks[0].settings.empty());
  EXPECT_EQ(tasks[0].origin, "list, line 2");
  EXPECT_EQ(tasks[1].name, "b");
  EXPECT_EQ(tasks[1].settings, (Settings{{"style.blend", "0.3,0.7"},
                                         {"style.layers", "relu1_1:1,relu2_1:0.5"},
                                         {"picture.colors", "content"}}));
}

TEST(BatchList, NamesAreRelativeToTheListsFolder) {
  const std::vector<BatchTask> tasks =
      csv("photo,painting,recipe,init\na.jpg,/oil.jpg,my.toml,b.png\n"
          "../a.jpg,oil.jpg,limn,noise\n",
          "prints");
  EXPECT_EQ(tasks[0].photo, "prints/a.jpg");
  EXPECT_EQ(tasks[0].paintings.front(), "/oil.jpg");
  EXPECT_EQ(tasks[0].recipe, "prints/my.toml");
  EXPECT_EQ(tasks[0].settings.at("picture.init"), "prints/b.png");
  EXPECT_EQ(tasks[1].photo, "prints/../a.jpg");
  EXPECT_EQ(tasks[1].recipe, "limn");
  EXPECT_EQ(tasks[1].settings.at("picture.init"), "noise");
}

TEST(BatchList, RefusesWhatIsNoList) {
  const auto refuses = [](const auto& parse, const std::string& text, const std::string& why) {
    EXPECT_TRUE(says(error_of([&] { parse(text, ""); }), ErrorKind::usage, why)) << text;
  };
  refuses(csv, "", "list: is empty");
  refuses(csv, "photo,painting", "list: lists no pictures");
  refuses(csv, "photo,paintin", "unknown key 'paintin'; did you mean 'painting'?");
  refuses(csv, "photo,painting\n,b", "list, line 2: names no photo");
  refuses(csv, "photo,painting,name\na,b,.x", "'.x' is not a name for a picture");
  refuses(csv, "photo,painting,name\na,b,x/y", "'x/y' is not a name for a picture");
  refuses(csv, "photo,painting,name\na,b,\"x\ny\"", "is not a name for a picture");
  refuses(toml, "", "list: has no section [[picture]]");
  refuses(toml, "[picture]\nphoto = 'a'", "a list consists of sections, [[picture]]");
  refuses(toml, "[[picture]]\nphoto = 3", "list, line 2, photo: should be a string");
  refuses(toml, "[[picture]]\nphoto = ['a', 'b']\npainting = 'c'", "has 2 of 'photo'");
  refuses(toml, "[[picture]]\nphoto = 'a'\npainting = 'b'\nstyle.wieght = 1",
          "style.wieght: unknown key");
}

// The TOML library's recursion would end on a key of so many parts.
TEST(BatchList, RefusesTowersOfKeys) {
  std::string text = "[[picture]]\n";
  for (int i = 0; i < 100'000; ++i) text += "a.";
  EXPECT_TRUE(says(error_of([&] { toml(text + "a=1"); }), ErrorKind::usage,
                   "line 2: has more than 500 dots"));
}

}  // namespace
}  // namespace limn
