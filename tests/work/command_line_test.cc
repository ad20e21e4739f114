// What a client wrote becomes no path.
#include "work/command_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

bool has(const std::vector<std::string>& arguments, const std::string& argument) {
  return std::ranges::find(arguments, argument) != arguments.end();
}

void expect_in(const std::string& part, const std::string& whole) {
  EXPECT_NE(whole.npos, whole.find(part)) << whole;
}

class CommandLine : public ::testing::Test {
 protected:
  CommandLine() {
    std::string name = "/tmp/limn-command-line-XXXXXX";
    folder_ = mkdtemp(name.data());
    files_.emplace(folder_);
    job_.id = "0123456789abcdef0123456789abcdef";
    job_.request.recipe = to_toml(named_recipe("limn"));
  }
  ~CommandLine() override { fs::remove_all(folder_); }

  std::string upload(const std::string& text) {
    Files::Incoming incoming = files_->receive();
    incoming.write(std::as_bytes(std::span(text)));
    return incoming.keep();
  }
  void add(const std::string& role, const std::string& name) {
    job_.request.inputs.push_back({role, name, upload(role + name)});
  }
  fs::path job_folder() const { return fs::path(folder_) / "jobs" / job_.id; }

  // The error's message; "" if there was none.
  template <typename Call>
  static std::string refusal(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(ErrorKind::usage, error.kind());
      return error.what();
    }
    return "";
  }

  std::string folder_;
  std::optional<Files> files_;
  Job job_;
  PaintingTerms terms_ = {.threads = 3, .checkpoint = 7};
};

TEST(HarmlessName, KeepsWhatIsHarmless) {
  for (const char* name : {"photo.jpg", "my photo 2.jpg", "Küste.png", "絵.webp", "-x.png"}) {
    EXPECT_EQ(name, harmless_name(name));
  }
}

TEST(HarmlessName, HasNoFoldersNoOddCharactersAndAnEnd) {
  EXPECT_EQ("passwd", harmless_name("../../etc/passwd"));
  EXPECT_EQ("photo.jpg", harmless_name("C:\\pictures\\photo.jpg"));
  EXPECT_EQ("picture", harmless_name(""));
  EXPECT_EQ("picture", harmless_name(".."));
  EXPECT_EQ("picture", harmless_name("a/"));
  EXPECT_EQ("picture", harmless_name("none"));
  EXPECT_EQ("hidden.png", harmless_name("..hidden.png"));
  EXPECT_EQ("a_b_c.png", harmless_name("a\nb\x7F"
                                       "c.png"));
  EXPECT_EQ("anim.gif_3_", harmless_name("anim.gif[3]"));
  EXPECT_EQ("____.png", harmless_name("\xff\xc3\xed\xa0.png").replace(0, 4, "____"));
  EXPECT_GE(100u, harmless_name(std::string(5000, 'x')).size());
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "ü";
  EXPECT_EQ(0u, harmless_name(umlauts).size() % 2);  // none is cut in two
}

TEST_F(CommandLine, GivesAPainterItsShareOfTheMemory) {
  add("photo", "photo.jpg");
  add("painting", "oil.jpg");
  EXPECT_FALSE(has(arguments_to_plan(job_, terms_), "--memory=3000000000"));
  terms_.memory = 3e9;
  EXPECT_TRUE(has(arguments_to_plan(job_, terms_), "--memory=3000000000"));
  EXPECT_TRUE(has(arguments_to_paint(job_, terms_), "--memory=3000000000"));
  EXPECT_FALSE(has(arguments_to_resume(terms_), "--memory=3000000000"));  // as it was begun
}

TEST_F(CommandLine, NamesTheLinksOfItsFolder) {
  add("photo", "../photo.jpg");
  add("painting", "oil.jpg");
  add("painting", "/x/oil.jpg");
  add("mask-content", "sky.png");
  prepare_folder(*files_, job_, terms_);
  const std::vector<std::string> arguments = arguments_to_paint(job_, terms_);
  const std::vector<std::string> begin(arguments.begin(), arguments.begin() + 6);
  const std::vector<std::string> expected = {"paint",          "inputs/photo.jpg",
                                             "inputs/oil.jpg", "inputs/oil-2.jpg",
                                             "--mask-content", "inputs/sky.png"};
  EXPECT_EQ(expected, begin);
  EXPECT_TRUE(has(arguments, "--checkpoint"));
  EXPECT_TRUE(has(arguments, "--bits=16"));
  for (const auto& [name, text] : {std::pair("photo.jpg", "photo../photo.jpg"),
                                   std::pair("oil-2.jpg", "painting/x/oil.jpg")}) {
    std::ifstream file(job_folder() / "inputs" / name);
    EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(file), {}));
  }
}

