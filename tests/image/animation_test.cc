// Animations: their frames, times and loop as another reader finds them, and what is refused.
#include "image/animation.h"

#include "pictures.h"

namespace limn {
namespace {

using vips::VImage;

constexpr int kWidth = 40;
constexpr int kHeight = 30;

class Animation : public InAFolderOfPictures {
 protected:
  // All frames below each other.
  VImage stored(const std::string& name) const {
    return VImage::new_from_file(path(name).c_str(), VImage::option()->set("n", -1));
  }
  int frame_height(const VImage& pages) const { return pages.get_int("page-height"); }
  // The mean of each frame.
  std::vector<double> greys(const std::string& name) const {
    const VImage pages = stored(name);
    std::vector<double> means;
    for (int top = 0; top < pages.height(); top += kHeight) {
      means.push_back(pages.extract_area(0, top, kWidth, kHeight).extract_band(1).avg() / 255);
    }
    return means;
  }
};

// Frame i of a series: grey of i + 1 tenths.
Image grey_frame(std::size_t i) {
  return painted(kWidth, kHeight, [&](int, int, int) { return static_cast<float>(i + 1) / 10.0f; });
}

TEST_F(Animation, GoesThereAndBackInALoop) {
  for (const char* name : {"a.webp", "a.gif", "A.GIF"}) {
    write_animation(4, grey_frame, path(name), {.milliseconds = 700});
    const VImage pages = stored(name);
    EXPECT_EQ(pages.width(), kWidth);
    EXPECT_EQ(frame_height(pages), kHeight);
    const std::vector<double> found = greys(name);
    const std::vector<double> expected = {0.1, 0.2, 0.3, 0.4, 0.3, 0.2};
    ASSERT_EQ(found.size(), expected.size()) << name;
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 0.02) << name;
    const std::vector<int> delays = pages.get_array_int("delay");
    EXPECT_EQ(delays, std::vector<int>(6, 700)) << name;
    EXPECT_EQ(pages.get_int("loop"), 0) << name << ": for ever";
  }
}

TEST_F(Animation, OfOneOrTwoFramesHasThoseAlone) {
  for (const std::size_t count : {1, 2}) {
    for (const char* name : {"a.webp", "a.gif"}) {
      write_animation(count, grey_frame, path(name));
      EXPECT_EQ(greys(name).size(), count) << name;
    }
  }
}

TEST_F(Animation, AsksForEachFrameOnceInOrder) {
  std::vector<std::size_t> asked;
  write_animation(
      3,
      [&](std::size_t i) {
        asked.push_back(i);
        return grey_frame(i);
      },
      path("a.gif"));
  EXPECT_EQ(asked, (std::vector<std::size_t>{0, 1, 2}));
}

TEST_F(Animation, RefusesOtherEndingsAndPlacesBeforehand) {
  for (const char* name : {"a.png", "a", "a.mp4", ".gif", ""}) {
    const Error error = error_of([&] { check_animation_writable(path(name)); });
    EXPECT_EQ(error.kind(), ErrorKind::usage) << name;
    EXPECT_TRUE(contains(error.what(), ".webp or .gif")) << error.what();
  }
  const Error folder = error_of([&] { check_animation_writable(path("nowhere/a.gif")); });
  EXPECT_EQ(folder.kind(), ErrorKind::file);
  EXPECT_TRUE(contains(folder.what(), "there is no folder")) << folder.what();
  const Error large = error_of([&] { check_animation_writable(path("a.webp"), 20'000); });
  EXPECT_EQ(large.kind(), ErrorKind::usage);
  EXPECT_TRUE(contains(large.what(), "WebP allows at most 16383")) << large.what();
  check_animation_writable(path("a.gif"), 20'000);
  EXPECT_TRUE(names().empty());
}

TEST_F(Animation, LeavesTheOldFileWhereAFrameFails) {
  with_bytes(path("a.gif"), "old");
  EXPECT_THROW(write_animation(
                   2,
                   [](std::size_t i) -> Image {
                     if (i == 1) throw std::runtime_error("no frame");
                     return grey_frame(i);
                   },
                   path("a.gif")),
               std::runtime_error);
  EXPECT_EQ(file_bytes(path("a.gif")), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a.gif"});
}

}  // namespace
}  // namespace limn
