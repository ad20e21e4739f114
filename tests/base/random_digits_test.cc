#include "base/random_digits.h"

#include <gtest/gtest.h>

#include <set>

namespace limn {
namespace {

TEST(RandomDigits, AreTwoForEachByteAndNeverTheSame) {
  std::set<std::string> drawn;
  std::set<char> digits;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = random_digits(16);
    EXPECT_EQ(text.size(), 32u);
    digits.insert(text.begin(), text.end());
    drawn.insert(text);
  }
  EXPECT_EQ(drawn.size(), 1000u);
  const std::string_view all = "0123456789abcdef";
  EXPECT_EQ(digits, std::set<char>(all.begin(), all.end()));
  EXPECT_EQ(random_digits(1000).size(), 2000u);  // more than the system gives in one go
  EXPECT_EQ(random_digits(0), "");
}

}  // namespace
}  // namespace limn
