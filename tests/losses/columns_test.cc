// Columns against their equation, in double, and the way back against the way there; and the
// structure loss, which reads two sets of them.
#include "losses/columns.h"

#include <gtest/gtest.h>

#include <set>

#include "losses/structure.h"
#include "losses/twins.h"
#include "network/imitation.h"
#include "support/losses_alone.h"
#include "support/random_values.h"
#include "support/same_bits.h"

namespace limn {
namespace {

const Size kPicture = {37, 22};
constexpr Row kRows[] = {{RowKind::convolution, "1_1", 3, 16},
                         {RowKind::pooling, "1", 16, 16},
                         {RowKind::convolution, "2_1", 16, 32}};
constexpr int kC1 = 16, kC2 = 32;

MapOfValues drawn_map(int channels, int height, int width, std::uint64_t seed) {
  Random random(seed);
  return {channels, height, width, [&](int, int, int) { return std::abs(random_signed(random)); }};
}

class ColumnsTest : public testing::Test {
 protected:
  Columns make(Places places, bool picture = false, const Mask& allowed = {}) {
    ColumnsInUse in_use;
    in_use.places = places;
    if (picture) in_use.parts.push_back({ColumnsInUse::kPicture, 1.0});
    if (places.kind != Places::Kind::grid) in_use.parts.push_back({0, kScales[0]});
    in_use.parts.push_back({1, kScales[1]});
    const std::vector<ConstFeatureMap> shapes = {layers_[0].map(), layers_[1].map()};
    return {in_use, in_use_, kRows, shapes, kPicture, units_, /*seed=*/5, allowed};
  }
  std::vector<ConstFeatureMap> layers() const { return {layers_[0].map(), layers_[1].map()}; }
  std::vector<View::Layer> view_layers() const {
    return {View::Layer(layers_[0].map()), View::Layer(layers_[1].map())};
  }
  ConstFeatureMap gathered(Columns& columns, std::span<const View::Layer> layers,
                           std::span<const float> x) {
    columns.begin_gathering();
    columns.gather(layers, pool_);
    return columns.end_gathering(x, pool_);
  }

  // The equation, without a student's root.
  static double interpolated(ConstFeatureMap F, int c, const Columns::Place& place) {
    double sum = 0;
    for (int y = 0; y < F.height; ++y) {
      for (int x = 0; x < F.width; ++x) {
        const double weight = std::max(0.0, 1 - std::abs(double{place.y} - y)) *
                              std::max(0.0, 1 - std::abs(double{place.x} - x));
        sum += weight * F.at(c, y, x);
      }
    }
    return sum;
  }

