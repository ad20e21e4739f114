// The tables of the networks and the names of their layers.
#include "network/vgg.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace limn {
namespace {

int convolutions_of(const NetworkTable& table) {
  int count = 0;
  for (const Row& row : table.rows) count += row.kind == RowKind::convolution ? 1 : 0;
  return count;
}

TEST(VggTables, HaveAsManyConvolutionsAsThePaperSays) {
  EXPECT_EQ(kVgg19.name, "vgg19");
  EXPECT_EQ(kVgg16.name, "vgg16");
  EXPECT_EQ(convolutions_of(kVgg19), 16);
  EXPECT_EQ(convolutions_of(kVgg16), 13);
  EXPECT_EQ(kVgg19.rows.size(), 21u);
  EXPECT_EQ(kVgg16.rows.size(), 18u);
}

TEST(VggTables, FollowThePaperStageByStage) {
  const std::vector<int> channels = {64, 128, 256, 512, 512};
  const auto expect_stages = [&](const NetworkTable& table, const std::vector<int>& depths) {
    size_t next = 0;
    int in = 3;
    for (size_t stage = 0; stage < depths.size(); ++stage) {
      const std::string number = std::to_string(stage + 1);
      for (int i = 1; i <= depths[stage]; ++i) {
        const Row& row = table.rows[next++];
        EXPECT_EQ(row.kind, RowKind::convolution);
        EXPECT_EQ(row.id, number + "_" + std::to_string(i));
        EXPECT_EQ(row.in, in);
        EXPECT_EQ(row.out, channels[stage]);
        in = row.out;
      }
      const Row& row = table.rows[next++];
      EXPECT_EQ(row.kind, RowKind::pooling);
      EXPECT_EQ(row.id, number);
      EXPECT_EQ(row.in, in);
      EXPECT_EQ(row.out, in);
    }
    EXPECT_EQ(next, table.rows.size());
  };
  expect_stages(kVgg19, {2, 2, 4, 4, 4});
  expect_stages(kVgg16, {2, 2, 3, 3, 3});
}

TEST(FindNetwork, KnowsBothByNameAndNoOther) {
  EXPECT_EQ(find_network("vgg19"), &kVgg19);
  EXPECT_EQ(find_network("vgg16"), &kVgg16);
  for (const char* name : {"", "vgg", "VGG19", "vgg190", "vgg-19", "tiny"}) {
    EXPECT_EQ(find_network(name), nullptr) << name;
  }
}

TEST(FindLayer, ReadsConvBeforeTheReluReluAndPoolAfter) {
  const auto expect_position = [](std::string_view name, int row, Tap tap) {
    const auto position = find_layer(kVgg19, name);
    ASSERT_TRUE(position) << name;
    EXPECT_EQ(position->row, row) << name;
    EXPECT_EQ(position->tap, tap) << name;
  };
  expect_position("conv1_1", 0, Tap::before_relu);
  expect_position("relu1_1", 0, Tap::output);
  expect_position("pool1", 2, Tap::output);
  expect_position("conv4_2", 12, Tap::before_relu);
  expect_position("relu4_2", 12, Tap::output);
  expect_position("relu5_4", 19, Tap::output);
  expect_position("pool5", 20, Tap::output);
}

TEST(FindLayer, KnowsNoOtherNames) {
  for (const char* name :
       {"", "relu", "relu9_9", "relu1_3", "relu1", "conv1", "pool1_1", "pool6", "pool", "Relu1_1",
        "relu1_1 ", " relu1_1", "relu1_10", "tanh1_1", "1_1", "conv1_1_1", "block1_conv1"}) {
    EXPECT_FALSE(find_layer(kVgg19, name)) << name;
  }
  EXPECT_TRUE(find_layer(kVgg19, "relu3_4"));
  EXPECT_FALSE(find_layer(kVgg16, "relu3_4"));
}

TEST(LayerName, OfARowIsThatOfItsOutput) {
  EXPECT_EQ(layer_name(kVgg19.rows[12]), "relu4_2");
  EXPECT_EQ(layer_name(kVgg19.rows[15]), "pool4");
  for (int row = 0; row < static_cast<int>(kVgg16.rows.size()); ++row) {
    const auto position = find_layer(kVgg16, layer_name(kVgg16.rows[row]));
    ASSERT_TRUE(position);
    EXPECT_EQ(position->row, row);
    EXPECT_EQ(position->tap, Tap::output);
  }
}

TEST(LayerNames, AreThoseThatFindLayerKnowsInTheTablesOrder) {
  for (const NetworkTable* table : {&kVgg16, &kVgg19}) {
    const std::vector<std::string> names = layer_names(*table);
    EXPECT_EQ(names.size(), static_cast<size_t>(2 * convolutions_of(*table) + 5));
    std::set<std::pair<int, Tap>> found;
    int last_row = 0;
    for (const std::string& name : names) {
      const auto position = find_layer(*table, name);
      ASSERT_TRUE(position) << name;
      EXPECT_GE(position->row, last_row);
      last_row = position->row;
      EXPECT_TRUE(found.insert({position->row, position->tap}).second) << name << " twice";
    }
    EXPECT_EQ(names.front(), "conv1_1");
    EXPECT_EQ(names[1], "relu1_1");
    EXPECT_EQ(names.back(), "pool5");
  }
}

}  // namespace
}  // namespace limn