TEST_F(CommandLine, IsTheSameTheNextTime) {
  add("photo", "a.jpg");
  add("painting", "b.jpg");
  prepare_folder(*files_, job_, terms_);
  std::ofstream(job_folder() / ".limn-half") << "half";
  fs::create_directory(job_folder() / "inputs" / "old");
  prepare_folder(*files_, job_, terms_);
  EXPECT_FALSE(fs::exists(job_folder() / ".limn-half"));
  EXPECT_FALSE(fs::exists(job_folder() / "inputs" / "old"));
  EXPECT_TRUE(fs::exists(job_folder() / "inputs" / "b.jpg"));
}

TEST_F(CommandLine, KnowsEveryKind) {
  add("exemplar", "bricks.jpg");
  job_.request.kind = JobKind::texture;
  job_.request.flags = {{"size", "64x32"}, {"bits", "8"}};
  EXPECT_TRUE(has(arguments_to_paint(job_, terms_), "--size=64x32"));
  EXPECT_TRUE(has(arguments_to_paint(job_, terms_), "--bits=8"));
  job_.request.inputs.clear();
  add("picture", "wall.jpg");
  add("hole", "hole.png");
  add("from", "sand.jpg");
  job_.request.flags.clear();
  job_.request.kind = JobKind::inpaint;
  EXPECT_TRUE(has(arguments_to_paint(job_, terms_), "--from"));
  job_.request.inputs.clear();
  add("photo", "a.jpg");
  add("painting", "b.jpg");
  job_.request.kind = JobKind::sweep;
  job_.request.flags = {{"vary", "strength=0.2,0.4"}};
  EXPECT_TRUE(has(arguments_to_paint(job_, terms_), "--vary=strength=0.2,0.4"));
  EXPECT_FALSE(has(arguments_to_paint(job_, terms_), "--checkpoint"));
}

TEST_F(CommandLine, LeavesOutMasks) {
  add("photo", "a.jpg");
  add("painting", "b.jpg");
  job_.request.inputs.push_back({"mask-style", "none", ""});
  EXPECT_TRUE(has(arguments_to_paint(job_, terms_), "none"));
  job_.request.inputs.push_back({"painting", "none", ""});
  expect_in("'painting'", refusal([&] { arguments_to_paint(job_, terms_); }));
}

TEST_F(CommandLine, RefusesWhatAKindDoesNotHave) {
  add("photo", "a.jpg");
  add("painting", "b.jpg");
  job_.request.flags = {{"weights", "/etc/passwd"}};
  expect_in("'--weights'", refusal([&] { arguments_to_paint(job_, terms_); }));
  job_.request.flags = {{"vary", "init=/etc/passwd,noise"}};
  expect_in("'--vary'", refusal([&] { arguments_to_paint(job_, terms_); }));
  job_.request.kind = JobKind::sweep;
  for (const char* vary : {"init=/etc/passwd,noise", "picture.init=/etc/passwd,noise"}) {
    job_.request.flags = {{"vary", vary}};
    expect_in("cannot vary", refusal([&] { arguments_to_paint(job_, terms_); }));
  }
  job_.request.flags.clear();
  job_.request.inputs.push_back({"hole", "x", upload("x")});
  expect_in("'hole'", refusal([&] { arguments_to_paint(job_, terms_); }));
}

TEST_F(CommandLine, RefusesFilesThatAreNoUploads) {
  add("photo", "a.jpg");
  job_.request.inputs.push_back({"painting", "b.jpg", "../../etc/passwd"});
  EXPECT_NE("", refusal([&] { prepare_folder(*files_, job_, terms_); }));
  job_.request.inputs.back().file = std::string(64, 'a');
  expect_in("the painting 'b.jpg' is no longer here",
            refusal([&] { prepare_folder(*files_, job_, terms_); }));
}

TEST_F(CommandLine, DecidesHowARecipeIsCarriedOut) {
  Recipe recipe = named_recipe("limn");
  recipe.picture.threads = 64;
  recipe.output.save_every = 1;
  job_.request.recipe = to_toml(recipe);
  prepare_folder(*files_, job_, terms_);
  std::ifstream file(job_folder() / "recipe.toml");
  const Recipe kept = parse_recipe(std::string(std::istreambuf_iterator<char>(file), {}), "kept");
  EXPECT_EQ(3, kept.picture.threads);
  EXPECT_EQ(0, kept.output.save_every);
  recipe.picture.init = "/etc/passwd";
  job_.request.recipe = to_toml(recipe);
  expect_in("passwd", refusal([&] { prepare_folder(*files_, job_, terms_); }));
}

}  // namespace
}  // namespace limn
