// Pictures in the palette of paintings: the statistics promised, the filter against its formula,
// and nothing that depends on what cannot be seen.
#include "image/palette.h"

#include <cmath>
#include <random>

#include "image/colour.h"
#include "image/oklab.h"
#include "measured_spread.h"
#include "pictures.h"

namespace limn {
namespace {

constexpr double kWidening = 1e-4;
constexpr int kReach = 5;  // of the filter: one pixel a pass

// A picture of colours given in Oklab, which sRGB should have.
Image painted_lab(int width, int height, const std::function<Oklab(int, int)>& colour) {
  return painted(width, height, [&](int x, int y, int c) {
    const Oklab wanted = colour(x, y);
    const auto rgb = srgb_of(wanted);
    const Oklab found = oklab_of(rgb[0], rgb[1], rgb[2]);
    EXPECT_NEAR(found.a, wanted.a, 1e-4) << "a colour that sRGB has not";
    EXPECT_NEAR(found.b, wanted.b, 1e-4) << "a colour that sRGB has not";
    return rgb[static_cast<size_t>(c)];
  });
}

// Each `patch` pixels of one colour, all of them around `mean`: a and b together, more or less.
Image patches(int count, int patch, Oklab mean, std::array<float, 2> scale, float together,
              unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<Oklab> colours(static_cast<size_t>(count) * count);
  for (Oklab& colour : colours) {
    const float first = uniform(random), second = uniform(random);
    colour = {mean.L + 0.1f * uniform(random), mean.a + scale[0] * first,
              mean.b + scale[1] * (together * first + (1 - together) * second)};
  }
  return painted_lab(count * patch, count * patch, [&](int x, int y) {
    return colours[static_cast<size_t>(y / patch) * count + x / patch];
  });
}

// The covariance that the map leaves: T (from + e) T^T = to + e, so T from T^T = to + e - e T T^T.
Matrix3 mapped_covariance(const Spread& from, const Spread& to, int first) {
  Matrix3 f{}, t{}, result{};
  for (int p = first; p < 3; ++p) {
    for (int q = first; q < 3; ++q) {
      f[p][q] = from.covariance[p][q];
      t[p][q] = to.covariance[p][q];
    }
  }
  const Matrix3 T = whitening_colouring_map(f, t, kWidening);
  for (int p = first; p < 3; ++p) {
    for (int q = first; q < 3; ++q) {
      double square = 0;
      for (int k = 0; k < 3; ++k) square += T[p][k] * T[q][k];
      result[p][q] = t[p][q] + kWidening * ((p == q ? 1 : 0) - square);
    }
  }
  return result;
}

Palette palette_of(const Image& painting) {
  const PaletteSource source{&painting};
  return *limn::palette_of({&source, 1});
}

// The picture, half transparent, and below it as many pixels of rubbish that nobody can see.
Image with_hidden_rubbish(const Image& image) {
  Image wide = painted(image.width, 2 * image.height, [&](int x, int y, int c) {
    return y < image.height ? at(image, x, y, c) : (x % 2 == 0 ? 1.0f : 0.0f);
  });
  wide.alpha.assign(wide.rgb.size() / 3, 0.0f);
  std::fill_n(wide.alpha.begin(), wide.alpha.size() / 2, 0.5f);
  return wide;
}

void expect_same_palette(const Palette& found, const Palette& right) {
  for (size_t p = 0; p < 3; ++p) {
    EXPECT_NEAR(found.spread.mean[p], right.spread.mean[p], 1e-12);
    EXPECT_EQ(found.least[p], right.least[p]);
    EXPECT_EQ(found.most[p], right.most[p]);
    for (size_t q = 0; q < 3; ++q)
      EXPECT_NEAR(found.spread.covariance[p][q], right.spread.covariance[p][q], 1e-12);
  }
}

// Five by five patches, wide enough that their centres are out of the filter's reach.
constexpr int kPatch = 2 * kReach + 3;
const Image kPhoto = patches(5, kPatch, {0.6f, 0.03f, -0.02f}, {0.06f, 0.08f}, 0.5f, 1);
const Image kPainting = patches(60, 1, {0.65f, -0.02f, 0.03f}, {0.05f, 0.05f}, -0.3f, 2);
const Image kPainted = patches(65, 1, {0.65f, 0.02f, 0.02f}, {0.03f, 0.03f}, 0.1f, 3);

// ---- the palette ----

TEST(Palette, IsMeasuredInOklab) {
  const Palette palette = palette_of(kPainting);
  const Spread right = measured(kPainting);
  Vector3 least, most;
  least.fill(1);
  most.fill(-1);
  for (int y = 0; y < kPainting.height; ++y) {
    for (int x = 0; x < kPainting.width; ++x) {
      const auto [L, a, b] = colour_at(kPainting, x, y);
      const Vector3 values = {L, a, b};
      for (size_t p = 0; p < 3; ++p) {
        least[p] = std::min(least[p], values[p]);
        most[p] = std::max(most[p], values[p]);
      }
    }
  }
  expect_same_palette(palette, {right, least, most});
}

TEST(Palette, PoolsThePixelsOfAllPaintings) {
  const Image left = painted(20, 60, [](int x, int y, int c) { return at(kPainting, x, y, c); });
  const Image right =
      painted(40, 60, [](int x, int y, int c) { return at(kPainting, x + 20, y, c); });
  const std::vector<PaletteSource> sources = {{&left}, {&right}};
  expect_same_palette(*limn::palette_of(sources), palette_of(kPainting));
  const std::vector<PaletteSource> one = {{&left, nullptr, 0}, {&right, nullptr, 0.5}};
  expect_same_palette(*limn::palette_of(one), palette_of(right));
  const std::vector<PaletteSource> none = {{&left, nullptr, 0}};
  EXPECT_FALSE(limn::palette_of(none));
}

TEST(Palette, CountsOnlyWhatIsSeenAndSelected) {
  const Palette right = palette_of(kPainting);
  Image wide = with_hidden_rubbish(kPainting);
  expect_same_palette(palette_of(wide), right);
  const Mask mask{1, 2, {1, 0}};
  std::ranges::fill(wide.alpha, 1.0f);
  const Image top = painted(60, 30, [](int x, int y, int c) { return at(kPainting, x, y, c); });
  // The mask's edge is resampled; selecting the upper of two equal halves is right in any case.
  const Image twice =
      painted(60, 60, [](int x, int y, int c) { return at(kPainting, x, y % 30, c); });
  Mask upper{60, 60, std::vector<float>(3600, 0.0f)};
  std::fill_n(upper.values.begin(), 1800, 1.0f);
  const PaletteSource half{&twice, &upper};
  expect_same_palette(*limn::palette_of({&half, 1}), palette_of(top));
  const PaletteSource coarse{&wide, &mask};
  EXPECT_LT(limn::palette_of({&coarse, 1})->spread.covariance[0][0],
            0.5 * palette_of(wide).spread.covariance[0][0]);
  wide.alpha.assign(wide.alpha.size(), 0.0f);
  EXPECT_FALSE(limn::palette_of({&coarse, 1}));
}

// ---- pictures in it ----

// Where all within reach of the filter has one colour, nothing is filtered; and with patches of one
// size, their centres are distributed like the photo.
TEST(InPalette, ThePhotosColoursHaveThePaintingsMeanAndCovariance) {
  Palette palette = palette_of(kPainting);
  palette.least.fill(-1);  // clamps nothing
  palette.most.fill(1);
  const Image out = in_palette(kPainted, kPhoto, palette);
  ASSERT_NO_FATAL_FAILURE(expect_sound(out));
  const Spread photo = measured(kPhoto), right = measured(kPainting);
  const Spread found = measured(out, kPatch / 2, kPatch);
  const Matrix3 covariance = mapped_covariance(photo, right, 1);
  ASSERT_GT(std::abs(photo.mean[1] - right.mean[1]), 0.02);
  ASSERT_GT(std::abs(photo.covariance[1][2] - right.covariance[1][2]), 3e-4);
  for (int p = 1; p < 3; ++p) {
    EXPECT_NEAR(found.mean[p], right.mean[p], 1e-4);
    for (int q = 1; q < 3; ++q) {
      EXPECT_NEAR(found.covariance[p][q], covariance[p][q], 5e-6) << p << q;
      EXPECT_NEAR(covariance[p][q], right.covariance[p][q], 2e-4) << p << q;
    }
  }
}

TEST(InPalette, LightnessIsThePaintedOneWithinThePaintingsRange) {
  const Image ramp = painted_lab(101, 40, [](int x, int) {
    return Oklab{0.01f * static_cast<float>(x), 0, 0};
  });
  const Palette palette = palette_of(kPainting);
  ASSERT_GT(palette.least[0], 0.5);
  ASSERT_LT(palette.most[0], 0.8);
  const Image out = in_palette(ramp, kPhoto, palette);
  for (int y = 0; y < ramp.height; ++y) {
    for (int x = 0; x < ramp.width; ++x) {
      const double right = std::clamp<double>(0.01 * x, palette.least[0], palette.most[0]);
      ASSERT_NEAR(colour_at(out, x, y).L, right, 2e-4) << x;
    }
  }
}

TEST(InPalette, ColoursStayInThePaintingsRange) {
  // Most of the painting is of two colours: mapped to their spread, a photo with a few colours far
  // from all others would go beyond them.
  const Image painting = painted_lab(32, 32, [](int x, int y) {
    return Oklab{0.65f, x % 2 == 0 ? 0.05f : -0.05f, y % 2 == 0 ? 0.04f : -0.04f};
  });
  const Image photo = painted_lab(40, 40, [](int x, int y) {
    return x < 12 && y < 12 ? Oklab{0.6f, 0.1f, -0.08f} : Oklab{0.6f, 0, 0};
  });
  const Image flat = painted_lab(40, 40, [](int, int) { return Oklab{0.65f, 0, 0}; });
  const Image out = in_palette(flat, photo, palette_of(painting));
  EXPECT_NEAR(colour_at(out, 3, 3).a, 0.05f, 2e-4);
  EXPECT_NEAR(colour_at(out, 3, 3).b, -0.04f, 2e-4);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 40; ++x) {
      ASSERT_LT(std::abs(colour_at(out, x, y).a), 0.0502f);
      ASSERT_LT(std::abs(colour_at(out, x, y).b), 0.0402f);
    }
  }
}

