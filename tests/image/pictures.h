// What the tests of this folder share: a folder that vanishes, small pictures made on the spot, and
// catching errors to read them.
#pragma once

#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>
#include <vips/vips8>

#include "image/vips.h"
#include "image/write.h"

namespace limn {

// A fresh folder for each test, removed after it.
class InAFolderOfPictures : public ::testing::Test {
 protected:
  InAFolderOfPictures() {
    start_vips();
    std::string name = (std::filesystem::temp_directory_path() / "limn-image-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no folder for tests");
    folder_ = name;
  }
  ~InAFolderOfPictures() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  // The image as the file `name`, read by limn.
  Image through(const vips::VImage& image, const std::string& name,
                vips::VOption* options = nullptr) const {
    image.write_to_file(path(name).c_str(), options);
    return read_image(path(name));
  }

  // The names of all files in the folder, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      found.push_back(entry.path().filename().string());
    std::sort(found.begin(), found.end());
    return found;
  }

  std::filesystem::path folder_;
};

inline std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Writes the bytes and returns the path.
inline std::string with_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

// Whether this machine has an encoder for the ending of `path`.
inline bool can_write(const std::string& path) {
  try {
    check_writable(path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// The error that `act` throws. None is a failure.
inline Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::usage, "");
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A picture for libvips: sample(x, y, band) in the format's own units.
template <typename T>
vips::VImage made(int width, int height, int bands, VipsBandFormat format,
                  VipsInterpretation interpretation,
                  const std::function<double(int x, int y, int band)>& sample) {
  std::vector<T> samples;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int b = 0; b < bands; ++b) samples.push_back(static_cast<T>(sample(x, y, b)));
  return vips::VImage(vips_image_new_from_memory_copy(samples.data(), samples.size() * sizeof(T),
                                                      width, height, bands, format))
      .copy(vips::VImage::option()->set("interpretation", interpretation));
}

using Sample = std::function<double(int x, int y, int band)>;

inline vips::VImage made_rgb(int width, int height, const Sample& sample) {
  return made<std::uint8_t>(width, height, 3, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB, sample);
}

inline vips::VImage made_grey(int width, int height, const Sample& sample) {
  return made<std::uint8_t>(width, height, 1, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_B_W, sample);
}

// Bytes that no compressor shrinks much, the same in every run.
inline Sample noise() {
  return [random = std::mt19937(1)](int, int, int) mutable {
    return static_cast<double>(random() >> 24);
  };
}

// A picture of limn's: value(x, y, channel), opaque.
inline Image painted(int width, int height, const std::function<float(int, int, int)>& value) {
  Image image;
  image.width = width;
  image.height = height;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) image.rgb.push_back(value(x, y, c));
  return image;
}

inline float at(const Image& image, int x, int y, int channel) {
  return image.rgb[(static_cast<size_t>(channel) * image.height + y) * image.width + x];
}

inline float alpha_at(const Image& image, int x, int y) {
  return image.alpha[static_cast<size_t>(y) * image.width + x];
}

// A picture's sizes agree and its values are in 0..1 (which no NaN is).
inline void expect_sound(const Image& image) {
  const size_t pixels = static_cast<size_t>(image.width) * image.height;
  ASSERT_EQ(image.rgb.size(), 3 * pixels);
  ASSERT_TRUE(image.alpha.empty() || image.alpha.size() == pixels);
  for (const auto* plane : {&image.rgb, &image.alpha})
    for (const float value : *plane) ASSERT_TRUE(value >= 0.0f && value <= 1.0f) << value;
}

}  // namespace limn
