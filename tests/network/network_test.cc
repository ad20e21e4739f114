// Packed kernels, a network's sizes, and weights that end early.
#include "network/network.h"

#include <gtest/gtest.h>

#include <numeric>

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

TEST(Network, RefersToTheWeightsOfEveryRow) {
  const SmallNetwork small;
  const Network network(small.weights, Pooling::max, 8);
  EXPECT_EQ(network.pooling(), Pooling::max);
  ASSERT_EQ(network.rows().size(), 9u);
  size_t next = 0;
  for (int row = 0; row < 9; ++row) {
    if (small.rows[row].kind == RowKind::pooling) continue;
    EXPECT_EQ(&network.convolution(row), &small.weights.convolutions[next++]);
  }
  EXPECT_EQ(network.input_kernel().data(), small.weights.convolutions[0].kernel.values.data());
}

// Both orders of packing: of the picture's three planes, and of blocks of 16 channels.
TEST(Packed, IsWhatKernelsReadAndUnpackedTheSameToTheBit) {
  constexpr int kOut = 48;
  for (const int in : {3, 16, 32}) {
    std::vector<float> kernel(static_cast<size_t>(in) * kOut * 9);
    std::iota(kernel.begin(), kernel.end(), 1.0f);
    kernels::PackedKernel found = packed(kernel, in, kOut);
    EXPECT_EQ(found.in, in);
    EXPECT_EQ(found.out, kOut);
    const Buffer<float> expected = in == 3 ? kernels::pack_input_kernel(kernel, kOut)
                                           : kernels::pack_kernel(kernel, in, kOut).values;
    EXPECT_TRUE(same_bits(found.values, expected));
    EXPECT_TRUE(same_bits(unpacked(found), kernel));
    for (int o = 0; o < kOut; ++o) {
      for (int i = 0; i < in; ++i) {
        for (int tap = 0; tap < 9; ++tap) {
          EXPECT_EQ(kernel_cell(found, o / kBlock, i, tap)[o % kBlock],
                    kernel[static_cast<size_t>(o * in + i) * 9 + tap]);
        }
      }
    }
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