// In its own palette the photo is mapped to itself, so that only the filter is left.
TEST(InPalette, IsFilteredAsTheFormulaSays) {
  const Image photo = patches(23, 1, {0.65f, 0.01f, 0.02f}, {0.04f, 0.04f}, 0.2f, 4);
  const Image picture = patches(23, 1, {0.65f, 0, 0}, {0.02f, 0.02f}, 0, 5);
  const int size = photo.width;
  Palette palette = palette_of(photo);
  palette.least.fill(-1);  // clamps nothing
  palette.most.fill(1);
  using Colours = std::vector<std::array<double, 2>>;
  Colours colours(static_cast<size_t>(size) * size);
  const auto index = [&](int x, int y) { return static_cast<size_t>(y) * size + x; };
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x)
      colours[index(x, y)] = {colour_at(photo, x, y).a, colour_at(photo, x, y).b};
  for (int pass = 0; pass < 5; ++pass) {
    const Colours from = colours;
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        double total = 0, a = 0, b = 0;
        for (int v = std::max(y - 1, 0); v < std::min(y + 2, size); ++v) {
          for (int u = std::max(x - 1, 0); u < std::min(x + 2, size); ++u) {
            const double apart = double{colour_at(picture, u, v).L} - colour_at(picture, x, y).L;
            const double weight = std::exp(-10 * std::abs(apart));
            total += weight;
            a += weight * from[index(u, v)][0];
            b += weight * from[index(u, v)][1];
          }
        }
        colours[index(x, y)] = {a / total, b / total};
      }
    }
  }
  const Image out = in_palette(picture, photo, palette);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      ASSERT_NEAR(colour_at(out, x, y).a, colours[index(x, y)][0], 5e-5) << x << " " << y;
      ASSERT_NEAR(colour_at(out, x, y).b, colours[index(x, y)][1], 5e-5) << x << " " << y;
    }
  }
}

