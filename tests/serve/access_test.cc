#include "serve/access.h"

#include <sys/stat.h>

#include "serve/served.h"

namespace limn {
namespace {

Request with_fields(Fields fields, const char* method = "GET") {
  Request request;
  request.method = method;
  request.fields = std::move(fields);
  return request;
}

TEST(Token, IsDrawnOnceAndKeptForItsOwner) {
  const TestFolder folder;
  const std::string token = token_in(folder.path());
  EXPECT_GE(token.size(), 32U);
  EXPECT_EQ(token_in(folder.path()), token);
  struct stat about = {};
  ASSERT_EQ(stat(token_file(folder.path()).c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  chmod(token_file(folder.path()).c_str(), 0644);
  EXPECT_THROW(token_in(folder.path()), Error);
  const TestFolder other;
  EXPECT_NE(token_in(other.path()), token);
}

TEST(Token, OfOthersMakingIsChecked) {
  const TestFolder folder;
  std::ofstream(token_file(folder.path())) << "short\n";
  chmod(token_file(folder.path()).c_str(), 0600);
  EXPECT_THROW(token_in(folder.path()), Error);
}

TEST(Access, TakesTheTokenFromTheFieldOrTheCookie) {
  Access access(kTestToken, {"127.0.0.1"});
  access.set_port(8080);
  const std::string token = kTestToken;
  EXPECT_TRUE(access.has_token(with_fields({{"authorization", "Bearer " + token}})));
  EXPECT_TRUE(access.has_token(with_fields({{"authorization", "bearer " + token}})));
  EXPECT_TRUE(access.has_token(with_fields({{"cookie", "a=b; limn-token-8080=" + token}})));
  EXPECT_NE(access.cookie().find("HttpOnly; SameSite=Strict"), std::string::npos);
  std::string wrong = token;
  wrong.back() = 'x';
  for (const Fields& fields : std::vector<Fields>{{},
                                                  {{"authorization", "Bearer " + wrong}},
                                                  {{"authorization", "Bearer"}},
                                                  {{"authorization", "Basic " + token}},
                                                  {{"authorization", token}},
                                                  {{"authorization", "Bearer " + token + "x"}},
                                                  {{"cookie", "limn-token-8081=" + token}},
                                                  {{"cookie", "limn-token-8080="}},
                                                  {{"cookie", "limn-token-8080=" + wrong}},
                                                  {{"cookie", token}}}) {
    EXPECT_FALSE(access.has_token(with_fields(fields)));
  }
}

TEST(Access, IsForPagesOfItsOwnOnly) {
  const Access access(kTestToken, {"127.0.0.1", "[::1]", "Localhost"});
  const auto status = [&](Fields fields, const char* method = "GET") {
    return problem_of([&] { access.check_source(with_fields(std::move(fields), method)); });
  };
  EXPECT_EQ(status({{"host", "127.0.0.1:8080"}}), 0);
  EXPECT_EQ(status({{"host", "LOCALHOST"}}), 0);
  EXPECT_EQ(status({{"host", "[::1]:80"}}), 0);
  EXPECT_EQ(status({}), 400);
  EXPECT_EQ(status({{"host", "localhost"}, {"host", "localhost"}}), 400);
  for (const char* host : {"", "evil.example", "127.0.0.1.evil.example", "localhost:80x", "[::1",
                           "localhost@evil.example", "127.0.0.1:8080:1"}) {
    EXPECT_EQ(status({{"host", host}}), 403) << host;
  }
  EXPECT_EQ(status({{"host", "localhost:80"}, {"origin", "http://localhost:80"}}), 0);
  for (const char* origin :
       {"null", "http://localhost:81", "http://localhost", "https://evil.example"}) {
    EXPECT_EQ(status({{"host", "localhost:80"}, {"origin", origin}}), 403) << origin;
  }
  EXPECT_EQ(status({{"host", "localhost"}, {"sec-fetch-site", "cross-site"}}, "POST"), 403);
  EXPECT_EQ(status({{"host", "localhost"}, {"sec-fetch-site", "same-origin"}}, "POST"), 0);
}

}  // namespace
}  // namespace limn
