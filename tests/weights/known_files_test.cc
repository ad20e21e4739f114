#include "weights/known_files.h"

#include <gtest/gtest.h>

#include <set>

namespace limn {
namespace {

TEST(KnownFiles, AreFoundByTheirDigest) {
  for (const KnownFile& file : known_files()) {
    std::string digest(file.sha256);
    digest.resize(64, '7');
    EXPECT_EQ(known_file(digest), &file) << file.name;
  }
}

TEST(KnownFiles, AreNotFoundByAnother) {
  EXPECT_EQ(known_file(""), nullptr);
  EXPECT_EQ(known_file(std::string(64, '0')), nullptr);
  EXPECT_EQ(known_file("dcbb9e9"), nullptr);  // shorter than what is known of it
}

TEST(KnownFiles, AreOfKnownNetworksAndHaveDigestsOfTheirOwn) {
  std::set<std::string_view> digests;
  for (const KnownFile& file : known_files()) {
    EXPECT_NE(find_network(file.network), nullptr) << file.name;
    EXPECT_TRUE(file.sha256.size() >= 8 && file.sha256.size() <= 64) << file.name;
    EXPECT_EQ(file.sha256.find_first_not_of("0123456789abcdef"), std::string_view::npos);
    EXPECT_TRUE(digests.insert(file.sha256.substr(0, 8)).second) << file.name;
  }
}

// The same names inside, another input: the reason for the table.
TEST(KnownFiles, KnowsCaffesFromTorchvisions) {
  EXPECT_EQ(known_file("d01eb7cb" + std::string(56, '0'))->convention, kCaffeConvention);
  EXPECT_EQ(known_file("dcbb9e9d" + std::string(56, '0'))->convention, kTorchvisionConvention);
}

}  // namespace
}  // namespace limn