TEST(InPalette, KeepsColoursApartWhereLightnessDoes) {
  const Image photo = painted_lab(40, 40, [](int x, int) {
    return Oklab{0.6f, x < 20 ? 0.04f : -0.04f, x < 20 ? 0.02f : -0.03f};
  });
  const Palette palette = palette_of(kPainting);
  const auto step_at = [&](float dark, float light) {
    const Image picture = painted_lab(40, 40, [&](int x, int) {
      return Oklab{x < 20 ? dark : light, 0, 0};
    });
    const Image out = in_palette(picture, photo, palette);
    return std::abs(colour_at(out, 20, 20).a - colour_at(out, 19, 20).a) /
           std::abs(colour_at(out, 39, 20).a - colour_at(out, 0, 20).a);
  };
  EXPECT_LT(step_at(0.65f, 0.65f), 0.3f);
  EXPECT_GT(step_at(0.56f, 0.74f), 1.5f * step_at(0.65f, 0.65f));
}

TEST(InPalette, OfANearlyGreyPaintingIsThePictureItself) {
  const auto tinted = [](float scale) {
    return patches(40, 1, {0.6f, 0.01f, 0.02f}, {scale, scale}, 0, 6);
  };
  const Palette palette = palette_of(tinted(0.012f));
  ASSERT_LT(palette.spread.covariance[1][1], 6e-5);
  const Image out = in_palette(kPainted, kPhoto, palette);
  const Spread from = measured(kPainted), found = measured(out);
  const Matrix3 covariance = mapped_covariance(from, palette.spread, 0);
  for (int p = 0; p < 3; ++p) {
    EXPECT_NEAR(found.mean[p], palette.spread.mean[p], 2e-4);
    for (int q = 0; q < 3; ++q) EXPECT_NEAR(found.covariance[p][q], covariance[p][q], 5e-6);
  }
  // Whatever the photo; and only just so.
  EXPECT_EQ(in_palette(kPainted, kPainting, palette).rgb, out.rgb);
  const Palette coloured = palette_of(tinted(0.016f));
  ASSERT_GT(coloured.spread.covariance[1][1], 6e-5);
  EXPECT_NE(in_palette(kPainted, kPainting, coloured).rgb,
            in_palette(kPainted, kPhoto, coloured).rgb);
}

