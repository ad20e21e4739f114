// Headers: what is known before a pixel is decoded; and streams, whose header and pixels are read
// from the one copy.
#include <sys/stat.h>

#include <thread>

#include "image/read.h"
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
