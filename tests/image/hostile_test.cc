// Files from strangers: what is not a whole, harmless picture of a bearable size is refused, with
// an error that names the file and says why, and without a word on stderr.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <random>

#include "pictures.h"
#include "profile.h"

namespace limn {
namespace {

using vips::VImage;

// The checksum that PNG chunks end with.
std::uint32_t png_checksum(const std::string& bytes) {
  std::uint32_t sum = 0xffffffffu;
  for (const char c : bytes) {
    sum ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ (sum & 1 ? 0xedb88320u : 0);
  }
  return ~sum;
}

std::string png_chunk(const std::string& type, const std::string& data) {
  return big_endian(data.size(), 4) + type + data + big_endian(png_checksum(type + data), 4);
}

const std::string kPngMagic = "\x89PNG\r\n\x1a\n";

// An 8-bit RGB header of any size, all its checksums right, and a few bytes that are no pixels.
std::string png_that_claims(std::uint32_t width, std::uint32_t height) {
  return kPngMagic +
         png_chunk("IHDR", big_endian(width, 4) + big_endian(height, 4) +
                               std::string("\x08\x02\x00\x00\x00", 5)) +
         png_chunk("IDAT", "\x78\x9c\x03") + png_chunk("IEND", "");
}

class ReadHostileFile : public InAFolderOfPictures {
 protected:
  // Expects that reading is refused with this kind and a message that names the file and says
  // `cause`.
  void refuses(const std::string& file, ErrorKind kind, const std::string& cause,
               const ReadOptions& options = {}) {
    testing::internal::CaptureStderr();
    const Error error = error_of([&] { read_image(file, options); });
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << file;
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_PRED2(contains, error.what(), file);
    EXPECT_PRED2(contains, error.what(), cause);
    EXPECT_FALSE(contains(error.what(), "\n")) << error.what();
  }

  void refuses_bytes(const std::string& name, const std::string& bytes, ErrorKind kind,
                     const std::string& cause) {
    refuses(with_bytes(path(name), bytes), kind, cause);
  }