TEST(InPalette, CountsNothingThatIsTransparent) {
  const Palette palette = palette_of(kPainting);
  const Palette grey = palette_of(lightness_of(kPainting));
  const Image picture = with_hidden_rubbish(kPainted);
  Image photo = with_hidden_rubbish(kPhoto);
  for (const Palette& any : {palette, grey}) {
    const Image right = in_palette(kPainted, kPhoto, any);
    const Image out = in_palette(picture, photo, any);
    EXPECT_EQ(out.alpha, picture.alpha);
    for (int y = 0; y < kPainted.height - kReach; ++y)
      for (int x = 0; x < kPainted.width; ++x)
        for (int c = 0; c < 3; ++c) ASSERT_NEAR(at(out, x, y, c), at(right, x, y, c), 1e-5f);
    // Not even at the edge.
    for (size_t i = 0; i < photo.rgb.size(); ++i)
      if (photo.alpha[i % photo.alpha.size()] == 0) photo.rgb[i] = 0.25f;
    EXPECT_EQ(in_palette(picture, photo, any).rgb, out.rgb);
  }
  photo.alpha.assign(photo.alpha.size(), 0.0f);
  EXPECT_EQ(in_palette(picture, photo, palette).rgb, picture.rgb);
}

TEST(InPalette, IsSoundForAnyPictures) {
  const Image constant = painted(7, 5, [](int, int, int c) { return 0.3f + 0.2f * c; });
  const Image black = painted(1, 1, [](int, int, int) { return 0.0f; });
  const Image vivid = painted(6, 9, [](int x, int y, int c) { return (x + y) % 3 == c; });
  for (const Image& painting : {constant, black, vivid})
    for (const Image& photo : {constant, black, vivid})
      for (const Image& picture : {constant, black, vivid})
        ASSERT_NO_FATAL_FAILURE(expect_sound(in_palette(picture, photo, palette_of(painting))));
}

TEST(InPalette, IsTheSameTwice) {
  EXPECT_EQ(in_palette(kPainted, kPhoto, palette_of(kPainting)).rgb,
            in_palette(kPainted, kPhoto, palette_of(kPainting)).rgb);
}

TEST(InPalette, OfTornPicturesIsRefused) {
  Image torn = kPhoto;
  torn.rgb.pop_back();
  const Palette palette = palette_of(kPainting);
  EXPECT_EQ(error_of([&] { palette_of(torn); }).kind(), ErrorKind::usage);
  EXPECT_EQ(error_of([&] { in_palette(torn, kPhoto, palette); }).kind(), ErrorKind::usage);
  EXPECT_EQ(error_of([&] { in_palette(kPainted, torn, palette); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace limn