  static constexpr double kScales[] = {0.5, 0.25};
  ThreadPool pool_{2};
  const Units units_{Space::network, kCaffeConvention};
  std::vector<LayerInUse> in_use_ = {{.position = {0, Tap::output}, .channels = kC1},
                                     {.position = {2, Tap::output}, .channels = kC2}};
  const MapOfValues layers_[2] = {drawn_map(kC1, 37, 22, 1), drawn_map(kC2, 18, 11, 2)};
  const std::vector<float> x_ = random_values(3u * 37 * 22, 4);
};

TEST_F(ColumnsTest, HoldWhatTheirLayersHoldAtAQuarterOfThePicturesPlaces) {
  Columns columns = make({Places::Kind::quarter});
  const std::vector<View::Layer> layers = view_layers();
  const ConstFeatureMap h = gathered(columns, layers, x_);
  EXPECT_EQ(h.height, 9);
  EXPECT_EQ(h.width, 5);
  ASSERT_EQ(h.channels, kC1 + kC2);
  for (int y = 0; y < h.height; ++y) {
    for (int x = 0; x < h.width; ++x) {
      for (size_t part = 0; part < 2; ++part) {
        const ConstFeatureMap F = layers_[part].map();
        // Corners are corners.
        const Columns::Place place = {static_cast<float>(y * (F.height - 1) / 8.0),
                                      static_cast<float>(x * (F.width - 1) / 4.0)};
        for (int c = 0; c < F.channels; ++c) {
          ASSERT_NEAR(h.at(static_cast<int>(part) * kC1 + c, y, x),
                      kScales[part] * interpolated(F, c, place), 1e-6);
        }
      }
    }
  }
}

TEST_F(ColumnsTest, AreDrawnAtTheSamePlacesOfEveryLayerAndOfThePicture) {
  Columns columns = make({Places::Kind::drawn, 50}, /*picture=*/true);
  const std::vector<View::Layer> layers = view_layers();
  const ConstFeatureMap h = gathered(columns, layers, x_);
  ASSERT_EQ(h.width, 50);
  ASSERT_EQ(columns.used_channels(), 3 + kC1 + kC2);
  std::set<std::pair<float, float>> seen;
  for (int i = 0; i < 50; ++i) {
    const auto [y, x] = columns.places(0)[i];
    EXPECT_TRUE(seen.insert({y, x}).second) << "drawn twice";
    for (int c = 0; c < 3; ++c) {
      const Affine& unit = units_.plane(c);
      const float value = x_[(c * 37 + static_cast<size_t>(y)) * 22 + static_cast<size_t>(x)];
      EXPECT_NEAR(h.at(c, 0, i), (value - unit.offset) / unit.gain, 1e-6);
    }
    for (int c = 0; c < kC1; ++c) {
      ASSERT_NEAR(h.at(kBlock + c, 0, i), kScales[0] * interpolated(layers_[0].map(), c, {y, x}),
                  1e-6);
    }
    const Columns::Place halved = {std::min(y / 2, 17.0f), std::min(x / 2, 10.0f)};
    for (int c = 0; c < kC2; ++c) {
      ASSERT_NEAR(h.at(2 * kBlock + c, 0, i),
                  kScales[1] * interpolated(layers_[1].map(), c, halved), 1e-6);
    }
  }
}

TEST_F(ColumnsTest, MoveWhenTheyAreDrawnAgainButNotElsewhere) {
  Columns drawn = make({Places::Kind::drawn, 50}), grid = make({Places::Kind::grid, 4}),
          quarter = make({Places::Kind::quarter});
  const auto places = [](const Columns& columns) {
    std::vector<float> values;
    for (const auto& [y, x] : columns.places(0)) values.insert(values.end(), {y, x});
    return values;
  };
  const std::vector<float> of_drawn = places(drawn), of_quarter = places(quarter);
  std::set<std::vector<float>> of_grid;
  for (int i = 0; i < 20; ++i) {
    of_grid.insert(places(grid));
    grid.draw_next();
  }
  EXPECT_GT(of_grid.size(), 4u) << "of 4 x 4 offsets";
  drawn.draw_next();
  quarter.draw_next();
  EXPECT_NE(places(drawn), of_drawn);
  EXPECT_EQ(places(quarter), of_quarter);
}

TEST_F(ColumnsTest, StandOnAGridInsideTheMap) {
  Columns columns = make({Places::Kind::grid, 4});
  EXPECT_EQ(columns.shape().height, 4);  // of 18, every fourth
  EXPECT_EQ(columns.shape().width, 2);
  for (int i = 0; i < 20; ++i) {
    for (const auto& [y, x] : columns.places(0)) {
      EXPECT_LT(y, 18);
      EXPECT_LT(x, 11);
    }
    const auto places = columns.places(0);
    EXPECT_EQ(places[2].y - places[0].y, 4);
    EXPECT_EQ(places[1].x - places[0].x, 4);
    columns.draw_next();
  }
}

TEST_F(ColumnsTest, AreDrawnOnlyWhereTheyMayBe) {
  Mask left;
  left.width = 22;
  left.height = 37;
  for (int i = 0; i < 37 * 22; ++i) left.values.push_back(i % 22 < 7 ? 1.0f : 0.0f);
  Columns columns = make({Places::Kind::drawn, 50}, false, left);
  for (int i = 0; i < 5; ++i) {
    for (const auto& [y, x] : columns.places(0)) EXPECT_LT(x, 7);
    columns.draw_next();
  }
}

// <gather(F), y> = <F, spread(y)>.
TEST_F(ColumnsTest, PassGradientsOnByTheAdjoint) {
  Columns kinds[] = {make({Places::Kind::quarter}), make({Places::Kind::drawn, 50}, true),
                     make({Places::Kind::grid, 4})};
  for (Columns& columns : kinds) {
    const std::vector<View::Layer> layers = view_layers();
    const ConstFeatureMap shape = columns.shape();
    const MapOfValues y = drawn_map(shape.channels, shape.height, shape.width, 9);
    const ConstFeatureMap h = gathered(columns, layers, x_);
    double there = 0;
    for (int c = 0; c < h.channels; ++c) {
      for (int i = 0; i < h.height; ++i) {
        for (int j = 0; j < h.width; ++j) there += double{h.at(c, i, j)} * y.at(c, i, j);
      }
    }
    Scratch scratch;
    Buffer<float> sum(std::max(layers_[0].map().floats(), shape.floats()));
    Scratch::grow(scratch.own, layers_[0].map().floats());
    Slope slope;
    slope.sum = sum.data();
    slope.addends.emplace_back([&](ConstFeatureMap, FeatureMap d) {
      for (int c = 0; c < d.channels; ++c) {
        for (int i = 0; i < d.height; ++i) {
          for (int j = 0; j < d.width; ++j) d.at(c, i, j) += y.at(c, i, j);
        }
      }
    });
    std::vector<Slope> slopes(2);
    columns.take_slope(slope, pool_);
    columns.spread(layers, slopes, scratch, pool_);
    double back = 0;
    for (size_t layer = 0; layer < 2; ++layer) {
      if (slopes[layer].empty()) continue;
      const ConstFeatureMap F = layers_[layer].map();
      const MapOfValues d(F.channels, F.height, F.width);
      for (const auto& add : slopes[layer].addends) add(F, d.map());
      for (int c = 0; c < F.channels; ++c) {
        for (int i = 0; i < F.height; ++i) {
          for (int j = 0; j < F.width; ++j) back += double{F.at(c, i, j)} * d.at(c, i, j);
        }
      }
    }
    std::vector<float> d_x(x_.size());
    columns.spread_to_picture(d_x);
    for (size_t i = 0; i < x_.size(); ++i) {
      const Affine& unit = units_.plane(static_cast<int>(i / (37 * 22)));
      back += double{d_x[i]} * (x_[i] - unit.offset);  // columns are affine in x
    }
    EXPECT_NEAR(back, there, 1e-5 * std::abs(there));
  }
}

// Products of a student's columns are those by K.
TEST_F(ColumnsTest, OfAStudentCompareLikeItsTeachers) {
  Buffer<float> R(size_t{kC2} * kC2);
  Random random(7);
  for (int i = 0; i < kC2; ++i) {
    for (int j = i; j < kC2; ++j) R[i * kC2 + j] = random_signed(random);
  }
  const Imitation imitation = imitation_of("relu2_1", 2, 128, std::move(R));
  in_use_[1].imitation = &imitation;
  Columns columns = make({Places::Kind::grid, 0});
  const std::vector<View::Layer> layers = view_layers();
  const ConstFeatureMap h = gathered(columns, layers, x_);
  const Vectors of_columns = columns_of(h, kC2), of_layer = columns_of(layers_[1].map(), kC2);
  for (size_t p = 0; p + 1 < of_layer.size(); p += 7) {
    double expected = 0;
    for (int i = 0; i < kC2; ++i) {
      for (int j = 0; j < kC2; ++j) {
        expected += of_layer[p][i] * imitation.K[i * kC2 + j] * of_layer[p + 1][j];
      }
    }
    expected *= kScales[1] * kScales[1];
    const double scale = std::sqrt(product(of_columns[p], of_columns[p]) *
                                   product(of_columns[p + 1], of_columns[p + 1]));
    EXPECT_NEAR(product(of_columns[p], of_columns[p + 1]), expected, 1e-5 * scale);
  }
}

// ---- structure ----

class Structure : public ColumnsTest {
 protected:
  Structure() : columns_(make({Places::Kind::drawn, 21}, true)) {
    for (const MapOfValues& map : photo_) target_.layers.push_back(map.map());
    target_.x = random_values(x_.size(), 14);
  }
  static Vectors distances(const Vectors& X) {
    Vectors D(X.size(), Vector(X.size()));
    for (size_t j = 0; j < X.size(); ++j) {
      double sum = 0;
      for (size_t i = 0; i < X.size(); ++i) sum += D[i][j] = 1 - cosine(X[i], X[j]);
      for (size_t i = 0; i < X.size(); ++i) D[i][j] /= sum;
    }
    return D;
  }
  static double expected(const Vectors& X, const Vectors& P) {
    const Vectors of_X = distances(X), of_P = distances(P);
    double sum = 0;
    for (size_t i = 0; i < X.size(); ++i) {
      for (size_t j = 0; j < X.size(); ++j) sum += std::abs(of_X[i][j] - of_P[i][j]);
    }
    return kWeight * sum / static_cast<double>(X.size());
  }
  struct Found {
    double loss;
    Vectors X, gradient;
  };
  Found measured(const std::vector<View::Layer>& layers, std::span<const float> x) {
    Scratch scratch;
    StructureLoss loss(kWeight, 1, 2, columns_, target_, scratch);
    std::vector<View::Layer> all = layers;
    all.emplace_back(gathered(columns_, layers, x));
    const View view = {all, x, kPicture};
    seek_at(loss, view, pool_);
    const double value = loss_at(loss, view, scratch, pool_);
    Found found = {value, columns_of(all[2].F, all[2].F.channels), {}};
    std::vector<Slope> slopes(3);
    loss.spread(view, slopes, scratch, pool_);
    MapOfValues d(all[2].F.channels, 1, all[2].F.width);
    for (const auto& add : slopes[2].addends) add(all[2].F, d.map());
    found.gradient = columns_of(d.map(), all[2].F.channels);
    return found;
  }
  Vectors of_photo() {
    std::vector<View::Layer> layers;
    for (const MapOfValues& map : photo_) layers.emplace_back(map.map());
    const ConstFeatureMap h = gathered(columns_, layers, target_.x);
    return columns_of(h, h.channels);
  }