  // A noisy picture in the format of `name`, as bytes.
  std::string noisy(const std::string& name, int side = 64) {
    made_rgb(side, side, noise()).write_to_file(path(name).c_str());
    return file_bytes(path(name));
  }
};

TEST_F(ReadHostileFile, RefusesAnEmptyFile) {
  refuses_bytes("empty.jpg", "", ErrorKind::file, "the file is empty");
}

TEST_F(ReadHostileFile, RefusesTextThatIsNamedLikeAPicture) {
  refuses_bytes("text.jpg", "Dear diary,\n", ErrorKind::file, "not a picture in a known format");
  // Which message also says what would work.
  refuses(path("text.jpg"), ErrorKind::file, "limn reads JPEG, PNG, WebP, TIFF");
}

TEST_F(ReadHostileFile, RefusesFormatsThatOnlyUntrustedLoadersKnow) {
  const std::string cause = "not a picture in a known format";
  refuses_bytes("a.svg",
                "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" "
                "height=\"9\"><rect width=\"9\" height=\"9\"/></svg>",
                ErrorKind::file, cause);
  refuses_bytes("a.pdf", "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n", ErrorKind::file,
                cause);
  refuses_bytes("a.ppm", "P6\n1 1\n255\nabc", ErrorKind::file, cause);
  refuses_bytes("a.hdr", "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\nabcd", ErrorKind::file,
                cause);
  refuses_bytes(
      "a.bmp",
      "BM" + std::string("\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0", 28) +
          std::string(28, '\0'),
      ErrorKind::file, cause);
}

TEST_F(ReadHostileFile, RefusesAMatrixOfNumbersInText) {
  refuses_bytes("matrix.png", "2 2\n0 1\n1 0\n", ErrorKind::file, "not a picture");
}

TEST_F(ReadHostileFile, RefusesTruncatedFilesOfEveryFormat) {
  for (const char* name :
       {"a.jpg", "a.png", "a.webp", "a.tif", "a.gif", "a.avif", "a.heic", "a.jxl"}) {
    if (!can_write(path(name))) continue;
    const std::string whole = noisy(name);
    ASSERT_EQ(read_image(path(name)).width, 64) << name;
    for (const double share : {0.3, 0.6, 0.95}) {
      refuses_bytes(name, whole.substr(0, static_cast<size_t>(share * whole.size())),
                    ErrorKind::file, "cannot read");
    }
  }
}

TEST_F(ReadHostileFile, RefusesAJpegWithoutItsLastRows) {
  // A large one, where the header and most rows are in order: no half-grey pictures.
  const std::string whole = noisy("a.jpg", 500);
  refuses_bytes("a.jpg", whole.substr(0, whole.size() - 2000), ErrorKind::file,
                "damaged or incomplete");
}

TEST_F(ReadHostileFile, RefusesAPngWithoutItsLastRows) {
  // Many times, because libvips's threads once raced for whether the last strip's error counts.
  const std::string whole = noisy("a.png", 200);
  for (int i = 0; i < 30; ++i) {
    refuses_bytes("a.png", whole.substr(0, whole.size() - 2000), ErrorKind::file,
                  "damaged or incomplete");
  }
}

TEST_F(ReadHostileFile, RefusesATruncatedPictureThatMustBeTurned) {
  VImage lying = made_rgb(200, 200, noise());
  lying.set(VIPS_META_ORIENTATION, 6);
  lying.write_to_file(path("a.jpg").c_str());
  const std::string whole = file_bytes(path("a.jpg"));
  for (int i = 0; i < 30; ++i) {
    refuses_bytes("a.jpg", whole.substr(0, whole.size() - 2000), ErrorKind::file,
                  "damaged or incomplete");
  }
}

TEST_F(ReadHostileFile, ReadsAPngThatLacksNothingButItsEndMark) {
  const std::string whole = noisy("a.png");
  const Image image = read_image(path("a.png"));
  constexpr size_t kEndMark = 12;  // bytes, without a pixel among them
  with_bytes(path("a.png"), whole.substr(0, whole.size() - kEndMark));
  EXPECT_EQ(read_image(path("a.png")).rgb, image.rgb);
}

TEST_F(ReadHostileFile, RefusesAPngWithAWrongChecksum) {
  std::string bytes = noisy("a.png");
  // The last IDAT's own checksum stands before IEND's length and name. The pixels are in order.
  bytes[bytes.find("IEND") - 6] ^= 1;
  refuses_bytes("pixels.png", bytes, ErrorKind::file, "damaged or incomplete");
  bytes = noisy("a.png");
  bytes[bytes.find("IHDR") + 7] ^= 1;  // a width that its checksum does not confirm
  refuses_bytes("header.png", bytes, ErrorKind::file, "damaged or incomplete");
}

TEST_F(ReadHostileFile, RefusesAbsurdDimensionsByTheHeaderAlone) {
  // There are no pixels in the file: whoever looked for them first would call it damaged.
  refuses_bytes("bomb.png", png_that_claims(60000, 60000), ErrorKind::resources,
                "60000 x 60000 = 3600000000 pixels, more than the limit of 400000000");
  refuses_bytes("long.png", png_that_claims(1'000'001, 1), ErrorKind::resources,
                "1000001 x 1 pixels; a side may have at most 1000000");
  refuses_bytes("none.png", png_that_claims(0, 5), ErrorKind::file, "damaged");
  refuses_bytes("huge.png", png_that_claims(0x7fffffff, 0x7fffffff), ErrorKind::file, "damaged");
}

TEST_F(ReadHostileFile, RefusesAGifThatClaimsToBeHuge) {
  const std::string bytes = "GIF89a" + std::string("\xff\xff\xff\xff\x80\0\0", 7) +
                            std::string("\0\0\0\xff\xff\xff", 6) +
                            std::string(",\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0;", 16);
  refuses_bytes("bomb.gif", bytes, ErrorKind::resources, "65535 x 65535");
}

TEST_F(ReadHostileFile, RefusesATiffThatClaimsToBeHuge) {
  // Little-endian, one directory of four entries at byte 8, no pixels.
  const auto entry = [](int tag, int type, std::uint32_t value) {
    std::string text;
    for (const auto& [number, bytes] :
         {std::pair<std::uint32_t, int>{tag, 2}, {type, 2}, {1, 4}, {value, 4}})
      for (int i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i));
    return text;
  };
  const std::string start = std::string("II*\0\x08\0\0\0", 8);
  const std::string huge = entry(256, 4, 900'000) + entry(257, 4, 900'000) + entry(258, 3, 8) +
                           entry(262, 3, 1) + entry(273, 4, 8) + entry(279, 4, 100);
  refuses_bytes("bomb.tif", start + std::string("\x06\0", 2) + huge + std::string(4, '\0'),
                ErrorKind::resources, "900000 x 900000");
  // A picture with 9000 channels would take as much memory as one with many pixels.
  const std::string deep = entry(256, 4, 1000) + entry(257, 4, 1000) + entry(258, 3, 8) +
                           entry(262, 3, 1) + entry(273, 4, 8) + entry(277, 3, 9000) +
                           entry(279, 4, 100);
  refuses_bytes("deep.tif", start + std::string("\x07\0", 2) + deep + std::string(4, '\0'),
                ErrorKind::file, "9000 channels");
}

TEST_F(ReadHostileFile, RefusesAPictureOverTheLimitBeforeTakingMemory) {
  made_grey(4000, 4000, [](int, int, int) { return 0; }).write_to_file(path("a.png").c_str());
  const size_t before = vips_tracked_get_mem_highwater();
  refuses(path("a.png"), ErrorKind::resources,
          "4000 x 4000 = 16000000 pixels, more than the limit of 15999999; make it smaller first",
          {.max_pixels = 15'999'999});
  EXPECT_EQ(vips_tracked_get_mem_highwater(), before);
  EXPECT_EQ(read_image(path("a.png"), {.max_pixels = 16'000'000}).width, 4000);
}

TEST_F(ReadHostileFile, RefusesAFolder) {
  std::filesystem::create_directory(path("folder.png"));
  refuses(path("folder.png"), ErrorKind::file, "is a folder");
}

TEST_F(ReadHostileFile, RefusesAMissingFile) {
  refuses(path("missing.png"), ErrorKind::file, "there is no picture");
  refuses(path("no/such/folder.png"), ErrorKind::file, "there is no picture");
}

TEST_F(ReadHostileFile, RefusesAFileThatMayNotBeRead) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  noisy("secret.png");
  chmod(path("secret.png").c_str(), 0);
  refuses(path("secret.png"), ErrorKind::file, "Permission denied");
}

