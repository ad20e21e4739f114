#include "serve/conditions.h"

#include <gtest/gtest.h>

namespace limn {
namespace {

using Kind = RangeAsked::Kind;

TEST(Range, NamesAPart) {
  EXPECT_EQ(parse_range("bytes=0-9", 100).range, (ByteRange{0, 9}));
  EXPECT_EQ(parse_range("bytes=90-", 100).range, (ByteRange{90, 99}));
  EXPECT_EQ(parse_range("bytes=-10", 100).range, (ByteRange{90, 99}));
  EXPECT_EQ(parse_range("bytes=-200", 100).range, (ByteRange{0, 99}));
  EXPECT_EQ(parse_range("bytes=50-1000", 100).range, (ByteRange{50, 99}));
}

TEST(Range, MayLieOutside) {
  EXPECT_EQ(parse_range("bytes=100-", 100).kind, Kind::outside);
  EXPECT_EQ(parse_range("bytes=-0", 100).kind, Kind::outside);
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Kind::outside);
}

TEST(Range, IsIgnoredIfItIsNotUnderstood) {
  for (const char* text :
       {"", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=0-1,3-4", "lines=0-1",
        "bytes=+1-2", "bytes=99999999999999999999-"}) {
    EXPECT_EQ(parse_range(text, 100).kind, Kind::none) << text;
  }
}

TEST(Tags, AreFoundInAList) {
  EXPECT_TRUE(names_tag("\"a\"", "\"a\"", true));
  EXPECT_TRUE(names_tag("\"b\", W/\"a\"", "\"a\"", true));
  EXPECT_FALSE(names_tag("W/\"a\"", "\"a\"", false));
  EXPECT_TRUE(names_tag("*", "\"a\"", true));
  for (const char* text : {"", "a", "\"a", "\"b\"", "\"b\" \"a\""}) {
    EXPECT_FALSE(names_tag(text, "\"a\"", true)) << text;
  }
}

TEST(Revisions, AreWholeNumbers) {
  EXPECT_EQ(parse_revision(" 12 "), 12);
  for (const char* text : {"", "x", "-1", "1.5", "99999999999999999999"}) {
    EXPECT_FALSE(parse_revision(text)) << text;
  }
}

TEST(Conditions, KnowWhoTakesGzip) {
  for (const char* takes : {"gzip", "deflate, gzip;q=0.5, br", "GZIP ; q=1", "br,gzip"}) {
    EXPECT_TRUE(takes_gzip(takes)) << takes;
  }
  for (const char* does_not : {"", "br", "gzip;q=0", "gzip; q=0.000", "gzipped", ",;,"}) {
    EXPECT_FALSE(takes_gzip(does_not)) << does_not;
  }
}

}  // namespace
}  // namespace limn
