// Writing: what arrives in the file, sample by sample, and what is refused before it is touched.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <limits>

#include "image/read.h"
#include "pictures.h"
#include "support/sanitized.h"

namespace limn {
namespace {

using vips::VImage;

class WriteImage : public InAFolderOfPictures {
 protected:
  // The file as libvips sees it, without limn's reader between.
  VImage stored(const std::string& name) { return VImage::new_from_file(path(name).c_str()); }

  std::vector<int> samples(const std::string& name) {
    const VImage image = stored(name);
    std::vector<int> all;
    each_row(image, [&](int, const float* row) {
      for (int i = 0; i < image.width() * image.bands(); ++i)
        all.push_back(static_cast<int>(row[i]));
    });
    return all;
  }
};

Image blue(int width, int height) {
  return painted(width, height, [](int, int, int c) { return c == 2 ? 1.0f : 0.0f; });
}

TEST_F(WriteImage, RoundsToTheNearestOf256Levels) {
  // Just below and just above every boundary between two levels.
  const Image image = painted(255, 2, [](int x, int y, int) {
    return (static_cast<float>(x) + (y == 0 ? 0.499f : 0.501f)) / 255.0f;
  });
  write_image(image, path("a.png"));
  const std::vector<int> all = samples("a.png");
  for (int x = 0; x < 255; ++x) {
    ASSERT_EQ(all[static_cast<size_t>(3 * x)], x);
    ASSERT_EQ(all[static_cast<size_t>(3 * (255 + x))], x + 1);
  }
}

TEST_F(WriteImage, GivesBackEveryLevelOf8And16Bits) {
  const Image shallow =
      painted(256, 1, [](int x, int, int c) { return static_cast<float>((x + c) % 256) / 255.0f; });
  const Image deep = painted(256, 256, [](int x, int y, int c) {
    return static_cast<float>((256 * y + x + c) % 65536) / 65535.0f;
  });
  for (const char* name : {"a.png", "a.tif"}) {
    write_image(shallow, path(name));
    EXPECT_EQ(read_image(path(name)).rgb, shallow.rgb) << name;
    write_image(deep, path(name), {.bits = 16});
    EXPECT_EQ(stored(name).format(), VIPS_FORMAT_USHORT) << name;
    EXPECT_EQ(read_image(path(name)).rgb, deep.rgb) << name;
  }
}

TEST_F(WriteImage, ClampsAndMakesNotANumberBlack) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> odd = {-0.5f, 1.5f, std::nanf(""), kInfinity, -kInfinity, -0.0f, 1e30f};
  const std::vector<int> right = {0, 1, 0, 1, 0, 0, 1};
  Image image = painted(7, 1, [&](int x, int, int) { return odd[static_cast<size_t>(x)]; });
  image.alpha = odd;
  for (const int bits : {8, 16}) {
    write_image(image, path("a.png"), {.bits = bits});
    const std::vector<int> all = samples("a.png");
    ASSERT_EQ(all.size(), 28u);
    for (size_t i = 0; i < all.size(); ++i)
      EXPECT_EQ(all[i], right[i / 4] * (bits == 8 ? 255 : 65535)) << i;
  }
  write_image(image, path("a.jpg"));  // laid on white: what is transparent is white
  EXPECT_EQ(samples("a.jpg").size(), 21u);
}

TEST_F(WriteImage, ChoosesTheFormatByTheEndingInAnyCase) {
  for (const auto& [name, magic] : {std::pair<const char*, std::string>{"a.PNG", "\x89PNG"},
                                    {"a.jpg", "\xff\xd8\xff"},
                                    {"a.JPEG", "\xff\xd8\xff"},
                                    {"a.webp", "RIFF"},
                                    {"a.Tif", "II*"},
                                    {"a.tiff", "II*"},
                                    {"dots.in.name.png", "\x89PNG"}}) {
    write_image(blue(8, 8), path(name));
    EXPECT_EQ(file_bytes(path(name)).substr(0, magic.size()), magic) << name;
  }
  for (const char* name : {"a.avif", "a.heic", "a.heif", "a.jxl"}) {
    if (!can_write(path(name))) continue;
    write_image(blue(16, 16), path(name));
    const Image image = read_image(path(name));
    ASSERT_EQ(image.width, 16) << name;
    EXPECT_NEAR(at(image, 8, 8, 2), 1.0f, 0.03) << name;
    EXPECT_NEAR(at(image, 8, 8, 0), 0.0f, 0.03) << name;
  }
}

TEST_F(WriteImage, KeepsAlphaWhereTheFormatHasIt) {
  Image image = painted(64, 64, [](int, int, int c) { return c == 0 ? 0.8f : 0.2f; });
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x) image.alpha.push_back(x < 32 ? 1.0f : 0.25f);
  for (const char* name : {"a.png", "a.webp", "a.tif", "a.avif", "a.heic", "a.jxl"}) {
    if (!can_write(path(name))) continue;
    write_image(image, path(name));
    const Image read = read_image(path(name));
    ASSERT_EQ(read.alpha.size(), 64u * 64u) << name;
    EXPECT_NEAR(alpha_at(read, 8, 32), 1.0f, 0.02) << name;
    EXPECT_NEAR(alpha_at(read, 56, 32), 0.25f, 0.02) << name;
    EXPECT_NEAR(at(read, 8, 32, 0), 0.8f, 0.03) << name;
  }
}