TEST_F(ReadHostileFile, RefusesADeviceByItsFirstBytes) {
  refuses("/dev/zero", ErrorKind::file, "it is not a picture in a known format");
  refuses("/dev/urandom", ErrorKind::file, "it is not a picture in a known format");
  refuses("/dev/null", ErrorKind::file, "the file is empty");
}

TEST_F(ReadHostileFile, GivesTheSystemsReasonForNamesThatLeadNowhere) {
  std::filesystem::create_symlink(path("b"), path("a"));
  std::filesystem::create_symlink(path("a"), path("b"));
  refuses(path("a"), ErrorKind::file, "symbolic links");
  refuses(path(std::string(300, 'x') + ".png"), ErrorKind::file, "File name too long");
}

TEST_F(ReadHostileFile, SaysWhatAFileIsInsteadWhereThatIsEasilySeen) {
  const auto is = [&](const std::string& bytes, const std::string& kind) {
    refuses_bytes("a.jpg", bytes, ErrorKind::file, "JPEG XL; this file is " + kind);
  };
  is("<!DOCTYPE html><html><body>403</body></html>", "a web page");
  is("\n  <HTML><head>", "a web page");
  is("Dear diary,\n", "text");
  is("%PDF-1.4\n1 0 obj", "a PDF");
  is("<?xml version=\"1.0\"?><svg width=\"9\"/>", "an SVG");
}

TEST_F(ReadHostileFile, SaysNothingOnStderrAboutOddMetadata) {
  // libvips warns of a corrupt profile, libtiff of a tag it does not know.
  VImage odd = made_rgb(8, 8, noise());
  const std::string rubbish = std::string(16, 'x') + "RGB " + std::string(200, 'x');
  vips_image_set_blob_copy(odd.get_image(), VIPS_META_ICC_NAME, rubbish.data(), rubbish.size());
  odd.write_to_file(path("odd.tif").c_str());
  testing::internal::CaptureStderr();
  EXPECT_EQ(read_image(path("odd.tif")).width, 8);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(ReadHostileFile, KeepsTheTroublesOfOneFileOutOfTheNext) {
  // libvips complains of the first file's profile, of which limn makes nothing.
  VImage odd = made_rgb(8, 8, noise());
  const std::string broken = rgb_profile(gamma_tag(1.0)).substr(0, 200);
  vips_image_set_blob_copy(odd.get_image(), VIPS_META_ICC_NAME, broken.data(), broken.size());
  odd.write_to_file(path("odd.tif").c_str());
  const std::string jpeg = noisy("a.jpg").substr(0, 1500);
  vips_error_clear();
  EXPECT_EQ(read_image(path("odd.tif")).width, 8);
  const Error error = error_of([&] { read_image(with_bytes(path("b.jpg"), jpeg)); });
  EXPECT_FALSE(contains(error.what(), "Icc")) << error.what();
  refuses_bytes("c.png", noisy("a.png").substr(0, 3000), ErrorKind::file, "damaged");
  const Error last = error_of([&] { read_image(path("b.jpg")); });
  EXPECT_STREQ(last.what(), error.what());
}

// Whatever bytes come, the outcome is a sound picture or an error of limn's own. Run it under the
// sanitisers for what it is worth; the sums to change are the same in every run.
TEST_F(ReadHostileFile, SurvivesDamageAnywhere) {
  testing::internal::CaptureStderr();
  std::mt19937 random(7);
  int refused = 0;
  int read = 0;
  for (const char* name : {"a.jpg", "a.png", "a.webp", "a.tif", "a.gif"}) {
    const std::string whole = noisy(name, 24);
    for (int round = 0; round < 150; ++round) {
      std::string bytes = whole;
      // Half of the damage in the first 200 bytes, where the headers are.
      const size_t reach = round % 2 == 0 ? std::min<size_t>(200, bytes.size()) : bytes.size();
      for (unsigned hits = 1 + random() % 4; hits > 0; --hits)
        bytes[random() % reach] = static_cast<char>(random());
      if (round % 5 == 0) bytes.resize(random() % bytes.size());
      try {
        const Image image =
            read_image(with_bytes(path("hit.bin"), bytes), {.max_pixels = 1'000'000});
        ASSERT_NO_FATAL_FAILURE(expect_sound(image)) << name << " round " << round;
        ++read;
      } catch (const Error& error) {
        EXPECT_NE(error.kind(), ErrorKind::usage) << error.what();
        EXPECT_PRED2(contains, error.what(), path("hit.bin"));
        ++refused;
      }
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_GT(refused, 100);
  EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace limn
