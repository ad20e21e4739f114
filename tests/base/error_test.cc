#include "base/error.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "support/errors.h"

namespace limn {
namespace {

const std::vector<std::string> kKeys = {"content.weight", "style.weight", "content.layers",
                                        "optimiser.history", "picture.size"};

TEST(Fail, ThrowsTheKindWithAFormattedMessage) {
  const Error error = error_of([] { fail(ErrorKind::file, "'{}' has {} bytes", "a.h5", 3); });
  EXPECT_EQ(error.kind(), ErrorKind::file);
  EXPECT_STREQ(error.what(), "'a.h5' has 3 bytes");
}

TEST(NearestName, IsTheCandidateWithTheFewestEdits) {
  EXPECT_EQ(nearest_name("content.weigth", kKeys), "content.weight");
  EXPECT_EQ(nearest_name("content.wight", kKeys), "content.weight");
  EXPECT_EQ(nearest_name("style.weights", kKeys), "style.weight");
  EXPECT_EQ(nearest_name("pictur.size", kKeys), "picture.size");
  EXPECT_EQ(nearest_name("content.layer", kKeys), "content.layers");
  EXPECT_EQ(nearest_name("picture.size", kKeys), "picture.size");
}

// Insertions, deletions and substitutions count one each.
TEST(NearestName, IsFoundUpToAThirdOfItsLengthAway) {
  const std::vector<std::string> nine = {"abcdefghi"};
  for (const char* near : {"abcdefxyz", "abcdef", "abcdefghixyz", "xbcdeghiy"}) {
    EXPECT_EQ(nearest_name(near, nine), "abcdefghi") << near;
  }
  for (const char* far : {"abcdewxyz", "abcde", "abcdefghiwxyz", "ihgfedcba", ""}) {
    EXPECT_EQ(nearest_name(far, nine), "") << far;
  }
}

TEST(NearestName, OfEquallyNearOnesIsTheFirst) {
  const std::vector<std::string> twins = {"relu1_1", "relu2_1"};
  EXPECT_EQ(nearest_name("relu_1", twins), "relu1_1");
}

TEST(NearestName, OfNothingIsNothing) {
  EXPECT_EQ(nearest_name("anything", {}), "");
  EXPECT_EQ(nearest_name("", kKeys), "");
}

// Edit distances take the product of both lengths: no file may make that large.
TEST(NearestName, OfAHostileNameIsNothingAndTakesNoTime) {
  std::string endless;
  endless.resize(20'000'000, 'c');
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(nearest_name(endless, kKeys), "");
  EXPECT_EQ(did_you_mean(std::string("\0\xff\x80\n", 4), kKeys), "");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(200));
}

TEST(DidYouMean, IsAHalfSentenceOrNothing) {
  EXPECT_EQ(did_you_mean("picture.sice", kKeys), "; did you mean 'picture.size'?");
  EXPECT_EQ(did_you_mean("something else", kKeys), "");
}

TEST(Printable, ReplacesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("features.0"), "features.0");
  EXPECT_EQ(printable("a\x1b[2J\n\xff"), "a?[2J??");
}

TEST(Printable, CutsLongNames) {
  const std::string shown = printable(std::string(100'000, 'x'));
  EXPECT_LT(shown.size(), 200u);
  EXPECT_TRUE(shown.ends_with("..."));
}

}  // namespace
}  // namespace limn
