#include "batch/gallery.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace limn {
namespace {

TEST(Gallery, EscapesWhatMeansSomethingInAPage) {
  EXPECT_EQ(escaped("a & b <c> \"d\""), "a &amp; b &lt;c&gt; &quot;d&quot;");
  EXPECT_EQ(escaped("plain ünicode"), "plain ünicode");
}

Image plain(int width, int height) {
  Image image = {width, height, {}, {}};
  image.rgb.assign(size_t{3} * width * height, 0.5f);
  return image;
}

using GalleryOfFiles = InAFolder;

TEST_F(GalleryOfFiles, LinksToThemFromWhereThePageIs) {
  const std::string file = path("out #1 100%.png");
  write_image(plain(6, 4), file);
  std::vector<BatchItem> items(1);
  items[0].request.names.photo = file;
  items[0].request.names.paintings = {file};
  items[0].request.output = file;
  items[0].state = ItemState::painted;
  items[0].size = {4, 6};
  const std::string beside = gallery_page(items, "a <b>", path("page.html"));
  EXPECT_NE(beside.find("href=\"./out%20%231%20100%25.png\""), std::string::npos);
  EXPECT_NE(beside.find("<title>a &lt;b&gt;</title>"), std::string::npos);
  const std::string below = gallery_page(items, "a", path("pages/page.html"));
  EXPECT_NE(below.find("href=\"../out%20%231%20100%25.png\""), std::string::npos);
}

TEST(Gallery, SaysWhatIsNotThere) {
  std::vector<BatchItem> items(2);
  items[0].request.names = {.photo = "a.jpg", .canvas = {}, .paintings = {"b.jpg"}};
  items[0].state = ItemState::failed;
  items[0].trouble = "'a.jpg' is <broken>";
  items[1].request.names = {.photo = "c.jpg", .canvas = {}, .paintings = {"b.jpg"}};
  const std::string page = gallery_page(items, "x", "x.html");
  EXPECT_NE(page.find("<b>a, in the style of b</b><br>'a.jpg' is &lt;broken&gt;"),
            std::string::npos);
  EXPECT_NE(page.find("<b>c, in the style of b</b><br>not yet"), std::string::npos);
}

}  // namespace
}  // namespace limn
