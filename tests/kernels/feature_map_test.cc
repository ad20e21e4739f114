// The layout that feature_map.h draws.
#include "kernels/feature_map.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "base/buffer.h"

namespace limn {
namespace {

constexpr int kSides[] = {1, 2, 3, 7, 14, 30, 31, 62, 126};

// A map and its memory.
struct Room {
  Room(int channels, int height, int width)
      : memory(FeatureMap{nullptr, channels, height, width}.floats()),
        map{memory.data(), channels, height, width} {}
  Buffer<float> memory;
  FeatureMap map;
};

// Calls check(map) for maps of many shapes.
template <typename Check>
void for_every_shape(Check&& check) {
  for (const int channels : {16, 48}) {
    for (const int height : kSides) {
      for (const int width : kSides) check(Room(channels, height, width).map);
    }
  }
}

TEST(FeatureMapLayout, RowsHaveOneCellMoreOnEitherSide) {
  for_every_shape([](const FeatureMap& map) {
    EXPECT_EQ(map.row_stride(), static_cast<size_t>(map.width + 2) * 16);
    EXPECT_EQ(map.blocks(), map.channels / 16);
    EXPECT_EQ(map.positions(), static_cast<size_t>(map.height) * map.width);
  });
}

TEST(FeatureMapLayout, PlanesHoldTheRingAndKeepTheAlignment) {
  for_every_shape([](const FeatureMap& map) {
    EXPECT_GE(map.plane_stride(), static_cast<size_t>(map.width + 2) * (map.height + 2) * 16);
    EXPECT_EQ(map.plane_stride() * sizeof(float) % 64, 0u);
    // Less than 2 KB and three cells are given away.
    EXPECT_LT(map.plane_stride(),
              static_cast<size_t>(map.width + 2) * (map.height + 2) * 16 + 512 + 3 * 16);
  });
}

// Equal pixels of 10 blocks must lie in different cache sets of the 32 that 2 KB have.
TEST(FeatureMapLayout, PlanesDoNotMeetInTheCache) {
  for_every_shape([](const FeatureMap& map) {
    std::set<size_t> sets;
    for (size_t block = 0; block < 10; ++block) {
      sets.insert(block * map.plane_stride() * sizeof(float) / 64 % 32);
    }
    EXPECT_EQ(sets.size(), 10u) << map.height << " x " << map.width;
  });
}

TEST(FeatureMapLayout, SlackOfTwoBlocksOfCellsFollowsTheLastPlane) {
  for_every_shape([](const FeatureMap& map) {
    EXPECT_EQ(map.floats(), map.plane_stride() * map.blocks() + 32 * 16);
  });
}

TEST(FeatureMapLayout, EveryCellHasAPlaceOfItsOwnInsideThePlane) {
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 5}, {6, 2}}) {
    const Room room(48, height, width);
    const FeatureMap map = room.map;
    std::set<std::ptrdiff_t> places;
    for (int block = 0; block < 3; ++block) {
      for (int y = -1; y <= height; ++y) {
        for (int x = -1; x <= width; ++x) {
          const std::ptrdiff_t place = map.cell(block, y, x) - map.data;
          EXPECT_EQ(place % 16, 0);
          EXPECT_GE(place, static_cast<std::ptrdiff_t>(map.plane_stride() * block));
          EXPECT_LE(place + 16, static_cast<std::ptrdiff_t>(map.plane_stride() * (block + 1)));
          EXPECT_TRUE(places.insert(place).second) << "two cells in one place";
        }
      }
    }
  }
}

TEST(FeatureMapLayout, ChannelsStandInBlocksOf16) {
  const Room room(32, 3, 4);
  const FeatureMap map = room.map;
  EXPECT_EQ(map.cell(0, -1, -1), map.data);
  EXPECT_EQ(map.cell(0, 0, 0) - map.data, (6 + 1) * 16);
  EXPECT_EQ(map.cell(0, 2, 3) - map.cell(0, 2, 2), 16);
  EXPECT_EQ(map.cell(0, 2, 0) - map.cell(0, 1, 0), 6 * 16);
  EXPECT_EQ(&map.at(0, 1, 2), map.cell(0, 1, 2));
  EXPECT_EQ(&map.at(15, 1, 2), map.cell(0, 1, 2) + 15);
  EXPECT_EQ(&map.at(16, 1, 2), map.cell(1, 1, 2));
  EXPECT_EQ(&map.at(31, 1, 2), map.cell(0, 1, 2) + map.plane_stride() + 15);
}

TEST(FeatureMapLayout, AConstViewIsOfTheSameMap) {
  const Room room(32, 3, 4);
  const FeatureMap map = room.map;
  const ConstFeatureMap view = map;
  EXPECT_EQ(view.channels, 32);
  EXPECT_EQ(view.height, 3);
  EXPECT_EQ(view.width, 4);
  EXPECT_EQ(&view.at(17, 2, 3), &map.at(17, 2, 3));
}

TEST(InputPlanesLayout, ThreePlanesWithARingStandBehindEachOther) {
  Buffer<float> memory(3 * 5 * 7 + 32);
  const InputPlanes planes = {memory.data(), 3, 5};
  EXPECT_EQ(planes.row_stride(), 7u);
  EXPECT_EQ(planes.plane_stride(), 35u);
  EXPECT_EQ(planes.floats(), memory.size());
  EXPECT_EQ(planes.row(0, -1) - 1, planes.data);
  EXPECT_EQ(planes.row(0, 0) - planes.data, 8);
  EXPECT_EQ(planes.row(2, 1) - planes.data, 2 * 35 + 2 * 7 + 1);
  const ConstInputPlanes view = planes;
  EXPECT_EQ(view.row(1, 2), planes.row(1, 2));
}

TEST(CellBitsLayout, OneWordForEachCellRowByRow) {
  Buffer<std::uint16_t> words(45);
  const CellBits bits = {words.data(), 3, 5};
  EXPECT_EQ(bits.row(0, 0), bits.data);
  EXPECT_EQ(bits.row(0, 2) - bits.data, 10);
  EXPECT_EQ(bits.row(2, 1) - bits.data, 2 * 15 + 5);
  EXPECT_EQ(bit_words(48, 3, 5), 45u);
}

}  // namespace
}  // namespace limn