TEST_F(WriteImage, LaysTransparencyOnWhiteInAJpeg) {
  Image image = painted(48, 16, [](int, int, int c) { return c == 2 ? 1.0f : 0.0f; });
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 48; ++x) image.alpha.push_back(x < 16 ? 0.0f : x < 32 ? 0.5f : 1.0f);
  write_image(image, path("a.jpg"));
  const Image read = read_image(path("a.jpg"));
  EXPECT_TRUE(read.alpha.empty());
  EXPECT_NEAR(at(read, 8, 8, 0), 1.0f, 0.02);
  EXPECT_NEAR(at(read, 24, 8, 0), 0.5f, 0.02);
  EXPECT_NEAR(at(read, 40, 8, 0), 0.0f, 0.02);
  EXPECT_NEAR(at(read, 24, 8, 2), 1.0f, 0.02);
}

TEST_F(WriteImage, KeepsFullColourResolutionInAJpeg) {
  // Columns of pure red and pure green, one pixel wide: with halved chroma both would be brown. At
  // a quality where libvips by itself would halve it.
  const Image image = painted(32, 32, [](int x, int, int c) { return x % 2 == c ? 1.0f : 0.0f; });
  write_image(image, path("a.jpg"), {.quality = 85});
  const Image read = read_image(path("a.jpg"));
  for (int x = 4; x < 28; ++x) {
    EXPECT_NEAR(at(read, x, 16, 0), x % 2 == 0 ? 1.0f : 0.0f, 0.1);
    EXPECT_NEAR(at(read, x, 16, 1), x % 2 == 1 ? 1.0f : 0.0f, 0.1);
  }
  // And the quality counts.
  const auto bytes = std::filesystem::file_size(path("a.jpg"));
  write_image(image, path("a.jpg"), {.quality = 10});
  EXPECT_LT(std::filesystem::file_size(path("a.jpg")), bytes);
}

TEST_F(WriteImage, AttachesAnSrgbProfile) {
  for (const char* name : {"a.png", "a.jpg", "a.tif", "a.webp"}) {
    write_image(blue(8, 8), path(name));
    EXPECT_NE(stored(name).get_typeof(VIPS_META_ICC_NAME), 0u) << name;
  }
}

