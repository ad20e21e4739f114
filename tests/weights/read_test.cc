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
      {"\x80\x02}q\0."sv, "is a Python pickle, but none of PyTorch's"},
      {"\x93NUMPY\x01\0v\0{'descr'"sv, "is a single NumPy array"},
      {"MATLAB 7.3 MAT-file, Platform: GLNXA64", "is a MATLAB 7.3 file"},
      {"\x1f\x8b\x08\0\0\0\0\0\0\x03"sv, "is packed by gzip"},
      {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", "is not weights in a format that limn knows"},
  };
  for (const Foreign& foreign : foreigners) {
    const std::string message = refusal_of_bytes(foreign.bytes);
    EXPECT_TRUE(says(message, foreign.expected));
    EXPECT_TRUE(says(message, "limn reads Keras .h5, .safetensors"));
  }
}

}  // namespace
}  // namespace limn
