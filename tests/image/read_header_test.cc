// Headers: what is known before a pixel is decoded; and streams, whose header and pixels are read
// from the one copy.
#include <sys/stat.h>

#include <thread>

#include "image/read.h"
#include "image/tiff_strips.h"
#include "pictures.h"

namespace limn {
namespace {

using vips::VImage;

class ReadHeader : public InAFolderOfPictures {
 protected:
  // A pipe into which a thread writes the bytes.
  std::string pipe_with(const std::string& name, const std::string& bytes) {
    EXPECT_EQ(mkfifo(path(name).c_str(), 0600), 0);
    writers_.emplace_back([bytes, pipe = path(name)] { with_bytes(pipe, bytes); });
    return path(name);
  }
  ~ReadHeader() override {
    for (std::thread& writer : writers_) writer.join();
  }

 private:
  std::vector<std::thread> writers_;
};

TEST_F(ReadHeader, TellsTheSizeAsItIsSeen) {
  VImage lying = made_rgb(60, 40, noise());
  lying.set(VIPS_META_ORIENTATION, 6);
  lying.write_to_file(path("a.jpg").c_str());
  const PictureHeader header = read_header(path("a.jpg"));
  EXPECT_EQ(header.width, 40);
  EXPECT_EQ(header.height, 60);
  EXPECT_EQ(header.frames, 1);
  EXPECT_FALSE(header.has_alpha);
}

TEST_F(ReadHeader, TellsWhetherThereIsAlpha) {
  const auto alpha_of = [&](int bands, VipsInterpretation space) {
    made<std::uint8_t>(9, 9, bands, VIPS_FORMAT_UCHAR, space, noise())
        .write_to_file(path("a.png").c_str());
    return read_header(path("a.png")).has_alpha;
  };
  EXPECT_FALSE(alpha_of(1, VIPS_INTERPRETATION_B_W));
  EXPECT_TRUE(alpha_of(2, VIPS_INTERPRETATION_B_W));
  EXPECT_FALSE(alpha_of(3, VIPS_INTERPRETATION_sRGB));
  EXPECT_TRUE(alpha_of(4, VIPS_INTERPRETATION_sRGB));
}

TEST_F(ReadHeader, TellsTheResolutionThatTheFileStates) {
  const auto stated = [&](const std::string& name, double across, double down) {
    made_rgb(9, 9, noise())
        .copy(VImage::option()->set("xres", across / 25.4)->set("yres", down / 25.4))
        .write_to_file(path(name).c_str());
    return read_header(path(name)).dpi;
  };
  for (const char* name : {"a.png", "a.jpg", "a.tif"}) {
    EXPECT_EQ(stated(name, 300, 300), 300) << name;
    EXPECT_EQ(stated(name, 1200, 1200), 1200) << name;
    EXPECT_NEAR(stated(name, 203.2, 203.2), 203.2, 0.01) << name;
    // What programs write that know none.
    EXPECT_EQ(stated(name, 72, 72), 0) << name;
    EXPECT_EQ(stated(name, 25.4, 25.4), 0) << name;
    // Pixels that are not square, and what no print has.
    EXPECT_EQ(stated(name, 204, 98), 0) << name;
    EXPECT_EQ(stated(name, 0.3, 0.3), 0) << name;
    EXPECT_EQ(stated(name, 20'000, 20'000), 0) << name;
  }
}

TEST_F(ReadHeader, FailsAsReadingWould) {
  made_rgb(40, 40, noise()).write_to_file(path("a.png").c_str());
  const auto alike = [&](const std::string& name, const ReadOptions& options = {}) {
    EXPECT_STREQ(error_of([&] { read_header(name, options); }).what(),
                 error_of([&] { read_image(name, options); }).what());
  };
  alike(path("none.png"));
  alike(with_bytes(path("text.png"), "Dear diary,\n"));
  alike(path("a.png"), {.max_pixels = 100});
  alike(with_bytes(path("cut.png"), file_bytes(path("a.png")).substr(0, 20)));
}

TEST_F(ReadHeader, PredictsWhatDecodersKeep) {
  const VImage image = made_rgb(640, 480, [](int x, int y, int b) { return (x + y * b) % 256; });
  const auto bytes_of = [&](const std::string& name, const std::string& options) {
    image.write_to_file((path(name) + options).c_str());
    return read_header(path(name)).reading_bytes(64, 48);
  };
  constexpr double kPixels = 640.0 * 480;
  const double streaming = bytes_of("a.jpg", "[subsample-mode=off]");
  EXPECT_NEAR(bytes_of("b.jpg", "[subsample-mode=off,interlace]") - streaming, 6 * kPixels, 1);
  EXPECT_NEAR(bytes_of("c.jpg", "[subsample-mode=on,interlace]") - streaming, 3 * kPixels, 1);
  EXPECT_NEAR(bytes_of("b.png", "[interlace]") - bytes_of("a.png", ""), 3 * kPixels, 1);
  EXPECT_GT(bytes_of("a.gif", ""), 4 * kPixels);
  EXPECT_GT(bytes_of("lossless.webp", "[lossless]"), bytes_of("a.webp", "[Q=50]") + kPixels);
  // The result's own.
  const PictureHeader header = read_header(path("a.jpg"));
  EXPECT_NEAR(header.reading_bytes(0, 0) - header.reading_bytes(64, 48), 12 * (kPixels - 64 * 48),
              1);
}

// Noise of 16 levels, which deflate halves.
VImage half_noise(int width, int height) {
  return made_rgb(width, height, [random = std::mt19937(1)](int, int, int) mutable {
    return static_cast<double>(random() >> 28);
  });
}

TEST_F(ReadHeader, CountsOneCompressedStripOfATiff) {
  const VImage image = half_noise(640, 480);
  const auto bytes_of = [&](const std::string& options) {
    image.write_to_file((path("a.tif") + "[compression=deflate," + options + "]").c_str());
    return read_header(path("a.tif")).reading_bytes(64, 48);
  };
  const double whole = bytes_of("tile-height=480");
  const auto file = static_cast<double>(std::filesystem::file_size(path("a.tif")));
  ASSERT_LT(file, 0.7 * 3 * 640 * 480);
  for (const char* cut : {"tile-height=16", "tile-height=16,bigtiff",
                          "tile,tile-width=64,tile-height=64", "tile-height=48"}) {
    const double saved = whole - bytes_of(cut);
    EXPECT_GT(saved, 0.85 * file) << cut;
    EXPECT_LT(saved, file) << cut;
  }
}

TEST_F(ReadHeader, SurvivesAnyDirectoryOfATiff) {
  for (const char* options : {"[compression=deflate]", "[compression=deflate,bigtiff]"}) {
    half_noise(24, 18).write_to_file((path("a.tif") + options).c_str());
    const std::string whole = file_bytes(path("a.tif"));
    const ByteSource source(path("a.tif"), "picture");
    ASSERT_GT(largest_strip(source, 0).value_or(0), 100u);
    EXPECT_EQ(largest_strip(source, 1), std::nullopt);
    EXPECT_EQ(largest_strip(source, -1), std::nullopt);
    EXPECT_EQ(largest_strip(source, 1 << 30), std::nullopt);
    for (size_t i = 0; i < whole.size(); i += i < 16 || i + 400 > whole.size() ? 1 : 97) {
      for (const char byte : {'\0', '\xff'}) {
        std::string damaged = whole;
        damaged[i] = byte;
        const ByteSource other(with_bytes(path("b.tif"), damaged), "picture");
        largest_strip(other, 0);  // whatever it says: it returns
      }
    }
    for (size_t length = 1; length < whole.size(); length += 37) {
      const ByteSource cut(with_bytes(path("b.tif"), whole.substr(0, length)), "picture");
      largest_strip(cut, 0);
    }
  }
}

TEST_F(ReadHeader, AndPixelsComeFromOneStream) {
  made_rgb(300, 200, noise()).write_to_file(path("a.png").c_str());
  const std::string bytes = file_bytes(path("a.png"));
  const OpenedPicture picture = open_picture(pipe_with("pipe", bytes));
  EXPECT_EQ(read_header(picture).width, 300);
  EXPECT_EQ(read_image(picture).rgb, read_image(path("a.png")).rgb);
  EXPECT_EQ(read_image(picture, {.width = 30, .height = 20}).rgb,
            read_image(path("a.png"), {.width = 30, .height = 20}).rgb);
}

TEST_F(ReadHeader, OfAStreamIsInEveryFormat) {
  for (const char* name :
       {"a.jpg", "a.png", "a.webp", "a.tif", "a.gif", "a.avif", "a.heic", "a.jxl"}) {
    if (!can_write(path(name)) && std::string(name) != "a.gif") continue;
    made_rgb(64, 48, noise()).write_to_file(path(name).c_str());
    const Image image = read_image(pipe_with(std::string("pipe.") + name, file_bytes(path(name))));
    EXPECT_EQ(image.rgb, read_image(path(name)).rgb) << name;
  }
}

TEST_F(ReadHeader, NamesAStreamThatIsNoPicture) {
  const std::string pipe = pipe_with("pipe", "Dear diary,\n");
  const Error error = error_of([&] { read_image(pipe); });
  EXPECT_PRED2(contains, error.what(), pipe);
  EXPECT_PRED2(contains, error.what(), "not a picture in a known format");
}

}  // namespace
}  // namespace limn
