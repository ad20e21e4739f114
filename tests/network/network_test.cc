// Packing a network, its sizes, and weights that end early.
#include "network/network.h"

#include <gtest/gtest.h>

#include "kernels/reference.h"
#include "support/composed_network.h"
#include "support/errors.h"
#include "support/same_bits.h"

namespace limn {
namespace {

int row_of(const NetworkTable& table, std::string_view layer) {
  return find_layer(table, layer)->row;
}

TEST(SmallestSide, DoublesWithEveryMaxPoolingOnTheWay) {
  const auto side = [](std::string_view layer) {
    return smallest_side(kVgg19.rows, Pooling::max, row_of(kVgg19, layer));
  };
  EXPECT_EQ(side("conv1_1"), 1);
  EXPECT_EQ(side("relu1_2"), 1);
  EXPECT_EQ(side("pool1"), 2);
  EXPECT_EQ(side("relu2_2"), 2);
  EXPECT_EQ(side("relu3_1"), 4);
  EXPECT_EQ(side("pool3"), 8);
  EXPECT_EQ(side("relu4_2"), 8);
  EXPECT_EQ(side("relu5_1"), 16);
  EXPECT_EQ(side("pool5"), 32);
}

TEST(SmallestSide, IsOneForAveragePooling) {
  for (int row = 0; row < static_cast<int>(kVgg19.rows.size()); ++row) {
    EXPECT_EQ(smallest_side(kVgg19.rows, Pooling::average, row), 1);
  }
}

// The name's own words: one pixel less leaves no cell, this many leave one.
TEST(SmallestSide, LeavesOneCellAndOneLessLeavesNone) {
  const auto side_after = [](Pooling pooling, int side) {
    for (const Row& row : kVgg19.rows) {
      if (row.kind == RowKind::pooling) side = pooled_side(pooling, side);
    }
    return side;
  };
  const int last_row = static_cast<int>(kVgg19.rows.size()) - 1;
  const int smallest = smallest_side(kVgg19.rows, Pooling::max, last_row);
  EXPECT_EQ(side_after(Pooling::max, smallest), 1);
  EXPECT_EQ(side_after(Pooling::max, smallest - 1), 0);
  EXPECT_EQ(side_after(Pooling::average, 1), 1);
}

TEST(PooledSide, DropsAnOddCellForMaxAndKeepsItForAverage) {
  for (int side = 1; side < 20; ++side) {
    EXPECT_EQ(pooled_side(Pooling::max, side), side / 2);
    EXPECT_EQ(pooled_side(Pooling::average, side), (side + 1) / 2);
  }
}

TEST(Network, PacksEveryRow) {
  const SmallNetwork small;
  const Network network(small.weights, Pooling::max, 8);
  EXPECT_EQ(network.pooling(), Pooling::max);
  ASSERT_EQ(network.rows().size(), 9u);
  EXPECT_TRUE(same_bits(std::span<const float>(network.input_kernel()),
                        std::span<const float>(
                            kernels::pack_input_kernel(small.weights.convolutions[0].kernel, 16))));
  size_t next = 0;
  for (int row = 0; row < 9; ++row) {
    const Network::PackedConvolution& packed = network.convolution(row);
    if (small.rows[row].kind == RowKind::pooling) {
      EXPECT_TRUE(packed.bias.empty());
      continue;
    }
    const Convolution& convolution = small.weights.convolutions[next++];
    EXPECT_TRUE(same_bits(packed.bias, convolution.bias));
    if (row == 0) continue;
    const auto expected = kernels::pack_kernel(convolution.kernel, convolution.in, convolution.out);
    EXPECT_EQ(packed.kernel.in, expected.in);
    EXPECT_EQ(packed.kernel.out, expected.out);
    EXPECT_TRUE(same_bits(packed.kernel.values, expected.values));
  }
}

TEST(Network, EndsAtTheRowAskedFor) {
  const SmallNetwork small;
  const Network network(small.weights, Pooling::max, 2);
  EXPECT_EQ(network.rows().size(), 3u);
  EXPECT_EQ(network.rows().back().id, "1");
}

TEST(Network, OfWeightsThatEndTooEarlyNamesTheLayerThatIsMissing) {
  SmallNetwork small;
  small.weights.convolutions.resize(2);  // 1_1 and 1_2
  EXPECT_TRUE(says(error_of([&] { Network(small.weights, Pooling::max, 3); }), ErrorKind::usage,
                   "small.h5", "conv2_1", "small"));
  // The first that is missing, not the deepest that was asked for.
  EXPECT_TRUE(says(error_of([&] { Network(small.weights, Pooling::average, 8); }), ErrorKind::usage,
                   "conv2_1"));
}

TEST(Network, OfWeightsThatEndEarlyServesAllLayersThereAre) {
  SmallNetwork small;
  small.weights.convolutions.resize(2);
  EXPECT_EQ(Network(small.weights, Pooling::max, 1).rows().size(), 2u);
  EXPECT_EQ(Network(small.weights, Pooling::max, 2).rows().size(), 3u) << "pool1 needs no more";
}

}  // namespace
}  // namespace limn
