// Floating-point samples: light, bright light, and integers in disguise, told apart and said so.
#include <cmath>
#include <limits>

#include "pictures.h"

namespace limn {
namespace {

using vips::VImage;

float encoded(double light) {
  return static_cast<float>(light <= 0.0031308 ? 12.92 * light
                                               : 1.055 * std::pow(light, 1 / 2.4) - 0.055);
}

// A picture of 100 x 100 whose samples go evenly from 0 to 1.
double ramp(int x, int y) { return (x + 100 * y) / 9999.0; }

class ReadFloats : public InAFolderOfPictures {
 protected:
  Image reads(int bands, const Sample& sample) {
    made<float>(100, 100, bands, VIPS_FORMAT_FLOAT,
                bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_scRGB, sample)
        .write_to_file(path("a.tif").c_str());
    notes_.clear();
    return read_image(path("a.tif"),
                      {.note = [&](const std::string& note) { notes_ += note + "\n"; }});
  }

  std::string notes_;
};

TEST_F(ReadFloats, UpToOneAreLinearLight) {
  const Image image = reads(3, [](int x, int y, int) { return ramp(x, y); });
  EXPECT_EQ(notes_, "");
  EXPECT_NEAR(at(image, 50, 50, 1), encoded(ramp(50, 50)), 1e-6);
  EXPECT_NEAR(at(image, 99, 99, 1), 1.0f, 1e-6);
}

TEST_F(ReadFloats, InTheRangesOfIntegersAreEncoded) {
  for (const double white : {255.0, 1023.0, 4095.0, 65535.0}) {
    // Whole numbers, and what resizing leaves of them, beyond white too.
    for (const double most : {1.0, 0.97, 1.03}) {
      const Image image = reads(3, [&](int x, int y, int) { return most * white * ramp(x, y); });
      EXPECT_NEAR(at(image, 50, 50, 2), most * ramp(50, 50), 1e-5) << white;
      EXPECT_PRED2(contains, notes_, std::to_string(static_cast<int>(white)) + " as white");
      EXPECT_PRED2(contains, notes_, "sRGB-encoded");
      EXPECT_PRED2(contains, notes_, path("a.tif"));
    }
  }
  // A dark picture of bytes.
  const Image dark = reads(1, [](int x, int y, int) { return (x + y) % 40 < 35 ? 0 : x % 41; });
  EXPECT_EQ(at(dark, 37, 0, 0), 37 / 255.0f);
  EXPECT_PRED2(contains, notes_, "255 as white");
}

TEST_F(ReadFloats, BrighterThanWhiteAreScaledByTheBrightOnes) {
  for (const double brightness : {2.0, 4.0, 20.0}) {
    const Image image = reads(3, [&](int x, int y, int) { return brightness * ramp(x, y); });
    EXPECT_PRED2(contains, notes_, "read as linear light");
    // White is at 99.5 %; the histogram's steps are of 0.8 %.
    EXPECT_NEAR(at(image, 50, 50, 0), encoded(ramp(50, 50) / 0.995), 0.005) << brightness;
    EXPECT_NEAR(at(image, 99, 99, 0), 1.0f, 1e-6);
    EXPECT_LT(at(image, 0, 90, 0), 0.97f);
  }
}

TEST_F(ReadFloats, AFewHighlightsLeaveTheRestAsItIs) {
  const Image image =
      reads(3, [](int x, int y, int) { return x == 3 && y < 20 ? 50.0 : 0.5 * ramp(x, y); });
  EXPECT_PRED2(contains, notes_, "0.2 % of the samples of");
  EXPECT_PRED2(contains, notes_, "above 1, up to 50: clipped to white");
  EXPECT_NEAR(at(image, 3, 3, 0), 1.0f, 1e-6);
  EXPECT_NEAR(at(image, 50, 50, 0), encoded(0.5 * ramp(50, 50)), 1e-6);
}

TEST_F(ReadFloats, BelowZeroAreBlackAndSaidSo) {
  const Image image = reads(3, [](int x, int y, int) { return x == 0 ? -0.5 : ramp(x, y); });
  EXPECT_EQ(at(image, 0, 50, 0), 0.0f);
  EXPECT_PRED2(contains, notes_, "samples below 0, down to -0.5: clipped to black");
  reads(3, [](int x, int y, int) { return x == 0 ? -0.001 : ramp(x, y); });  // what resizing leaves
  EXPECT_EQ(notes_, "");
}

TEST_F(ReadFloats, MayHaveAnAlphaInEitherUnit) {
  const Image light = reads(4, [](int x, int y, int b) { return b == 3 ? 0.25 : ramp(x, y); });
  EXPECT_EQ(alpha_at(light, 5, 5), 0.25f);
  const Image bytes =
      reads(4, [](int x, int y, int b) { return b == 3 ? (x < 50 ? 255 : 51) : 255 * ramp(x, y); });
  EXPECT_EQ(alpha_at(bytes, 5, 5), 1.0f);
  EXPECT_NEAR(alpha_at(bytes, 70, 5), 0.2f, 1e-6);
  const Image mixed = reads(4, [](int x, int y, int b) { return b == 3 ? 0.5 : 255 * ramp(x, y); });
  EXPECT_EQ(alpha_at(mixed, 5, 5), 0.5f);
}

TEST_F(ReadFloats, ThatAreNoNumbersAreRefused) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float odd : {std::nanf(""), kInfinity, -kInfinity}) {
    for (const int bands : {1, 3, 4}) {
      const Error error = error_of([&] {
        reads(bands, [&](int x, int y, int b) {
          return b == std::min(bands - 1, 3) && y >= 7 && x == 5 && y < 9 ? odd : 0.5;
        });
      });
      EXPECT_EQ(error.kind(), ErrorKind::file);
      EXPECT_PRED2(contains, error.what(), path("a.tif"));
      EXPECT_PRED2(contains, error.what(), "2 of its samples are not finite");
      EXPECT_PRED2(contains, error.what(), "the first at pixel 5, 7");
    }
  }
  VImage lying = made<float>(4, 2, 3, VIPS_FORMAT_FLOAT, VIPS_INTERPRETATION_scRGB,
                             [](int x, int y, int) { return x == 1 && y == 0 ? NAN : 0.5; });
  lying.set(VIPS_META_ORIENTATION, 6);  // the left end is on top
  lying.write_to_file(path("b.tif").c_str());
  const Error error = error_of([&] { read_image(path("b.tif")); });
  EXPECT_PRED2(contains, error.what(), "the first at pixel 1, 1");
}

}  // namespace
}  // namespace limn
