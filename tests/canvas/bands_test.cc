// Pictures in bands against a twin in double, and the two directions against each other.
#include "canvas/bands.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/allocations.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/tolerance.h"

namespace limn {
namespace {

struct Shape {
  int height, width;
};

// Odd and even, the smallest that have a band, and such that some bands are left out.
constexpr Shape kShapes[] = {{7, 7},   {8, 8},   {9, 13}, {16, 7},
                             {17, 32}, {31, 29}, {50, 8}, {64, 65}};
const std::vector<double> kGains = {0.5, 0, 0.25, 0.125};

int half(int length) { return (length + 1) / 2; }

using Doubles = std::vector<double>;

// Linear interpolation at the centres of pixels half as large, the edge's value, or the opposite
// edge's, going on outside: pixel i of the larger row lies at (i + 1/2) / 2 - 1/2 of the smaller
// one.
double interpolated(const Doubles& in, int height, int width, double y, double x, bool repeats) {
  const auto inside = [&](int i, int length) {
    return repeats ? (i + length) % length : std::clamp(i, 0, length - 1);
  };
  const auto at = [&](int row, int column) {
    return in[static_cast<size_t>(inside(row, height)) * width + inside(column, width)];
  };
  const int row = static_cast<int>(std::floor(y)), column = static_cast<int>(std::floor(x));
  const double down = y - row, right = x - column;
  return (1 - down) * ((1 - right) * at(row, column) + right * at(row, column + 1)) +
         down * ((1 - right) * at(row + 1, column) + right * at(row + 1, column + 1));
}

Doubles enlarged(const Doubles& in, const Shape& small, const Shape& large, bool repeats) {
  Doubles out;
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x) {
      out.push_back(interpolated(in, small.height, small.width, (y + 0.5) / 2 - 0.5,
                                 (x + 0.5) / 2 - 0.5, repeats));
    }
  }
  return out;
}

// The three planes of x reflected so that grey comes to lie on the first axis: x - 2 (v . x) v /
// |v|^2 for v = (1, 0, 0) - (1, 1, 1) / sqrt(3).
void reflect(Doubles& x) {
  const double k = 1 / std::sqrt(3.0);
  const double v[] = {1 - k, -k, -k};
  const size_t plane = x.size() / 3;
  for (size_t i = 0; i < plane; ++i) {
    double along = 0;
    for (size_t c = 0; c < 3; ++c) along += v[c] * x[c * plane + i];
    for (size_t c = 0; c < 3; ++c) x[c * plane + i] -= 2 * along / (2 - 2 * k) * v[c];
  }
}

// x of z: each band is enlarged by itself, over all sizes between.
Doubles joined(const std::vector<float>& z, const Shape& whole, const std::vector<double>& gains,
               bool grey_apart = true, bool repeats = false) {
  std::vector<Shape> shapes = {whole};
  size_t at = 3 * static_cast<size_t>(whole.height) * whole.width;
  Doubles x(z.begin(), z.begin() + static_cast<std::ptrdiff_t>(at));
  for (const double gain : gains) {
    if (repeats && (shapes.back().height % 2 != 0 || shapes.back().width % 2 != 0)) break;
    shapes.push_back({half(shapes.back().height), half(shapes.back().width)});
    const Shape& shape = shapes.back();
    if (std::min(shape.height, shape.width) < 4) break;
    if (gain == 0) continue;
    const size_t plane = static_cast<size_t>(shape.height) * shape.width;
    for (size_t c = 0; c < 3; ++c) {
      Doubles band;
      for (size_t i = 0; i < plane; ++i) band.push_back(gain * z[at + c * plane + i]);
      for (size_t k = shapes.size() - 1; k > 0; --k)
        band = enlarged(band, shapes[k], shapes[k - 1], repeats);
      for (size_t i = 0; i < band.size(); ++i) x[c * band.size() + i] += band[i];
    }
    at += 3 * plane;
  }
  EXPECT_EQ(at, z.size());
  if (grey_apart) reflect(x);
  return x;
}

// The gradient with respect to z.
std::vector<float> gradient_split(Bands& bands, const std::vector<float>& d_x) {
  std::vector<float> d_z(d_x);
  d_z.resize(bands.size(), NAN);
  bands.split_gradient(d_z);
  return d_z;
}

TEST(Bands, JoinToTheSumOfTheirEnlargedPictures) {
  ThreadPool pool(2);
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(testing::Message() << shape.width << " x " << shape.height);
    Bands bands(shape.height, shape.width, kGains, pool);
    ASSERT_FALSE(bands.trivial());
    const std::vector<float> z = random_values(bands.size(), 1);
    std::vector<float> x(bands.pixels(), NAN);
    bands.join(z, x);
    const Doubles expected = joined(z, shape, kGains);
    ASSERT_EQ(x.size(), expected.size());
    // At most 1 + 0.5 + 0.25 + 0.125 large, through four sizes of a dozen roundings each at most.
    for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], expected[i], 50 * kEpsilon) << i;
  }
}

