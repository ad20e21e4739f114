// What a recipe may not be, and what is said about it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limn/limn.h>
#include <unistd.h>

#include <cmath>
#include <limits>

#include "recipe/fields.h"
#include "support/errors.h"

namespace limn {
namespace {

// Whether the text is refused with all these parts in the message.
template <typename... Parts>
testing::AssertionResult refused(const std::string& text, const Parts&... parts) {
  return says(error_of([&] { parse_recipe(text, "my.toml"); }), ErrorKind::usage, "my.toml",
              parts...);
}

TEST(RecipeErrors, NameAnUnknownKeyItsLineAndTheNearestKey) {
  EXPECT_TRUE(refused("[content]\nwieght = 1\n", "line 2", "content.wieght", "unknown key",
                      "did you mean 'content.weight'?"));
  EXPECT_TRUE(refused("name = 'x'\n\noptimiser.iteration = 5\n", "line 3", "optimiser.iteration",
                      "did you mean 'optimiser.iterations'?"));
  EXPECT_TRUE(refused("sumary = 'x'\n", "line 1", "did you mean 'summary'?"));
  const Error far = error_of([] { parse_recipe("[picture]\nxyzzy_plugh = 1\n", "my.toml"); });
  EXPECT_TRUE(says(far, ErrorKind::usage, "line 2", "picture.xyzzy_plugh"));
  EXPECT_EQ(std::string(far.what()).find("did you mean"), std::string::npos);
}

TEST(RecipeErrors, NameAMisspeltSectionAndTheNearestOne) {
  EXPECT_TRUE(refused("[contnt]\nweight = 1\n", "line 1", "contnt", "unknown key"));
  EXPECT_TRUE(refused("[contnt]\nweight = 1\n", "did you mean 'content'?"));
}

// "content.weight" in quotes is one key with a dot in its name, not a key of a section.
TEST(RecipeErrors, DoNotMissAQuotedKeyThatLooksLikeAKnownOne) {
  EXPECT_TRUE(refused("\"content.weight\" = 5\n", "unknown key"));
}

TEST(RecipeErrors, NameTheLineOfBadToml) {
  EXPECT_TRUE(refused("name = 'x'\n[content\n", "line 2"));
  EXPECT_TRUE(refused("\n\n\nweight = = 1\n", "line 4"));
  EXPECT_TRUE(refused("name = 'a'\nname = 'b'\n", "line 2"));
  EXPECT_TRUE(refused("name = 'not ended\n", "line 1"));
  EXPECT_TRUE(refused("name = '\xff\xfe'\n", "line 1"));
  EXPECT_TRUE(refused(std::string("name = 'a\0b'\n", 13), "line 1"));
  EXPECT_TRUE(refused("picture.seed = 99999999999999999999\n", "line 1"));
}

// One wrong value for each kind of field.
TEST(RecipeErrors, SayWhatAValueOfTheWrongTypeShouldBe) {
  EXPECT_TRUE(refused("name = 3\n", "line 1, name", "should be a string"));
  EXPECT_TRUE(
      refused("[content]\nweight = 'much'\n", "line 2, content.weight", "should be a number"));
  EXPECT_TRUE(refused("content.weight = true\n", "should be a number"));
  EXPECT_TRUE(refused("content.weight = 2020-01-01\n", "should be a number"));
  EXPECT_TRUE(
      refused("[picture]\nsize = 1.5\n", "line 2, picture.size", "should be a whole number"));
  EXPECT_TRUE(refused("picture.size = '512'\n", "should be a whole number"));
  EXPECT_TRUE(refused("optimiser.clip = 1\n", "optimiser.clip", "should be true or false"));
  EXPECT_TRUE(refused("content.form = 3\n", "content.form",
                      "should be 'sum', 'half-sum', 'mean' or 'root'"));
  EXPECT_TRUE(
      refused("content.form = 'meen'\n", "'meen' is not one of 'sum', 'half-sum', 'mean', 'root'"));
  EXPECT_TRUE(refused("network.pooling = 'Max'\n", "'Max' is not one of 'max', 'average'"));
  EXPECT_TRUE(refused("content.layers = ['relu1_1']\n", "content.layers", "table of layers"));
  EXPECT_TRUE(refused("content.layers = { relu1_1 = 'x' }\n", "line 1, content.layers.relu1_1",
                      "should be a number"));
  EXPECT_TRUE(refused("content = 3\n", "line 1, content", "section"));
  EXPECT_TRUE(refused("[[content]]\nweight = 1\n", "content", "section"));
  EXPECT_TRUE(refused("[content.weight]\na = 1\n", "content.weight", "should be a number"));
}

TEST(RecipeErrors, SayWhatAListOfNumbersShouldBe) {
  EXPECT_TRUE(refused("[style]\nscale = 0.5\n", "line 2, style.scale", "list of numbers"));
  EXPECT_TRUE(refused("style.blend = '0.5,0.5'\n", "style.blend", "list of numbers"));
  EXPECT_TRUE(refused("style.blend = [0.5, 'x']\n", "style.blend", "should be a number"));
  EXPECT_TRUE(refused("style.blend = [[0.5]]\n", "style.blend", "should be a number"));
  EXPECT_TRUE(refused("style.shifts = [1.5]\n", "style.shifts", "should be a whole number"));
  EXPECT_TRUE(refused("style.shifts = [1, 0]\n", "style.shifts", "is 0", "1 to 1000"));
  EXPECT_TRUE(refused("style.shifts = [3000000000]\n", "style.shifts", "out of range"));
  EXPECT_TRUE(refused("style.scale = [1, 0.01]\n", "style.scale", "0.01", "0.05 to 20"));
  EXPECT_TRUE(refused("style.blend = [0.5, -0.5]\n", "style.blend", "-0.5"));
  EXPECT_TRUE(refused("pyramid.bands = [nan]\n", "pyramid.bands", "nan"));
}

// Not the line of the table that it stands in.
TEST(RecipeErrors, NameTheLineOfALayersOwnWeight) {
  EXPECT_TRUE(refused("[content.layers]\nrelu1_1 = 1\nrelu2_1 = 'x'\n", "line 3",
                      "content.layers.relu2_1"));
}

TEST(RecipeErrors, NameTheRangeOfANumberOutOfIt) {
  EXPECT_TRUE(refused("\ncontent.weight = -1\n", "line 2, content.weight", "-1", "at least 0"));
  EXPECT_TRUE(refused("style.layers = { relu1_1 = -0.5 }\n", "style.layers.relu1_1", "-0.5"));
  EXPECT_TRUE(refused("optimiser.history = 0\n", "line 1, optimiser.history", "is 0", "1 to 1000"));
  EXPECT_TRUE(refused("optimiser.history = 1001\n", "1 to 1000"));
  EXPECT_TRUE(refused("optimiser.beta1 = 1.0\n", "optimiser.beta1", "0 to 0.999999"));
  EXPECT_TRUE(refused("optimiser.learning_rate = -1\n", "optimiser.learning_rate"));
  EXPECT_TRUE(refused("optimiser.decay_rate = 1.5\n", "optimiser.decay_rate"));
  EXPECT_TRUE(refused("picture.size = -1\n", "picture.size"));
  EXPECT_TRUE(refused("picture.size = 3000000000\n", "picture.size", "out of range"));
  EXPECT_TRUE(refused("picture.seed = -1\n", "picture.seed", "out of range"));
  EXPECT_TRUE(refused("picture.threads = 5000\n", "picture.threads"));
}

// The ends of every range are allowed, what lies beyond them is not.
TEST(RecipeErrors, KeepEveryNumberWithinItsRange) {
  Recipe recipe;
  visit_fields(recipe, [&]<typename T>(const Field& field, T& value) {
    if constexpr (std::is_same_v<T, std::vector<int>> || std::is_same_v<T, std::vector<double>>) {
      SCOPED_TRACE(field.key);
      using Number = typename T::value_type;
      const T before = value;
      const auto allowed = [&](double number) {
        value = {static_cast<Number>(field.most), static_cast<Number>(number)};
        try {
          check_ranges(recipe, "my.toml");
          return true;
        } catch (const Error& error) {
          EXPECT_TRUE(says(error, ErrorKind::usage, "my.toml", field.key));
          return false;
        }
      };
      EXPECT_TRUE(allowed(field.least));
      EXPECT_FALSE(allowed(field.least - 1));
      if (field.most < kUnbounded) {
        EXPECT_FALSE(allowed(field.most * 1.001 + 1));
      }
      value = T(1001, static_cast<Number>(field.least));
      EXPECT_TRUE(says(error_of([&] { check_ranges(recipe, "my.toml"); }), ErrorKind::usage,
                       "1001 numbers", "1000"));
      value = before;
    }
    if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      SCOPED_TRACE(field.key);
      const T before = value;
      const auto allowed = [&](double number) {
        value = static_cast<T>(number);
        try {
          check_ranges(recipe, "my.toml");
          return true;
        } catch (const Error& error) {
          EXPECT_TRUE(says(error, ErrorKind::usage, "my.toml", field.key));
          return false;
        }
      };
      EXPECT_TRUE(allowed(field.least));
      EXPECT_TRUE(allowed(field.most));
      if constexpr (std::is_signed_v<T>) {
        EXPECT_FALSE(allowed(field.least - 1));
      }
      if (field.most < kUnbounded) {
        EXPECT_FALSE(allowed(field.most * 1.001 + 1));
      }
      if constexpr (std::is_floating_point_v<T>) {
        EXPECT_FALSE(allowed(std::nan("")));
        EXPECT_FALSE(allowed(std::numeric_limits<double>::infinity()));
        EXPECT_FALSE(allowed(-std::numeric_limits<double>::infinity()));
      }
      value = before;
    }
  });
  recipe.content.layers = {{"relu1_1", std::nan("")}};
  EXPECT_THROW(check_ranges(recipe, "my.toml"), Error);
}

TEST(RecipeErrors, RefuseInfinityAndNan) {
  for (const char* value : {"inf", "-inf", "nan", "1e400"}) {
    EXPECT_TRUE(refused(std::string("content.weight = ") + value + "\n")) << value;
    EXPECT_TRUE(refused(std::string("content.layers = { relu1_1 = ") + value + " }\n")) << value;
  }
  EXPECT_TRUE(refused("content.weight = inf\n", "content.weight", "inf is not a finite number"));
  EXPECT_TRUE(refused("content.layers = { relu1_1 = nan }\n", "content.layers.relu1_1", "nan"));
}

// ---- hostile texts: each in a process of its own, for they may end it ----

class HostileRecipes : public testing::Test {
 protected:
  HostileRecipes() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Ends the process with 0 when the text is refused by an Error.
[[noreturn]] void end_refusing(const std::string& text) {
  int code = 1;
  try {
    parse_recipe(text, "hostile.toml");
  } catch (const Error&) {
    code = 0;
  } catch (...) {
    code = 2;
  }
  _exit(code);
}

std::string repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST_F(HostileRecipes, OfEndlessBracketsAreRefused) {
  EXPECT_EXIT(end_refusing("a = " + repeated("[", 300'000)), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(end_refusing("a = " + repeated("[\n", 300'000)), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(end_refusing("a = " + repeated("{ a = ", 100'000)), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(end_refusing("a = " + repeated("{ a = [\n", 100'000)), testing::ExitedWithCode(0),
              "");
}

// A key of a hundred thousand parts in the megabyte that a recipe file may have.
TEST_F(HostileRecipes, OfEndlessDottedKeysAreRefused) {
  EXPECT_EXIT(end_refusing(repeated("a.", 250'000) + "a = 1"), testing::ExitedWithCode(0), "");
}
TEST_F(HostileRecipes, OfEndlessTableNamesAreRefused) {
  EXPECT_EXIT(end_refusing("[" + repeated("a.", 250'000) + "a]"), testing::ExitedWithCode(0), "");
}

// As many parts as a line may hold, in each of the tables that may stand in each other.
TEST_F(HostileRecipes, OfLongDottedKeysInsideEachOtherAreRefused) {
  const std::string line = "{ " + repeated("a.", 1990) + "a = [\n";
  for (const int lines : {50, 120, 125, 127, 250}) {
    EXPECT_EXIT(end_refusing("x = " + repeated(line, lines) + "1" + repeated("] }", lines)),
                testing::ExitedWithCode(0), "")
        << lines << " lines";
  }
}

TEST_F(HostileRecipes, OfAMegabyteOfAnythingAreRefusedSoon) {
  EXPECT_EXIT(end_refusing(repeated("k", 1'000'000) + " = 1"), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(end_refusing(repeated("\n", 1'000'000) + "x"), testing::ExitedWithCode(0), "");
  std::string many;
  for (int i = 0; i < 60'000; ++i) many += fmt::format("k{} = 1\n", i);
  EXPECT_EXIT(end_refusing(many), testing::ExitedWithCode(0), "");
}

// ---- settings as text, as the command's flags give them ----

// Whether --flag TEXT is refused with all these parts in the message.
template <typename... Parts>
testing::AssertionResult text_refused(std::string_view key, const std::string& text,
                                      const Parts&... parts) {
  Recipe recipe;
  return says(error_of([&] { set_field(recipe, key, text, "--flag"); }), ErrorKind::usage, "--flag",
              parts...);
}

TEST(SetField, SetsEveryKindOfField) {
  Recipe recipe;
  set_field(recipe, "name", "a name", "--x");
  set_field(recipe, "content.weight", "1e-3", "--x");
  set_field(recipe, "picture.size", "300", "--x");
  set_field(recipe, "picture.seed", "9007199254740991", "--x");
  set_field(recipe, "optimiser.clip", "true", "--x");
  set_field(recipe, "style.form", "paper-times-4", "--x");
  set_field(recipe, "style.layers", "relu2_1:0.5,conv1_1,pool1:2e-2", "--x");
  set_field(recipe, "style.blend", "0.7,3e-1", "--x");
  set_field(recipe, "style.scale", "2", "--x");
  set_field(recipe, "style.shifts", "1,16", "--x");
  EXPECT_EQ(recipe.name, "a name");
  EXPECT_EQ(recipe.content.weight, 1e-3);
  EXPECT_EQ(recipe.picture.size, 300);
  EXPECT_EQ(recipe.picture.seed, 9'007'199'254'740'991u);
  EXPECT_TRUE(recipe.optimiser.clip);
  EXPECT_EQ(recipe.style.form, StyleForm::paper_times_4);
  EXPECT_EQ(recipe.style.layers,
            (std::vector<LayerWeight>{{"conv1_1", 1}, {"pool1", 0.02}, {"relu2_1", 0.5}}));
  EXPECT_EQ(recipe.style.blend, (std::vector<double>{0.7, 0.3}));
  EXPECT_EQ(recipe.style.scale, std::vector<double>{2});
  EXPECT_EQ(recipe.style.shifts, (std::vector<int>{1, 16}));
  set_field(recipe, "style.shifts", "", "--x");
  EXPECT_TRUE(recipe.style.shifts.empty());
}

TEST(SetField, ReadsTheLayersThatToTextWrites) {
  const std::vector<LayerWeight> layers = {{"conv1_1", 1}, {"pool1", 1.0 / 3}, {"relu2_1", 1e-9}};
  Recipe recipe;
  set_field(recipe, "style.layers", to_text(layers), "--x");
  EXPECT_EQ(recipe.style.layers, layers);
}

TEST(SetField, RefusesTextThatIsNoSuchValue) {
  for (const char* text : {"", "much", "1.5x", "1,5", " 1", "1 ", "0x10", "--1"}) {
    EXPECT_TRUE(text_refused("content.weight", text, "number")) << text;
    EXPECT_TRUE(text_refused("picture.size", text, "whole number")) << text;
  }
  EXPECT_TRUE(text_refused("picture.size", "1.5", "'1.5'", "whole number"));
  EXPECT_TRUE(text_refused("picture.size", "3000000000", "3000000000", "too large"));
  EXPECT_TRUE(text_refused("content.weight", "1e999", "1e999", "too large"));
  EXPECT_TRUE(text_refused("picture.seed", "-1", "whole number"));
  for (const char* text : {"", "1", "yes", "True"}) {
    EXPECT_TRUE(text_refused("optimiser.clip", text, "'true'", "'false'")) << text;
  }
  EXPECT_TRUE(text_refused("style.form", "papper", "'papper'", "'paper-times-4', 'image'"));
  for (const char* text : {"", "relu1_1:", "relu1_1:x", ":1", ",", "relu1_1,,relu2_1"}) {
    EXPECT_TRUE(text_refused("style.layers", text)) << text;
  }
  for (const char* text : {"x", ",", "1,", ",1", "1,,2", "1;2", "1 2"}) {
    EXPECT_TRUE(text_refused("style.blend", text)) << text;
    EXPECT_TRUE(text_refused("style.shifts", text)) << text;
  }
  // Blanks around a number are what people write.
  Recipe recipe;
  set_field(recipe, "style.blend", " 0.7, 0.3 ", "--x");
  EXPECT_EQ(recipe.style.blend, (std::vector<double>{0.7, 0.3}));
  set_field(recipe, "style.layers", "relu1_1: 0.5, relu2_1", "--x");
  EXPECT_EQ(recipe.style.layers, (std::vector<LayerWeight>{{"relu1_1", 0.5}, {"relu2_1", 1}}));
  set_field(recipe, "style.blend", "none", "--x");
  EXPECT_TRUE(recipe.style.blend.empty());
  EXPECT_TRUE(text_refused("style.blend", "1,", "ends with a comma"));
  EXPECT_TRUE(text_refused("style.shifts", "1,1.5", "'1.5'", "whole number"));
  EXPECT_TRUE(text_refused("style.shifts", "1,1001", "1001", "1 to 1000"));
}

TEST(SetField, RefusesValuesOutOfTheirRange) {
  EXPECT_TRUE(text_refused("content.weight", "-1", "-1", "at least 0"));
  EXPECT_TRUE(text_refused("content.weight", "inf", "inf"));
  EXPECT_TRUE(text_refused("content.weight", "nan", "nan"));
  EXPECT_TRUE(text_refused("optimiser.history", "0", "1 to 1000"));
  EXPECT_TRUE(text_refused("style.layers", "relu1_1:-1", "relu1_1", "at least 0"));
}

// A layer has one weight. Two would make a recipe that no TOML can say, and which is not read back.
TEST(SetField, RefusesALayerThatIsNamedTwice) {
  EXPECT_TRUE(text_refused("style.layers", "relu1_1:1,relu1_1:2", "relu1_1", "twice"));
  Recipe recipe;
  recipe.content.layers = {{"relu1_1", 1}, {"pool1", 1}, {"relu1_1", 1}};
  EXPECT_TRUE(says(error_of([&] { check_ranges(recipe, "my.toml"); }), ErrorKind::usage,
                   "content.layers", "relu1_1", "twice"));
}

TEST(SetField, NamesAnUnknownKeyAndTheNearest) {
  EXPECT_TRUE(
      text_refused("content.wieght", "1", "'content.wieght'", "did you mean 'content.weight'?"));
}

}  // namespace
}  // namespace limn