TEST_F(WriteImage, StatesTheResolutionAndNothingElseChanges) {
  const Image image = painted(
      40, 30, [](int x, int y, int c) { return static_cast<float>(x + y + 10 * c) / 100.0f; });
  for (const double dpi : {1.0, 72.0, 203.2, 300.0, 10'000.0}) {
    for (const char* name : {"a.png", "a.jpg", "a.tif"}) {
      write_image(image, path(name));
      const Image before = read_image(path(name));
      EXPECT_NEAR(stored(name).xres() * 25.4, 72, 0.01) << name;
      write_image(image, path(name), {.dpi = dpi});
      EXPECT_NEAR(stored(name).xres() * 25.4, dpi, 0.0127) << name;  // whole pixels per metre
      EXPECT_NEAR(stored(name).yres() * 25.4, dpi, 0.0127) << name;
      EXPECT_NE(stored(name).get_typeof(VIPS_META_ICC_NAME), 0u) << name;
      EXPECT_EQ(read_image(path(name)).rgb, before.rgb) << name;
    }
    EXPECT_STREQ(stored("a.tif").get_string("resolution-unit"), "in");
  }
}

TEST_F(WriteImage, StatesTheResolutionOfAJpegInJfifToo) {
  write_image(blue(40, 30), path("a.jpg"));
  write_image(blue(40, 30), path("b.jpg"), {.dpi = 299.6});
  const std::string without = file_bytes(path("a.jpg")), with = file_bytes(path("b.jpg"));
  // Start, APP0 of 16 bytes, version 1.1, per inch, 300 across and down, no thumbnail.
  const std::string jfif("\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\1\x01\x2c\x01\x2c\0\0", 20);
  EXPECT_EQ(with.substr(0, jfif.size()), jfif);
  EXPECT_EQ(with.substr(jfif.size(), 2), "\xff\xe1");
  EXPECT_EQ(without.substr(0, 4), "\xff\xd8\xff\xe1");
  EXPECT_EQ(with.size(), without.size() + jfif.size() - 2);
  EXPECT_NEAR(stored("b.jpg").xres() * 25.4, 299.6, 0.001);  // EXIF has fractions
  // However the bytes come.
  const Image large = painted(600, 500, [sample = noise()](int, int, int) {
    return static_cast<float>(sample(0, 0, 0)) / 255.0f;
  });
  write_image(large, path("a.jpg"));
  write_image(large, path("b.jpg"), {.dpi = 300});
  EXPECT_EQ(read_image(path("b.jpg")).rgb, read_image(path("a.jpg")).rgb);
  EXPECT_EQ(std::filesystem::file_size(path("b.jpg")),
            std::filesystem::file_size(path("a.jpg")) + 18);
}

// The process's peak memory since the last call, in bytes; 0 if the kernel does not tell.
double peak_memory_since() {
  std::ifstream status("/proc/self/status");
  double peak = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) peak = 1024 * std::stod(line.substr(6));
  }
  std::ofstream reset("/proc/self/clear_refs");
  reset << "5" << std::flush;  // the peak becomes what is taken now
  return reset ? peak : 0;
}

TEST_F(WriteImage, TakesTheMemoryThatIsPredictedAndNoCopyOfThePicture) {
  if (kSanitized) GTEST_SKIP() << "the sanitizers' own memory would be counted";
  const int width = 4000, height = 2000;
  Image image = painted(width, height, [sample = noise()](int x, int, int c) {
    return 0.5f + 0.0001f * static_cast<float>(x % 4000) + 0.0002f * sample(x, 0, c) / 255.0f;
  });
  constexpr double kOwn = 12e6;  // of libraries, at their first use
  const double floats = 12.0 * width * height;
  struct Written {
    const char* name;
    int bits;
    double most;  // bytes
  };
  for (const auto& [name, bits, most] : {Written{"a.png", 8, 0.25 * floats},
                                         {"a.png", 16, 0.25 * floats},
                                         {"a.tif", 8, 0.25 * floats},
                                         {"a.tif", 16, 0.3 * floats},
                                         {"a.jpg", 8, 0.7 * floats}}) {
    const WriteOptions options = {.bits = bits};
    write_image(blue(64, 64), path(name), options);
    peak_memory_since();
    const double before = peak_memory_since();
    if (before == 0) GTEST_SKIP() << "the peak cannot be reset here";
    write_image(image, path(name), options);
    const double taken = peak_memory_since() - before;
    const double predicted = writing_bytes(path(name), options, width, height, false);
    EXPECT_LT(taken, predicted + kOwn) << name << " " << bits;
    EXPECT_LT(predicted, most) << name << " " << bits;
  }
}

TEST_F(WriteImage, ReplacesAnOldFileAndLeavesNothingElse) {
  with_bytes(path("a.png"), "old");
  write_image(blue(4, 4), path("a.png"));
  EXPECT_EQ(read_image(path("a.png")).width, 4);
  EXPECT_EQ(names(), std::vector<std::string>{"a.png"});
}