// <join z, x> = <z, split_gradient x>
TEST(Bands, MayLeaveRedGreenAndBlueTogether) {
  ThreadPool pool(2);
  const std::vector<double> gains = {1, 1};
  Bands bands(19, 22, gains, pool, /*grey_apart=*/false);
  const std::vector<float> z = random_values(bands.size(), 3);
  std::vector<float> x(bands.pixels());
  bands.join(z, x);
  const Doubles expected = joined(z, {19, 22}, gains, false);
  for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], expected[i], 20 * kEpsilon) << i;
  const std::vector<float> picture = random_values(bands.pixels(), 4);
  const std::vector<float> split = bands.split(picture);
  EXPECT_TRUE(std::equal(picture.begin(), picture.end(), split.begin()));
}

// Bands of a picture that repeats go on at the opposite edge, in both directions; those that would
// halve an odd side are left out.
TEST(Bands, OfAPictureThatRepeatsAreThoseOfItsTwin) {
  ThreadPool pool(2);
  const std::vector<double> gains = {0.5, 1, 0.25};
  for (const Shape& shape : {Shape{16, 32}, {32, 48}, {20, 24}, {24, 14}}) {
    SCOPED_TRACE(testing::Message() << shape.width << " x " << shape.height);
    Bands bands(shape.height, shape.width, gains, pool, true, /*repeats=*/true);
    const std::vector<float> z = random_values(bands.size(), 3);
    std::vector<float> x(bands.pixels());
    bands.join(z, x);
    const Doubles expected = joined(z, shape, gains, true, /*repeats=*/true);
    for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], expected[i], 50 * kEpsilon) << i;
    const std::vector<float> d_x = random_values(bands.pixels(), 4);
    const std::vector<float> d_z = gradient_split(bands, d_x);
    double by_x = 0, by_z = 0, size = 0;
    for (size_t i = 0; i < x.size(); ++i) by_x += double{x[i]} * d_x[i];
    for (size_t i = 0; i < z.size(); ++i) {
      by_z += double{z[i]} * d_z[i];
      size += std::abs(double{z[i]} * d_z[i]);
    }
    EXPECT_NEAR(by_x, by_z, 50 * kEpsilon * size);
  }
}

// The band and what is left of a picture are the whole; of an even picture nothing is in it, and of
// pixels that alternate, all.
TEST(FinestBand, IsWhatHalvingAPictureLoses) {
  for (const auto& [height, width] : {std::pair(8, 10), std::pair(7, 5)}) {
    const size_t values = 3 * static_cast<size_t>(height) * width;
    const std::vector<float> even(values, 0.3f);
    for (const float value : finest_band(even, height, width)) EXPECT_NEAR(value, 0, 1e-7);
  }
  std::vector<float> board(3 * 8 * 8);
  for (size_t i = 0; i < board.size(); ++i) board[i] = (i / 8 + i) % 2 == 0 ? 1.0f : 0.0f;
  const std::vector<float> band = finest_band(board, 8, 8);
  for (size_t i = 0; i < board.size(); ++i) EXPECT_NEAR(band[i], board[i] - 0.5f, 1e-6);
}

TEST(Bands, SplitGradientsAsTheAdjointOfJoining) {
  ThreadPool pool(2);
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE(testing::Message() << shape.width << " x " << shape.height);
    Bands bands(shape.height, shape.width, kGains, pool);
    const std::vector<float> z = random_values(bands.size(), 2);
    const std::vector<float> d_x = random_values(bands.pixels(), 3);
    std::vector<float> x(bands.pixels(), NAN);
    bands.join(z, x);
    const std::vector<float> d_z = gradient_split(bands, d_x);
    double by_x = 0, by_z = 0, size = 0;
    for (size_t i = 0; i < x.size(); ++i) by_x += double{x[i]} * d_x[i];
    for (size_t i = 0; i < z.size(); ++i) {
      by_z += double{z[i]} * d_z[i];
      size += std::abs(double{z[i]} * d_z[i]);
    }
    EXPECT_NEAR(by_x, by_z, 50 * kEpsilon * size);
    // A single value has no other to hide behind.
    std::vector<float> one(bands.size());
    for (size_t i = 0; i < z.size(); i += 1 + z.size() / 97) {
      one[i] = 1;
      bands.join(one, x);
      double sum = 0;
      for (size_t j = 0; j < x.size(); ++j) sum += double{x[j]} * d_x[j];
      ASSERT_NEAR(sum, d_z[i], 1e-5) << i;
      one[i] = 0;
    }
  }
}

TEST(Bands, SplitAPictureThatTheyJoinAgain) {
  ThreadPool pool(1);
  Bands bands(19, 22, kGains, pool);
  const std::vector<float> picture = random_values(bands.pixels(), 4);
  const std::vector<float> z = bands.split(picture);
  ASSERT_EQ(z.size(), bands.size());
  std::vector<float> x(bands.pixels());
  bands.join(z, x);
  for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(x[i], picture[i], 10 * kEpsilon) << i;
}

