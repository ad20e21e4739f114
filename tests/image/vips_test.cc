// What libvips says, made fit for one line of an error.
#include "image/vips.h"

#include <gtest/gtest.h>

#include <string>

namespace limn {
namespace {

std::string condensed_text(const std::string& text) { return condensed(vips::VError(text)); }

TEST(Condensed, JoinsLinesAndSaysNothingTwice) {
  EXPECT_EQ(condensed_text("a: one\nb: two\n\na: one\n"), "a: one; b: two");
  EXPECT_EQ(condensed_text("no end of line"), "no end of line");
}

TEST(Condensed, LetsNoBytesOfTheFileThrough) {
  EXPECT_EQ(condensed_text("bad \x1b[31m tag \xff\xfe\x7f\n"), "bad ?[31m tag ???");
}

TEST(Condensed, IsShort) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "trouble number " + std::to_string(i) + "\n";
  const std::string line = condensed_text(text);
  EXPECT_LT(line.size(), 310u);
  EXPECT_EQ(line.substr(0, 17), "trouble number 0;");
}

TEST(Condensed, IsNeverEmpty) { EXPECT_NE(condensed_text(""), ""); }

}  // namespace
}  // namespace limn
