#include "weights/checks.h"

#include <gtest/gtest.h>
#include <limn/limn.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "weights_files.h"

namespace limn {
namespace {

std::vector<std::string> conv_names(const NetworkTable& network) {
  std::vector<std::string> names;
  for (const Row& row : network.rows) {
    if (row.kind == RowKind::convolution) names.push_back("conv" + std::string(row.id));
  }
  return names;
}

// A file with the network's layers up to and with `last`, without those in `missing`.
HasLayer file_with(const NetworkTable& network, const std::string& last,
                   const std::set<std::string>& missing = {}) {
  std::set<std::string> layers;
  for (const std::string& name : conv_names(network)) {
    if (!missing.contains(name)) layers.insert(name);
    if (name == last) break;
  }
  return [layers](const std::string& name) { return layers.contains(name); };
}

const NetworkTable* fitting(const HasLayer& has_layer) {
  return &fitting_network(conv_names, has_layer);
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file);
    return error.what();
  }
  return "no error";
}

TEST(FittingNetwork, IsTheOneWhoseLayersTheFileHas) {
  EXPECT_EQ(fitting(file_with(kVgg19, "conv5_4")), &kVgg19);
  EXPECT_EQ(fitting(file_with(kVgg16, "conv5_3")), &kVgg16);
}

TEST(FittingNetwork, IsRightForFilesThatEndEarly) {
  EXPECT_EQ(fitting(file_with(kVgg19, "conv3_4")), &kVgg19);
  EXPECT_EQ(fitting(file_with(kVgg19, "conv4_1")), &kVgg19);
  EXPECT_EQ(fitting(file_with(kVgg16, "conv4_1")), &kVgg16);
}

TEST(FittingNetwork, IsVgg19WhereBothFit) {
  EXPECT_EQ(fitting(file_with(kVgg16, "conv3_3")), &kVgg19);
  EXPECT_EQ(fitting(file_with(kVgg16, "conv1_1")), &kVgg19);
}

// A gap must be reported as a gap in the network that it is, not as the other network's.
TEST(FittingNetwork, IsRightForFilesWithAGap) {
  EXPECT_EQ(fitting(file_with(kVgg19, "conv5_4", {"conv3_4"})), &kVgg19);
  EXPECT_EQ(fitting(file_with(kVgg19, "conv5_4", {"conv2_1"})), &kVgg19);
  EXPECT_EQ(fitting(file_with(kVgg16, "conv5_3", {"conv4_2"})), &kVgg16);
}

TEST(CountLayers, CountsUpToTheLastThatIsThere) {
  const std::vector<std::string> layers = conv_names(kVgg19);
  EXPECT_EQ(count_layers("f", layers, file_with(kVgg19, "conv5_4"), ""), 16u);
  EXPECT_EQ(count_layers("f", layers, file_with(kVgg19, "conv2_1"), ""), 3u);
}

TEST(CountLayers, NamesTheMissingLayer) {
  const HasLayer has_layer = file_with(kVgg19, "conv3_1", {"conv2_1"});
  const std::string message =
      message_of([&] { count_layers("f.h5", conv_names(kVgg19), has_layer, ""); });
  EXPECT_TRUE(says(message, "'f.h5': layer conv2_1 is missing, but conv3_1 is present"));
}

TEST(CountLayers, SaysWhatAFileWithoutLayersHas) {
  const HasLayer none = [](const std::string&) { return false; };
  const std::string message =
      message_of([&] { count_layers("f.h5", conv_names(kVgg19), none, "'dense'"); });
  EXPECT_TRUE(says(message, "'f.h5' has no layer conv1_1"));
  EXPECT_TRUE(says(message, "it has 'dense'"));
}

TEST(CheckShape, TellsWhatWasExpectedAndWhatWasFound) {
  const std::array<std::uint64_t, 4> expected = {3, 3, 128, 256};
  const std::array<std::uint64_t, 4> found = {3, 3, 128, 128};
  EXPECT_EQ(message_of([&] { check_shape("f.h5", "block3_conv1", "kernel", expected, found); }),
            "'f.h5': layer block3_conv1 should have a kernel of 3 x 3 x 128 x 256, but it is "
            "3 x 3 x 128 x 128");
  EXPECT_EQ(message_of([&] { check_shape("f.h5", "block3_conv1", "kernel", found, found); }),
            "no error");
}

TEST(CheckFinite, FindsTheOneBadValueWhereverItIs) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    for (size_t place = 0; place < 20; ++place) {
      std::vector<float> values(20, std::numeric_limits<float>::max());
      EXPECT_EQ(message_of([&] { check_finite("f.h5", "conv1_1", "bias", values); }), "no error");
      values[place] = bad;
      EXPECT_TRUE(says(message_of([&] { check_finite("f.h5", "conv1_1", "bias", values); }),
                       "'f.h5': layer conv1_1 has a bias"));
    }
  }
}

}  // namespace
}  // namespace limn