TEST_F(WriteImage, KeepsTheOldFileWhenTheDiskIsFull) {
  with_bytes(path("a.png"), "old");
  const Image image = painted(100, 100, [sample = noise()](int, int, int) {
    return static_cast<float>(sample(0, 0, 0)) / 255.0f;
  });
  // A limit on the size of files acts like a full disk.
  rlimit old_limit{};
  getrlimit(RLIMIT_FSIZE, &old_limit);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit = {1000, old_limit.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  const Error error = error_of([&] { write_image(image, path("a.png")); });
  setrlimit(RLIMIT_FSIZE, &old_limit);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(error.kind(), ErrorKind::file);
  EXPECT_PRED2(contains, error.what(), path("a.png"));
  EXPECT_PRED2(contains, error.what(), "File too large");
  EXPECT_EQ(file_bytes(path("a.png")), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a.png"});
}

TEST_F(WriteImage, TakesNamesLiterally) {
  for (const char* name : {"p[1].png", "p[Q=9].jpg", "100%s.tif", "été.png"}) {
    write_image(blue(3, 3), path(name));
    EXPECT_EQ(read_image(path(name)).width, 3) << name;
  }
}

// Calls act() with the file as standard output.
void with_output_into(const std::string& path, const std::function<void()>& act) {
  const int kept = dup(STDOUT_FILENO);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(file, STDOUT_FILENO);
  close(file);
  act();
  dup2(kept, STDOUT_FILENO);
  close(kept);
}

TEST_F(WriteImage, GoesToStandardOutputInEveryFormat) {
  const Image image = painted(
      40, 30, [](int x, int y, int c) { return static_cast<float>(x + y + 10 * c) / 100.0f; });
  for (const char* format : {"", "png", "jpg", "webp", "tif", "avif", "heic", "jxl"}) {
    const std::string name = std::string("a.") + (*format ? format : "png");
    if (!can_write(path(name))) continue;
    write_image(image, path(name));
    with_output_into(path("out"), [&] {
      check_writable("-", {.format = format});
      write_image(image, "-", {.format = format});
    });
    EXPECT_EQ(read_image(path("out")).rgb, read_image(path(name)).rgb) << name;
  }
}

TEST_F(WriteImage, ChoosesTheFormatThatTheOptionsName) {
  write_image(blue(8, 8), path("a.png"), {.format = "jpg"});
  EXPECT_EQ(file_bytes(path("a.png")).substr(0, 3), "\xff\xd8\xff");
  write_image(blue(8, 8), path("noending"), {.format = "PNG"});
  EXPECT_EQ(file_bytes(path("noending")).substr(0, 4), "\x89PNG");
}

// What write_image and check_writable refuse alike, and with the same words.
class RefuseToWrite : public InAFolderOfPictures {
 protected:
  void refuses(const std::string& file, ErrorKind kind, const std::string& cause,
               const WriteOptions& options = {}) {
    const Error early = error_of([&] { check_writable(file, options); });
    const Error late = error_of([&] { write_image(blue(4, 4), file, options); });
    EXPECT_EQ(early.kind(), kind) << early.what();
    EXPECT_PRED2(contains, early.what(), cause);
    EXPECT_STREQ(early.what(), late.what());
  }
};

TEST_F(RefuseToWrite, AnUnknownEndingAndListsTheKnown) {
  refuses(path("a.bmp"), ErrorKind::usage, "'.bmp' is not a known extension");
  refuses(path("a.bmp"), ErrorKind::usage, ".png, .jpg, .jpeg, .webp, .tif, .tiff");
  refuses(path("a"), ErrorKind::usage, "needs an extension");
  refuses(path(".png"), ErrorKind::usage, "needs an extension");
  refuses("", ErrorKind::usage, "needs an extension");
}

TEST_F(RefuseToWrite, AnUnknownFormatAndListsTheKnown) {
  for (const char* format : {"xyz", "gif", ".png", "png ", "."}) {
    for (const std::string& name : {path("a.png"), std::string("-")}) {
      refuses(name, ErrorKind::usage, std::string("there is no format '") + format + "'",
              {.format = format});
      refuses(name, ErrorKind::usage, "use one of png, jpg, jpeg, webp, tif", {.format = format});
    }
  }
  refuses(path("a.png"), ErrorKind::usage, "JPEG has 8 bits", {.bits = 16, .format = "jpg"});
}

TEST_F(RefuseToWrite, OptionsThatMakeNoSense) {
  for (const char* name : {"a.jpg", "a.webp"})
    refuses(path(name), ErrorKind::usage, "has 8 bits per channel", {.bits = 16});
  for (const int bits : {0, 10, 32})
    refuses(path("a.png"), ErrorKind::usage, "8 or 16", {.bits = bits});
  for (const int quality : {0, 101, -5})
    refuses(path("a.jpg"), ErrorKind::usage, "1 to 100", {.quality = quality});
  for (const double dpi : {-300.0, 0.9, 10'001.0, std::nan(""), HUGE_VAL, -HUGE_VAL})
    refuses(path("a.tif"), ErrorKind::usage, "out of range: choose 1 to 10000", {.dpi = dpi});
}

TEST_F(RefuseToWrite, PlacesWhereNoFileCanBe) {
  refuses(path("no/a.png"), ErrorKind::file, "there is no folder '" + path("no") + "'");
  std::filesystem::create_directory(path("folder.png"));
  refuses(path("folder.png"), ErrorKind::file, "it is a folder");
  ASSERT_EQ(mkfifo(path("pipe.png").c_str(), 0600), 0);
  refuses(path("pipe.png"), ErrorKind::file, "not a regular file");
  with_bytes(path("file"), "");
  refuses(path("file/a.png"), ErrorKind::file, "there is no folder");
}

TEST_F(RefuseToWrite, AFolderThatMayNotBeWritten) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  chmod(folder_.c_str(), 0500);
  refuses(path("a.png"), ErrorKind::file, "Permission denied");
  chmod(folder_.c_str(), 0700);
}

TEST_F(RefuseToWrite, MorePixelsASideThanTheFormatHolds) {
  const auto expect = [&](const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_PRED2(contains, error.what(), "WebP allows at most 16383 pixels a side");
  };
  expect(error_of([&] { check_writable(path("a.webp"), {}, 16384); }));
  expect(error_of([&] { write_image(blue(1, 16384), path("a.webp")); }));
  check_writable(path("a.webp"), {}, 16383);
  write_image(blue(1, 16383), path("a.webp"));
  write_image(blue(65500, 1), path("a.jpg"));
  EXPECT_EQ(read_image(path("a.jpg")).width, 65500);
}

TEST_F(RefuseToWrite, AndNamesTheFormatsThatHoldIt) {
  const auto advice = [&](const char* name, int side) {
    const std::string what = error_of([&] { check_writable(path(name), {}, side); }).what();
    return what.substr(what.find("; write "));
  };
  EXPECT_TRUE(advice("a.webp", 65'500).starts_with("; write .png, .jpg, .tif"));
  EXPECT_TRUE(advice("a.webp", 65'501).starts_with("; write .png, .tif"));
  EXPECT_TRUE(advice("a.jpg", 65'501).starts_with("; write .png, .tif"));
  EXPECT_EQ(advice("a.png", 10'000'001), "; write a smaller picture");
}

// Each claims a size that the formats really have: their encoders take it.
TEST_F(RefuseToWrite, NoSideThatTheFormatHolds) {
  for (const auto& [name, longest] :
       {std::pair{"a.avif", 16'384}, {"a.heic", 16'384}, {"a.webp", 16'383}, {"a.jxl", 70'000}}) {
    if (!can_write(path(name))) continue;
    write_image(blue(longest, 64), path(name));
    EXPECT_EQ(read_header(path(name)).width, longest) << name;
  }
}

// Writing 4 GB is more than a test may take: what decides is tested.
TEST(BigTiff, IsWrittenBeforeAClassicOneWouldBeFull) {
  const auto bytes = [](std::uint64_t width, std::uint64_t height, std::uint64_t bytes_a_pixel) {
    return width * height * bytes_a_pixel;
  };
  EXPECT_FALSE(is_big_tiff(bytes(12'000, 9'000, 3)));
  EXPECT_FALSE(is_big_tiff(bytes(12'000, 9'000, 8)));
  EXPECT_FALSE(is_big_tiff(bytes(30'000, 20'000, 4)));
  EXPECT_TRUE(is_big_tiff(bytes(30'000, 20'000, 6)));
  EXPECT_TRUE(is_big_tiff(bytes(100'000, 75'000, 8)));
  // Deflate stores what it cannot compress in blocks with 5 bytes more for 16 KB.
  constexpr double kClassicBytes = 4294967295.0;
  EXPECT_TRUE(is_big_tiff(static_cast<std::uint64_t>(kClassicBytes / (1 + 5.0 / 16'383))));
}

TEST_F(RefuseToWrite, APictureWhosePlanesDoNotFit) {
  const auto expect = [&](Image image, const std::string& cause) {
    const Error error = error_of([&] { write_image(image, path("a.png")); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_PRED2(contains, error.what(), cause);
  };
  expect(Image{}, "0 x 0");
  Image image = blue(4, 4);
  image.width = -4;
  expect(image, "-4 x 4");
  image.width = 5;
  expect(image, "48 colour values instead of 60");
  image = blue(4, 4);
  image.alpha.resize(15);
  expect(image, "15 alpha values instead of 16");
  EXPECT_TRUE(names().empty());
}

TEST_F(RefuseToWrite, NothingThatCheckWritableAccepts) {
  check_writable(path("a.png"), {.bits = 16, .quality = 1});
  with_bytes(path("old.jpg"), "old");
  check_writable(path("old.jpg"));
  EXPECT_EQ(names(), std::vector<std::string>{"old.jpg"});  // a check leaves no trace
}

}  // namespace
}  // namespace limn