  static constexpr double kWeight = 1.3;
  const MapOfValues photo_[2] = {drawn_map(kC1, 37, 22, 11), drawn_map(kC2, 18, 11, 12)};
  StructureTarget target_;
  Columns columns_;
};

TEST_F(Structure, IsThatOfItsEquationAndSoIsItsSlope) {
  const Found found = measured(view_layers(), x_);
  const Vectors P = of_photo();
  const double loss = expected(found.X, P);
  EXPECT_NEAR(found.loss, loss, 1e-4 * loss);
  const Vectors gradient = gradient_of([&](const Vectors& X) { return expected(X, P); }, found.X);
  EXPECT_LT(relative_distance(found.gradient, gradient), 1e-3);
}

TEST_F(Structure, OfThePhotoItselfIsNothingWhateverTheScaleOfItsFeatures) {
  std::vector<View::Layer> layers;
  const std::vector<MapOfValues> doubled = [&] {
    std::vector<MapOfValues> maps;
    for (const MapOfValues& map : photo_) {
      const FeatureMap F = map.map();
      maps.emplace_back(F.channels, F.height, F.width,
                        [&](int c, int y, int x) { return 2 * F.at(c, y, x); });
    }
    return maps;
  }();
  for (const MapOfValues& map : doubled) layers.emplace_back(map.map());
  std::vector<float> x = target_.x;
  for (size_t i = 0; i < x.size(); ++i) {
    const float offset = units_.plane(static_cast<int>(i / (37 * 22))).offset;
    x[i] = 2 * (x[i] - offset) + offset;
  }
  EXPECT_LT(measured(layers, x).loss, 1e-5);
}

}  // namespace
}  // namespace limn
