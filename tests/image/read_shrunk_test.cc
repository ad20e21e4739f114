// Reading at a smaller size: what comes is the whole picture resized, of every kind of file,
// without the memory for the whole.
#include <sys/resource.h>

#include <cmath>

#include "pictures.h"
#include "profile.h"
#include "support/sanitized.h"

namespace limn {
namespace {

using vips::VImage;

class ReadShrunk : public InAFolderOfPictures {
 protected:
  // Reads the file small, and compares with what resizing it afterwards gives.
  void compares(const std::string& name, int width, int height, float tolerance = 0) {
    const Image small = read_image(path(name), {.width = width, .height = height});
    const Image whole = read_image(path(name));
    const Image right =
        resized(whole, std::min(width, whole.width), std::min(height, whole.height));
    ASSERT_EQ(small.width, right.width) << name;
    ASSERT_EQ(small.height, right.height) << name;
    ASSERT_EQ(small.rgb.size(), right.rgb.size()) << name;
    ASSERT_EQ(small.alpha.size(), right.alpha.size()) << name;
    for (size_t i = 0; i < small.rgb.size(); ++i)
      ASSERT_NEAR(small.rgb[i], right.rgb[i], tolerance) << name << " at " << i;
    for (size_t i = 0; i < small.alpha.size(); ++i)
      ASSERT_NEAR(small.alpha[i], right.alpha[i], tolerance) << name << " at " << i;
  }
};

// Waves and an edge, with an alpha that is not constant.
Sample scene(double white) {
  return [white](int x, int y, int b) {
    if (b == 3) return white * (x + y > 100 ? 1.0 : 0.01 * (x + y));
    return white * (0.5 + 0.3 * std::sin(0.11 * x + 0.07 * y * (b + 1)) + (x > 60 ? 0.15 : 0.0));
  };
}

TEST_F(ReadShrunk, IsToTheBitWhatResizingTheWholeGives) {
  const auto bytes = [](int bands, VipsInterpretation space) {
    return made<std::uint8_t>(131, 97, bands, VIPS_FORMAT_UCHAR, space, scene(255));
  };
  VImage profiled = bytes(3, VIPS_INTERPRETATION_sRGB);
  const std::string profile = rgb_profile(gamma_tag(1.0));
  vips_image_set_blob_copy(profiled.get_image(), VIPS_META_ICC_NAME, profile.data(),
                           profile.size());
  const std::vector<std::pair<std::string, VImage>> pictures = {
      {"rgb.png", bytes(3, VIPS_INTERPRETATION_sRGB)},
      {"rgba.png", bytes(4, VIPS_INTERPRETATION_sRGB)},
      {"rgba.tif", bytes(4, VIPS_INTERPRETATION_sRGB)},
      {"grey.png", bytes(1, VIPS_INTERPRETATION_B_W)},
      {"grey_alpha.png", made<std::uint8_t>(131, 97, 2, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_B_W,
                                            [s = scene(255)](int x, int y, int b) {
                                              return s(x, y, b == 1 ? 3 : 0);
                                            })},
      {"deep.png", made<std::uint16_t>(131, 97, 4, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16,
                                       scene(65535))},
      {"light.tif",
       made<float>(131, 97, 3, VIPS_FORMAT_FLOAT, VIPS_INTERPRETATION_scRGB, scene(1))},
      {"ink.tif", bytes(4, VIPS_INTERPRETATION_CMYK)},
      {"profiled.png", profiled},
      {"lab.tif", bytes(3, VIPS_INTERPRETATION_sRGB).colourspace(VIPS_INTERPRETATION_LAB)},
      {"a.gif", bytes(3, VIPS_INTERPRETATION_sRGB)},
  };
  for (const auto& [name, image] : pictures) {
    image.write_to_file(path(name).c_str());
    for (const auto& [width, height] :
         {std::pair{64, 48}, {17, 90}, {130, 1}, {1, 1}, {131, 20}, {500, 10}, {500, 500}, {0, 9}})
      ASSERT_NO_FATAL_FAILURE(compares(name, width > 0 ? width : 131, height))
          << width << " x " << height;
  }
  EXPECT_EQ(read_image(path("rgb.png"), {.height = 9}).width, 131);  // 0: its own
}

TEST_F(ReadShrunk, TurnsByExifAfterShrinking) {
  VImage stored =
      made<std::uint8_t>(131, 97, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB, scene(255));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    stored.set(VIPS_META_ORIENTATION, orientation);
    stored.write_to_file(path("a.tif").c_str());
    // Sums of the same terms in the opposite order.
    ASSERT_NO_FATAL_FAILURE(compares("a.tif", 50, 31, 1e-6f)) << orientation;
    ASSERT_NO_FATAL_FAILURE(compares("a.tif", 1000, 7, 1e-6f)) << orientation;
  }
}

TEST_F(ReadShrunk, IsAlmostThatWhereTheDecoderShrinksToo) {
  // Sizes that are no multiples of anything, so that a shift by the padding of a block would show.
  const VImage scenery = made_rgb(1203, 901, [](int x, int y, int b) {
    return 127 + 90 * std::sin(0.012 * x + 0.009 * y * (b + 1)) + (x > 900 ? 30 : 0);
  });
  for (const char* name : {"a.jpg", "halved.jpg", "waves.jpg", "ink.jpg", "a.webp"}) {
    const std::string options = std::string(name) == "halved.jpg"  ? "[Q=95,subsample-mode=on]"
                                : std::string(name) == "waves.jpg" ? "[Q=95,interlace]"
                                                                   : "[Q=95]";
    const VImage image = std::string(name) == "ink.jpg" ? scenery.icc_transform("cmyk") : scenery;
    image.write_to_file((path(name) + options).c_str());
    for (const auto& [width, height] : {std::pair{300, 225}, {150, 113}, {75, 56}, {33, 200}}) {
      const Image small = read_image(path(name), {.width = width, .height = height});
      const Image right = resized(read_image(path(name)), width, height);
      ASSERT_EQ(small.rgb.size(), right.rgb.size()) << name;
      double sum = 0;
      for (size_t i = 0; i < small.rgb.size(); ++i) {
        sum += std::abs(small.rgb[i] - right.rgb[i]);
        ASSERT_NEAR(small.rgb[i], right.rgb[i], 12.0 / 255) << name << " " << width << " at " << i;
      }
      EXPECT_LT(sum / static_cast<double>(small.rgb.size()), 1.0 / 255) << name << " " << width;
    }
  }
}

TEST_F(ReadShrunk, TakesNoMemoryForTheWhole) {
  if (kSanitized) GTEST_SKIP() << "the sanitizers' own memory would be counted";
  // 12 million pixels, which would be 144 MB of floats.
  VImage::gaussnoise(4000, 3000, VImage::option()->set("mean", 128)->set("sigma", 30))
      .cast(VIPS_FORMAT_UCHAR)
      .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_B_W))
      .colourspace(VIPS_INTERPRETATION_sRGB)
      .write_to_file(path("a.tif").c_str());
  const auto peak = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;  // kilobytes
  };
  const long before = peak();
  EXPECT_EQ(read_image(path("a.tif"), {.width = 100, .height = 75}).width, 100);
  EXPECT_EQ(read_mask(path("a.tif"), {.width = 100, .height = 75}).width, 100);
  EXPECT_LT(peak() - before, 40'000);
}

TEST_F(ReadShrunk, StillFindsDamageAtTheEnd) {
  made_rgb(300, 300, noise()).write_to_file(path("a.png").c_str());
  const std::string whole = file_bytes(path("a.png"));
  with_bytes(path("a.png"), whole.substr(0, whole.size() - 2000));
  const ReadOptions small = {.width = 20, .height = 20};
  const Error error = error_of([&] { read_image(path("a.png"), small); });
  EXPECT_PRED2(contains, error.what(), "damaged or incomplete");
  EXPECT_EQ(error_of([&] { read_mask(path("a.png"), small); }).kind(), ErrorKind::file);
}

TEST_F(ReadShrunk, HoldsTheFilesOwnSizeAgainstTheLimit) {
  made_grey(400, 400, [](int, int, int) { return 0; }).write_to_file(path("a.png").c_str());
  const Error error = error_of(
      [&] { read_image(path("a.png"), {.max_pixels = 159'999, .width = 4, .height = 4}); });
  EXPECT_EQ(error.kind(), ErrorKind::resources);
  EXPECT_PRED2(contains, error.what(), "raise the limit with --max-pixels 160000");
}

}  // namespace
}  // namespace limn