TEST(Bands, HoldGreyInTheFirstPlaneAlone) {
  ThreadPool pool(1);
  Bands bands(8, 9, kGains, pool);
  const std::vector<float> z = bands.split(std::vector<float>(bands.pixels(), 1.0f));
  for (size_t i = 0; i < z.size(); ++i) {
    ASSERT_NEAR(z[i], i < 8 * 9 ? std::sqrt(3.0) : 0.0, 4 * kEpsilon) << i;
  }
}

TEST(Bands, MoveAPictureByAnother) {
  ThreadPool pool(2);
  for (const std::vector<double>& gains : {kGains, std::vector<double>()}) {
    Bands bands(19, 22, gains, pool);
    std::vector<float> z = random_values(bands.size(), 6);
    std::vector<float> before(bands.pixels()), after(bands.pixels());
    bands.join(z, before);
    const std::vector<float> by = random_values(bands.pixels(), 7);
    std::vector<float> scratch = by;
    bands.move(scratch, z);
    bands.join(z, after);
    for (size_t i = 0; i < by.size(); ++i) {
      ASSERT_NEAR(after[i], before[i] + by[i], 30 * kEpsilon) << i;
    }
  }
}

TEST(Bands, OfOneValueEverywhereAreItsSumEverywhere) {
  ThreadPool pool(1);
  for (const Shape& shape : kShapes) {
    Bands bands(shape.height, shape.width, std::vector<double>{0.5}, pool);
    std::vector<float> x(bands.pixels());
    bands.join(std::vector<float>(bands.size(), 1.0f), x);
    // (1.5, 1.5, 1.5) reflected.
    const size_t plane = x.size() / 3;
    for (size_t i = 0; i < x.size(); ++i) {
      ASSERT_NEAR(x[i], i < plane ? 1.5 * std::sqrt(3.0) : 0.0, 20 * kEpsilon) << i;
    }
  }
}

TEST(Bands, ThatAreNotThereLeaveThePictureAsItIs) {
  ThreadPool pool(1);
  const std::vector<double> none, zeros = {0, 0, 0}, one = {1}, second = {0, 1};
  EXPECT_TRUE(Bands(50, 50, none, pool).trivial());
  EXPECT_TRUE(Bands(50, 50, zeros, pool).trivial());
  EXPECT_TRUE(Bands(6, 50, one, pool).trivial()) << "3 rows";
  EXPECT_TRUE(Bands(50, 6, one, pool).trivial());
  EXPECT_FALSE(Bands(7, 7, one, pool).trivial());
  EXPECT_TRUE(Bands(12, 50, second, pool).trivial());
  EXPECT_FALSE(Bands(13, 50, second, pool).trivial());
  EXPECT_TRUE(Bands(1, 1, one, pool).trivial());

  Bands bands(5, 6, one, pool);
  const std::vector<float> z = random_values(bands.size(), 5);
  EXPECT_EQ(bands.size(), bands.pixels());
  std::vector<float> x(bands.pixels());
  bands.join(z, x);
  EXPECT_TRUE(same_bits(x, z));
  EXPECT_TRUE(same_bits(gradient_split(bands, z), z));
}

TEST(Bands, HaveTheSizesOfThoseThatAreUsed) {
  ThreadPool pool(1);
  // 33 x 20 -> 17 x 10 -> 9 x 5 -> 5 x 3, which is too small.
  EXPECT_EQ(Bands(20, 33, std::vector<double>{1, 1, 1, 1}, pool).size(),
            3u * (33 * 20 + 17 * 10 + 9 * 5));
  EXPECT_EQ(Bands(20, 33, std::vector<double>{0, 1}, pool).size(), 3u * (33 * 20 + 9 * 5));
  EXPECT_EQ(Bands(20, 33, std::vector<double>{1, 0}, pool).size(), 3u * (33 * 20 + 17 * 10));
  const std::vector<Size> planes = {{20, 33}, {20, 33}, {20, 33}, {5, 9}, {5, 9}, {5, 9}};
  EXPECT_EQ(Bands(20, 33, std::vector<double>{0, 1}, pool).planes(), planes);
}

TEST(Bands, GiveTheSameBitsForAnyNumberOfThreadsAndAllocateNothing) {
  const auto run = [&](int threads) {
    ThreadPool pool(threads);
    Bands bands(61, 47, kGains, pool);
    const std::vector<float> z = random_values(bands.size(), 6);
    std::vector<float> x(bands.pixels()), d_z(bands.size());
    bands.join(z, x);
    std::ranges::copy(x, d_z.begin());
    const int before = allocations();
    bands.join(z, x);
    bands.split_gradient(d_z);
    EXPECT_EQ(allocations() - before, 0);
    x.insert(x.end(), d_z.begin(), d_z.end());
    return x;
  };
  const std::vector<float> expected = run(1);
  for (const int threads : {2, 3, 7}) EXPECT_TRUE(same_bits(run(threads), expected)) << threads;
}

}  // namespace
}  // namespace limn
