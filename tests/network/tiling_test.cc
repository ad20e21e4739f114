// How pictures are cut into tiles, and passes over tiles against one over all of the picture.
#include "network/tiling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "network/network.h"
#include "network/tiled_pass.h"
#include "support/drawn.h"

namespace limn {
namespace {

constexpr Row kRows[] = {
    {RowKind::convolution, "1_1", 3, 16}, {RowKind::convolution, "1_2", 16, 16},
    {RowKind::pooling, "1", 16, 16},      {RowKind::convolution, "2_1", 16, 16},
    {RowKind::pooling, "2", 16, 16},      {RowKind::convolution, "3_1", 16, 16},
};
constexpr int kStep = 16;

TEST(Tiling, ReceptiveRadiusAddsTheStridesOfConvolutions) {
  EXPECT_EQ(receptive_radius(kRows, 0), 1);
  EXPECT_EQ(receptive_radius(kRows, 2), 2);  // a pooling adds nothing
  EXPECT_EQ(receptive_radius(kRows, 5), 1 + 1 + 2 + 4);
  // relu5_1 of VGG-19 sees 70 pixels beyond its cell, of 16.
  const LayerPosition position = *find_layer(kVgg19, "relu5_1");
  EXPECT_EQ(receptive_radius(kVgg19.rows, position.row), 70);
}

// Every pixel is in one core; cores begin at multiples of the step, and are no narrower; patches
// hold their cores and the reach, as far as there is a picture.
void expect_covers(const Size& size, const Size& core, const Reach& reach, Edges edges) {
  SCOPED_TRACE(testing::Message() << size.width << " x " << size.height << " in " << core.width
                                  << " x " << core.height);
  const Tiling tiling = cut(size, core, reach, kStep, edges);
  std::vector<int> covered(static_cast<size_t>(size.height) * size.width);
  for (const auto& [own, patch] : tiling.tiles) {
    for (int y = own.row; y < own.end_row; ++y) {
      for (int x = own.column; x < own.end_column; ++x) {
        ++covered[static_cast<size_t>(y) * size.width + x];
      }
    }
    if (tiling.whole()) continue;
    for (const auto& [begin, end, from, to, side] :
         {std::array{own.row, own.end_row, patch.row, patch.end_row, size.height},
          std::array{own.column, own.end_column, patch.column, patch.end_column, size.width}}) {
      EXPECT_EQ(begin % kStep, 0);
      EXPECT_EQ((begin - from) % kStep, 0);
      EXPECT_GE(end - begin, std::min(side, kStep));
      const bool repeats = edges == Edges::periodic;
      EXPECT_LE(from, repeats ? begin - reach.before : std::max(0, begin - reach.before));
      EXPECT_GE(to, repeats ? end + reach.after : std::min(side, end + reach.after));
      EXPECT_TRUE(repeats || (from >= 0 && to <= side));
    }
  }
  EXPECT_TRUE(std::ranges::all_of(covered, [](int times) { return times == 1; }));
}

TEST(Tiling, CoversEveryPictureOnce) {
  for (const int height : {1, 15, 16, 17, 33, 100, 161}) {
    for (const int width : {16, 31, 97, 128}) {
      for (const int core : {0, 1, 16, 20, 48, 1000}) {
        expect_covers({height, width}, {core, core}, {10, 40}, Edges::zero);
        expect_covers({height, width}, {0, core}, {0, 0}, Edges::zero);
      }
    }
  }
  for (const int core : {16, 32, 64}) {
    expect_covers({96, 64}, {core, core}, {70, 70}, Edges::periodic);
  }
}

TEST(Tiling, MakesPatchesAboutEqual) {
  for (const Edges edges : {Edges::zero, Edges::periodic}) {
    const Tiling tiling = cut({2064, 2064}, {512, 512}, {70, 100}, kStep, edges);
    EXPECT_EQ(tiling.tiles.size(), 25u);  // 4 x 512 would leave a fifth of 16
    const auto [least, most] =
        std::ranges::minmax(tiling.tiles, {}, [](const Tile& tile) { return tile.patch.height(); });
    EXPECT_LE(most.patch.height(), 512 + 80 + 112);
    EXPECT_LE(most.patch.height() - least.patch.height(), 4 * kStep);
  }
  EXPECT_TRUE(cut({2064, 2064}, {4096, 4096}, {70, 70}, kStep, Edges::zero).whole());
}

// A halo larger than all of the picture leaves every tile its part.
TEST(Tiling, CutsWhereTheHaloIsLargerThanTheTiles) {
  const Tiling tiling = cut({96, 80}, {32, 32}, {70, 70}, kStep, Edges::zero);
  EXPECT_EQ(tiling.tiles.size(), 9u);
  for (const Tile& tile : tiling.tiles) EXPECT_LE(tile.core.height(), 48);
}

// The features and Gram matrices of all tiles against those of a single pass.
TEST(TiledPass, SeesWhatOnePassSees) {
  Random stream(3);
  const NetworkTable table = {"plain", kRows};
  Weights weights;
  weights.network = &table;
  weights.convention = kCaffeConvention;
  weights.convolutions = draw_convolutions(table, stream);
  const Size size = {75, 53};
  const Image picture = draw_picture(size.width, size.height, stream);
  ThreadPool pool(2);
  for (const Pooling pooling : {Pooling::max, Pooling::average}) {
    const Network network(weights, pooling, 5);
    const std::vector<TapRequest> taps = {{{0, Tap::output}, false, true},
                                          {{3, Tap::before_relu}, true, true},
                                          {{5, Tap::output}, true, false}};
    Pass all(network, size.height, size.width, taps, Purpose::features);
    all.forward(picture.rgb, InputMap(), pool);
    const Tiling tiling = cut(size, {32, 16}, {8, 8}, kStep, Edges::zero);
    TiledPass tiled(network, tiling, taps, Purpose::features, 2);
    std::vector<double> G(16 * 16);
    for (int tile = 0; tile < tiled.tiles(); ++tile) {
      tiled.forward(tile, picture.rgb, InputMap(), pool);
      for (size_t i = 0; i < G.size(); ++i) G[i] += tiled.gram(0)[i];
      for (const int tap : {1, 2}) {
        const ConstFeatureMap F = tiled.features(tap), expected = all.features(tap);
        const Window cells = tiled.cells(tap);
        ASSERT_EQ(F.height, cells.height());
        for (int c = 0; c < F.channels; ++c) {
          for (int y = 0; y < F.height; ++y) {
            for (int x = 0; x < F.width; ++x) {
              const float value = expected.at(c, cells.row + y, cells.column + x);
              ASSERT_NEAR(F.at(c, y, x), value, 1e-5 * (1 + std::abs(value)));
            }
          }
        }
      }
    }
    for (size_t i = 0; i < G.size(); ++i) {
      EXPECT_NEAR(G[i], all.gram(0)[i], 1e-5 * std::abs(all.gram(0)[i]));
    }
  }
}

}  // namespace
}  // namespace limn
