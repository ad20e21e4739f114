#include "serve/target.h"

#include "serve/served.h"

namespace limn {
namespace {

TEST(Target, IsAPathAndAQuery) {
  const Target target = parse_target("/api/v1/jobs?state=done%2Cfailed&client=a+b&empty");
  EXPECT_EQ(target.path, "/api/v1/jobs");
  EXPECT_EQ(*target.query.find("state"), "done,failed");
  EXPECT_EQ(*target.query.find("client"), "a b");
  EXPECT_EQ(*target.query.find("empty"), "");
  EXPECT_EQ(target.query.find("other"), nullptr);
}

TEST(Target, RefusesTricks) {
  for (const char* text :
       {"", "jobs", "http://evil/", "*", "/..", "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a%5cb",
        "/a\\b", "/a//b", "/%", "/%4", "/%zz", "/%00", "/\x01", "/a#b", "/%ff", "/?a=%c0%80"}) {
    EXPECT_EQ(problem_of([&] { parse_target(text); }), 400) << text;
  }
  EXPECT_EQ(problem_of([] { parse_target("/" + std::string(5000, 'a')); }), 414);
}

TEST(Target, RefusesParametersThatNobodyReads) {
  const Query query = parse_target("/?limit=3&limt=4&limit=5").query;
  EXPECT_EQ(problem_of([&] { query.allow({"limit"}); }), 400);
  EXPECT_EQ(problem_of([&] { query.find("limit"); }), 400);
  const Query number = parse_target("/?limit=3x").query;
  EXPECT_EQ(problem_of([&] { number.number("limit", 1, 10, 1); }), 400);
  EXPECT_EQ(parse_target("/?limit=7").query.number("limit", 1, 10, 1), 7);
  EXPECT_EQ(problem_of([] { parse_target("/?limit=11").query.number("limit", 1, 10, 1); }), 400);
}

TEST(Utf8, KnowsItsForms) {
  for (const char* text : {"", "a", "\u00e4", "\u20ac", "\U0001f58c"}) EXPECT_TRUE(is_utf8(text));
  for (const char* text : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                           "\xc3", "\xf0\x9f\x96"}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

}  // namespace
}  // namespace limn
