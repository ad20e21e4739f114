// Oklab against published values, there and back, and what is done to colours sRGB does not have.
#include "image/oklab.h"

#include <cmath>

#include "pictures.h"

namespace limn {
namespace {

constexpr int kLevels = 17;  // of each channel: 17^3 colours

template <typename Act>
void each_colour(Act&& act) {
  for (int i = 0; i < kLevels * kLevels * kLevels; ++i) {
    act(static_cast<float>(i / (kLevels * kLevels)) / (kLevels - 1),
        static_cast<float>(i / kLevels % kLevels) / (kLevels - 1),
        static_cast<float>(i % kLevels) / (kLevels - 1));
  }
}

TEST(Oklab, HasThePublishedValues) {
  // Of sRGB's corners, as CSS Color 4 and its implementations have them, in three digits.
  const struct {
    std::array<float, 3> rgb;
    Oklab lab;
  } known[] = {{{0, 0, 0}, {0, 0, 0}},
               {{1, 1, 1}, {1, 0, 0}},
               {{1, 0, 0}, {0.628f, 0.225f, 0.126f}},
               {{0, 1, 0}, {0.866f, -0.234f, 0.179f}},
               {{0, 0, 1}, {0.452f, -0.032f, -0.312f}},
               {{1, 1, 0}, {0.968f, -0.071f, 0.199f}}};
  for (const auto& [rgb, lab] : known) {
    const Oklab found = oklab_of(rgb[0], rgb[1], rgb[2]);
    EXPECT_NEAR(found.L, lab.L, 6e-4);
    EXPECT_NEAR(found.a, lab.a, 6e-4);
    EXPECT_NEAR(found.b, lab.b, 6e-4);
  }
}

TEST(Oklab, GoesThereAndBack) {
  // A hundredth of an 8-bit step. The published inverse fits to ten digits; roundings of floats
  // grow with cubes and with the slope of sRGB's curve, which is 12.92 at black.
  each_colour([](float red, float green, float blue) {
    const auto back = srgb_of(oklab_of(red, green, blue));
    ASSERT_NEAR(back[0], red, 4e-5);
    ASSERT_NEAR(back[1], green, 4e-5);
    ASSERT_NEAR(back[2], blue, 4e-5);
  });
}

TEST(Oklab, FollowsTheCurveOfSrgb) {
  for (int i = 0; i <= 4000; ++i) {
    const float value = static_cast<float>(i) / 4000;
    EXPECT_NEAR(srgb_encoded(srgb_light(value)), value, 1e-6);
    // The lightness of a grey is the cube root of its light.
    const Oklab grey = oklab_of(value, value, value);
    ASSERT_NEAR(grey.L, std::cbrt(srgb_light(value)), 1e-6) << value;
    ASSERT_NEAR(grey.a, 0, 1e-6);
    ASSERT_NEAR(grey.b, 0, 1e-6);
    ASSERT_NEAR(grey_of(grey.L), value, 4e-6) << value;
  }
}

TEST(Oklab, ClampsWhatIsNoColour) {
  const float nan = std::nanf("");
  const Oklab odd = oklab_of(-3.0f, nan, 5.0f);
  const Oklab blue = oklab_of(0, 0, 1);
  EXPECT_EQ(odd.L, blue.L);
  EXPECT_EQ(odd.a, blue.a);
  EXPECT_EQ(odd.b, blue.b);
  for (const float L : {-1.0f, 0.0f, 1.0f, 2.0f}) {
    for (const float value : srgb_of({L, 0.1f, 0.1f})) EXPECT_NEAR(value, L > 0.5f, 1e-3) << L;
    EXPECT_NEAR(grey_of(L), L > 0.5f, 1e-6) << L;
  }
}

TEST(Oklab, ReducesOnlyTheChromaOfWhatSrgbDoesNotHave) {
  int reduced = 0;
  for (int i = 0; i < 20 * 36; ++i) {
    const float L = 0.025f + 0.05f * static_cast<float>(i % 20);
    const float hue = 6.2831853f / 36 * static_cast<float>(i / 20);
    const Oklab wanted = {L, 0.3f * std::cos(hue), 0.3f * std::sin(hue)};
    const auto rgb = srgb_of(wanted);
    for (const float value : rgb) ASSERT_TRUE(value >= 0 && value <= 1);
    const Oklab found = oklab_of(rgb[0], rgb[1], rgb[2]);
    const double chroma = std::hypot(found.a, found.b);
    ASSERT_NEAR(grey_of(found.L), grey_of(L), 5e-4);  // an eighth of an 8-bit step
    // On the ray of the hue, the crosswise distance being small.
    ASSERT_NEAR(found.a * std::sin(hue) - found.b * std::cos(hue), 0, 2e-3) << L << " " << hue;
    ASSERT_GT(found.a * std::cos(hue) + found.b * std::sin(hue), 0.0);
    if (chroma > 0.299) continue;
    ++reduced;
    // No more than needed: a channel is at its end.
    const auto [least, most] = std::minmax_element(rgb.begin(), rgb.end());
    ASSERT_TRUE(*least < 0.02f || *most > 0.98f) << L << " " << hue;
  }
  EXPECT_GT(reduced, 600);
}

}  // namespace
}  // namespace limn
