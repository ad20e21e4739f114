#include "weights/read.h"

#include <gtest/gtest.h>
#include <limn/limn.h>

#include <filesystem>

#include "weights_files.h"

namespace limn {
namespace {

// The refusal of a file with these bytes.
std::string refusal_of_bytes(std::string_view bytes, const std::string& name = "weights.bin") {
  const TemporaryFolder folder;
  write_bytes(folder.path(name), bytes);
  return refusal(folder.path(name));
}

TEST(ReadWeights, TellsFormatsApartByTheirBytesNotTheirNames) {
  const TemporaryFolder folder;
  const Weights weights = sample_weights(kVgg19, 2);
  write_keras_h5(folder.path("keras.safetensors"), weights);
  write_safetensors(weights, folder.path("safe.h5"));
  EXPECT_TRUE(same_layers(read_weights(folder.path("keras.safetensors")), weights));
  EXPECT_TRUE(same_layers(read_weights(folder.path("safe.h5")), weights));
}

TEST(ReadWeights, RemembersTheFileTheyCameFrom) {
  const TemporaryFolder folder;
  write_keras_h5(folder.path("a.h5"), sample_weights(kVgg19, 1));
  write_safetensors(sample_weights(kVgg19, 1), folder.path("a.safetensors"));
  EXPECT_EQ(read_weights(folder.path("a.h5")).source, folder.path("a.h5"));
  EXPECT_EQ(read_weights(folder.path("a.safetensors")).source, folder.path("a.safetensors"));
}

TEST(ReadWeights, RefusesAMissingFile) {
  const TemporaryFolder folder;
  EXPECT_TRUE(says(refusal(folder.path("none.h5")), "there is no weights file"));
}

TEST(ReadWeights, RefusesAFolder) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.path("folder.h5"));
  EXPECT_TRUE(says(refusal(folder.path("folder.h5")), "is a folder"));
}

TEST(ReadWeights, RefusesAnEmptyFile) { EXPECT_TRUE(says(refusal_of_bytes(""), "is empty")); }

TEST(ReadWeights, RefusesSevenBytes) {
  EXPECT_TRUE(says(refusal_of_bytes("\x10\x01\x02\x03\x04\x05\x06"), "is not weights"));
  EXPECT_TRUE(says(refusal_of_bytes("\x89HDF\r\n\x1a"), "is not weights"));
}

TEST(ReadWeights, SaysWhatAForeignFileIs) {
  struct Foreign {
    std::string_view bytes;
    std::string_view expected;
  };
  using namespace std::string_view_literals;
  const Foreign foreigners[] = {
      {"hello, I am not weights\n", "is text, not weights"},
      {"12345678{\"text\": 1}", "is text, not weights"},  // the '{' where safetensors has it
      {"<!DOCTYPE html><html>404</html>", "is a web page"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0", "is a Git LFS pointer"},
      {"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"sv, "is a PNG picture"},
      {"\xff\xd8\xff\xe0\0\x10JFIF"sv, "is a JPEG picture"},
      {"\x80\x02}q\0."sv, "is a Python pickle, but not PyTorch's"},
      {"\x80\x05}q\0."sv, "is a Python pickle, but not PyTorch's"},
      {"MATLAB 7.3 MAT-file, Platform: GLNXA64", "is a MATLAB 7.3 file"},
      {"\x1f\x8b\x08\0\0\0\0\0\0\x03"sv, "is packed with gzip"},
      {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a",
       "is not weights in any format that limn recognises"},
  };
  for (const Foreign& foreign : foreigners) {
    const std::string message = refusal_of_bytes(foreign.bytes);
    EXPECT_TRUE(says(message, foreign.expected));
    EXPECT_TRUE(says(message, "limn reads Keras .h5, .safetensors"));
  }
}

// Whatever servers put before a page, and however they write it.
TEST(ReadWeights, RecognisesWebPages) {
  using namespace std::string_view_literals;
  for (const std::string_view page : {
           "\n\n<!doctype html>\n<html lang=\"fr\"><title>T\xc3\xa9l\xc3\xa9</title></html>"sv,
           "\xef\xbb\xbf<!DOCTYPE html><html>"sv,
           "<!-- a comment -->\r\n<!-- and more -->\t<html>"sv,
           "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML\"><html>"sv,
           "<HTML><HEAD><TITLE>404 Not Found</TITLE></HEAD></HTML>"sv,
           "<head>\n<title>x</title>"sv,
           "\n <html lang=en class=padding-of-more-than-thirty-two-bytes>"sv,  // as if of Caffe
           "\n\n<body>1234</body>"sv,
           "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"sv,
           "1f4\r\n<!DocType HTML>"sv,
           "\0\0\0<html>"sv,
           "<!DOCTYPE html><html><p>\xe9\xe8 in Latin-1"sv,
           "\xff\xfe<\0h\0t\0m\0l\0>\0"sv,
           "\xfe\xff\0<\0h\0t\0m\0l\0>"sv,
       }) {
    EXPECT_TRUE(says(refusal_of_bytes(page), "is a web page")) << page;
  }
  EXPECT_TRUE(says(refusal_of_bytes("<html><title>\n  Sign\n in </title>"),
                   "is a web page (\"Sign in\"), not weights: the download brought it"));
}

TEST(ReadWeights, SaysWhatServersAnswered) {
  EXPECT_TRUE(says(refusal_of_bytes("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>"
                                    "<Code>AccessDenied</Code><Message>Access Denied</Message>"),
                   "is a server's error message (\"AccessDenied: Access Denied\")"));
  EXPECT_TRUE(says(refusal_of_bytes("\n<Error><Code>NoSuchKey</Code></Error>"), "(\"NoSuchKey\")"));
  EXPECT_TRUE(says(refusal_of_bytes("<svg xmlns=\"x\"/>"), "is an SVG picture"));
  EXPECT_TRUE(says(refusal_of_bytes("{\"message\":\"Not Found\",\"status\":\"404\"}"),
                   "a message \"Not Found\" from a server"));
  EXPECT_TRUE(says(refusal_of_bytes("{\"layers\": 3}"), "it has no weightsManifest, but 'layers'"));
  EXPECT_TRUE(says(refusal_of_bytes("\xef\xbb\xbf{\"a\": 1}"), "is JSON, not weights"));
  EXPECT_TRUE(says(refusal_of_bytes("Acc\xc3\xa8s refus\xc3\xa9\nmore"), "is text, not weights"));
  EXPECT_TRUE(says(refusal_of_bytes(" \nversion https://git-lfs.github.com/spec/v1\n"),
                   "is a Git LFS pointer"));
  EXPECT_TRUE(says(refusal_of_bytes(std::string(5000, '\0')), "nothing but blanks or zeros"));
  EXPECT_TRUE(says(refusal_of_bytes("\n\n\n"), "nothing but blanks or zeros"));
}

}  // namespace
}  // namespace limn
