// The canvas: what the optimiser moves, and what of a picture does not move.
#include "canvas/canvas.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "image/border.h"
#include "support/masks.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr Size kSize = {19, 26};
constexpr size_t kPixels = size_t{3} * 19 * 26;
const std::vector<double> kBands = {0.5, 0, 0.25};

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

Image picture_of(std::vector<float> rgb) {
  Image picture;
  picture.height = kSize.height;
  picture.width = kSize.width;
  picture.rgb = std::move(rgb);
  return picture;
}

struct Case {
  const char* name;
  Space space;
  bool keep, grey, bands;
  Symmetry symmetry = Symmetry::none;
};

class TheCanvas : public testing::TestWithParam<Case> {
 protected:
  Canvas canvas() {
    const auto& [name, space, keep, grey, bands, symmetry] = GetParam();
    CanvasForm form = {.grey = grey, .symmetry = symmetry};
    if (keep) form.keep = halves(kSize.width, kSize.height, 1, 0.25f);
    if (bands) form.bands = kBands;
    return Canvas(units_, kSize, std::move(form), pool_);
  }

  const Units units_{GetParam().space, kCaffeConvention};
  const Image photo_ = picture_of(random_values(kPixels, 1));
  ThreadPool pool_{2};
};

INSTANTIATE_TEST_SUITE_P(
    Of, TheCanvas,
    testing::Values(Case{"plain", Space::rgb, false, false, false},
                    Case{"network_unit", Space::network, false, false, false},
                    Case{"bands", Space::rgb, false, false, true},
                    Case{"bands_in_network_unit", Space::network, false, false, true},
                    Case{"kept", Space::rgb, true, false, false},
                    Case{"kept_without_bands", Space::rgb, true, false, true},
                    Case{"grey", Space::network, false, true, false},
                    Case{"grey_bands", Space::rgb, false, true, true},
                    Case{"grey_kept", Space::network, true, true, false},
                    Case{"left_right", Space::rgb, false, false, false, Symmetry::left_right},
                    Case{"up_down", Space::rgb, false, false, true, Symmetry::up_down},
                    Case{"both", Space::network, false, true, true, Symmetry::both},
                    Case{"rotate_180", Space::rgb, false, false, true, Symmetry::rotate_180}),
    [](const auto& info) { return info.param.name; });

// picture(a) . hold(b) is a . pull(b): one is the other's transpose, for what may move.
TEST_P(TheCanvas, PullsByTheTransposeOfItsPicture) {
  Canvas canvas = this->canvas();
  const std::vector<float> z = random_values(canvas.size(), 2);
  const std::vector<float> zero(canvas.size());
  // Without what does not depend on z.
  std::vector<float> x(kPixels), d_z(canvas.size());
  const auto copy_picture = [&](std::span<const float> of) {
    const std::span<const float> picture = canvas.picture(of);
    std::ranges::copy(picture, x.begin());
  };
  copy_picture(z);
  const std::vector<float> u = random_values(kPixels, 3);
  std::vector<float> held = u;
  canvas.hold(held);
  const std::span<float> d_x = canvas.d_picture(d_z);
  std::ranges::copy(u, d_x.begin());
  canvas.pull(d_z);
  const double length = std::sqrt(dot(x, x) * dot(u, u));
  EXPECT_NEAR(dot(x, held), dot(z, d_z), 30 * kEpsilon * length);
}

// Twice held is once held: a projection.
TEST_P(TheCanvas, HoldsStillWhatDoesNotMove) {
  Canvas canvas = this->canvas();
  const std::vector<float> u = random_values(kPixels, 4);
  std::vector<float> held = u;
  canvas.hold(held);
  const auto& [name, space, keep, grey, bands, symmetry] = GetParam();
  if (!keep && !grey && symmetry == Symmetry::none) {
    EXPECT_TRUE(same_bits(held, u));
  }
  for (size_t i = 0; i < kPixels && keep; ++i) {
    const bool kept = static_cast<int>(i % kSize.width) < kSize.width / 2;
    if (kept) {
      ASSERT_EQ(held[i], 0.0f) << i;
    } else if (!grey) {
      ASSERT_EQ(held[i], 0.75f * u[i]) << i;
    }
  }
  for (size_t i = 0; i < kPixels / 3 && grey; ++i) {  // a grey picture plus it is grey
    for (int c = 1; c < 3; ++c) {
      ASSERT_NEAR(held[c * kPixels / 3 + i] / units_.plane(c).gain, held[i] / units_.plane(0).gain,
                  1e-5);
    }
  }
}

