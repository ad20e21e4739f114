// Files of several frames or pages: which one is read, how another is named, and what is said.
#include <fmt/format.h>

#include "image/read.h"
#include "pictures.h"

namespace limn {
namespace {

using vips::VImage;

class ReadFrames : public InAFolderOfPictures {
 protected:
  // Three pages of 16 x 16: red, green, blue.
  void makes(const std::string& name) {
    VImage pages = made_rgb(16, 48, [](int, int y, int b) { return y / 16 == b ? 255 : 0; });
    pages.set(VIPS_META_PAGE_HEIGHT, 16);
    pages.write_to_file(path(name).c_str());
  }
};

TEST_F(ReadFrames, TakesTheFirstAndSaysSo) {
  for (const char* name : {"a.gif", "a.webp", "a.tif"}) {
    makes(name);
    std::string notes;
    const Image image =
        read_image(path(name), {.note = [&](const std::string& note) { notes += note; }});
    EXPECT_EQ(image.height, 16) << name;
    EXPECT_NEAR(at(image, 8, 8, 0), 1.0f, 0.02) << name;
    EXPECT_EQ(notes, fmt::format("'{0}' has 3 frames; the first is used, '{0}[1]' is the second",
                                 path(name)));
    EXPECT_EQ(read_header(path(name)).frames, 3) << name;
    EXPECT_EQ(read_header(path(name)).height, 16) << name;
  }
}

TEST_F(ReadFrames, TakesTheOneThatTheNameSays) {
  for (const char* name : {"a.gif", "a.webp", "a.tif"}) {
    makes(name);
    for (int frame = 0; frame < 3; ++frame) {
      std::string notes;
      const std::string which = path(name) + "[" + std::to_string(frame) + "]";
      const Image image = read_image(
          which,
          {.width = 8, .height = 8, .note = [&](const std::string& note) { notes += note; }});
      EXPECT_EQ(image.width, 8) << which;
      for (int c = 0; c < 3; ++c) EXPECT_NEAR(at(image, 4, 4, c), c == frame, 0.05) << which;
      EXPECT_EQ(notes, "") << which;
    }
    const Error error = error_of([&] { read_image(path(name) + "[3]"); });
    EXPECT_EQ(error.kind(), ErrorKind::file);
    EXPECT_PRED2(contains, error.what(), "it has 3 frames, counted from 0");
    EXPECT_STREQ(error_of([&] { read_header(path(name) + "[3]"); }).what(), error.what());
  }
}

TEST_F(ReadFrames, OfASinglePictureThereIsFrameZero) {
  made_rgb(3, 2, noise()).write_to_file(path("a.png").c_str());
  EXPECT_EQ(read_image(path("a.png") + "[0]").width, 3);
  const Error error = error_of([&] { read_image(path("a.png") + "[1]"); });
  EXPECT_PRED2(contains, error.what(), "it has 1 frame, counted from 0");
}

TEST_F(ReadFrames, PrefersAFileOfThatVeryName) {
  makes("a.gif");
  made_rgb(5, 4, noise()).write_to_file(path("plain.png").c_str());
  std::filesystem::rename(path("plain.png"), path("a.gif[1]"));
  EXPECT_EQ(read_image(path("a.gif[1]")).width, 5);
  EXPECT_EQ(read_image(path("a.gif[2]")).width, 16);
}

TEST_F(ReadFrames, SplitsNames) {
  const auto splits = [](const std::string& name, const std::string& stem, int frame) {
    const PictureName parts = picture_name(name);
    EXPECT_EQ(parts.path, stem) << name;
    EXPECT_EQ(parts.frame.value_or(-1), frame) << name;
  };
  splits("a.gif", "a.gif", -1);
  splits("a.gif[0]", "a.gif", 0);
  splits("a[1].gif[12]", "a[1].gif", 12);
  splits("-[2]", "-", 2);
  for (const char* name : {"", "[3]", "a[]", "a[-1]", "a[+1]", "a[1", "a1]", "a[1]b", "a[page=1]",
                           "a[99999999999]", "a[1 ]", "]", "["})
    splits(name, name, -1);
}

}  // namespace
}  // namespace limn