TEST_P(TheCanvas, BeginsWithThePictureItIsGiven) {
  Canvas canvas = this->canvas();
  const Image given = picture_of(random_values(kPixels, 5));
  const Image found = canvas.image(canvas.of(units_.encode(given), photo_));
  EXPECT_EQ(found.width, kSize.width);
  EXPECT_EQ(found.height, kSize.height);
  const auto& [name, space, keep, grey, bands, symmetry] = GetParam();
  for (size_t i = 0; i < kPixels && symmetry == Symmetry::none; ++i) {
    const double share = !keep ? 0 : static_cast<int>(i % kSize.width) < kSize.width / 2 ? 1 : 0.25;
    double expected = given.rgb[i];
    if (grey) {
      expected = 0;
      for (int c = 0; c < 3; ++c) expected += given.rgb[c * kPixels / 3 + i % (kPixels / 3)] / 3;
    }
    expected = share * photo_.rgb[i] + (1 - share) * expected;
    ASSERT_NEAR(found.rgb[i], expected, 1e-5) << i;
  }
}

// To the bit: every pixel equals those that the symmetry maps it to, and the mean of what was given
// there.
TEST_P(TheCanvas, IsAsSymmetricAsItsForm) {
  const Symmetry symmetry = GetParam().symmetry;
  if (symmetry == Symmetry::none || GetParam().grey) return;
  Canvas canvas = this->canvas();
  const Image given = picture_of(random_values(kPixels, 7));
  std::vector<float> z = canvas.of(units_.encode(given), photo_);
  const Image first = canvas.image(z);
  for (float& value : z) value += 0.01f * static_cast<float>((&value - z.data()) % 5);
  const Image moved = canvas.image(z);
  const auto place = [](int c, int y, int x) {
    return (static_cast<size_t>(c) * kSize.height + y) * kSize.width + x;
  };
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < kSize.height; ++y) {
      for (int x = 0; x < kSize.width; ++x) {
        const int below = kSize.height - 1 - y, right = kSize.width - 1 - x;
        std::vector<size_t> same = {place(c, y, x)};
        if (symmetry == Symmetry::left_right) same.push_back(place(c, y, right));
        if (symmetry == Symmetry::up_down) same.push_back(place(c, below, x));
        if (symmetry == Symmetry::rotate_180) same.push_back(place(c, below, right));
        if (symmetry == Symmetry::both) {
          for (const auto& [i, j] : {std::pair{y, right}, {below, x}, {below, right}}) {
            same.push_back(place(c, i, j));
          }
        }
        double mean = 0;
        for (const size_t i : same) {
          ASSERT_EQ(first.rgb[i], first.rgb[same.front()]);
          ASSERT_EQ(moved.rgb[i], moved.rgb[same.front()]);
          mean += given.rgb[i] / static_cast<double>(same.size());
        }
        ASSERT_NEAR(first.rgb[same.front()], mean, 1e-5);
      }
    }
  }
  EXPECT_NE(first.rgb, moved.rgb);
}

TEST_P(TheCanvas, ClipsItsPicture) {
  Canvas canvas = this->canvas();
  Image given = picture_of(random_values(kPixels, 6));
  for (size_t i = 0; i < kPixels; i += 7) given.rgb[i] += 2;
  for (size_t i = 3; i < kPixels; i += 7) given.rgb[i] -= 2;
  std::vector<float> z = canvas.of(units_.encode(given), given);
  canvas.clip(z);
  for (const float value : canvas.image(z).rgb) {
    ASSERT_GE(value, -1e-5f);
    ASSERT_LE(value, 1 + 1e-5f);
  }
}

}  // namespace
}  // namespace limn
