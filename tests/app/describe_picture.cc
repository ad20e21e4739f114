// What limn reads from pictures, for tests to look at.
//
//   describe_picture FILE...
//
// prints a line for each: size, whether it is opaque, and the mean of its colours and of its alpha.
// "48 x 36 opaque, colour 0.502" or "48 x 36 alpha 0.500, colour 0.502".
//
//   describe_picture --json FILE MASK [OTHER]
//
// prints what is found inside the mask (where it is at least 0.5) and outside it; with "none" for
// the mask, inside is everywhere. MASK and OTHER are as large as FILE:
//
//   {"inside": {"red": 0.5, "green": 0.4, "blue": 0.3,   means
//               "spread": 0.2,                           the mean of a pixel's largest - smallest
//               "difference": 0.1, "largest": 0.3},      of values from OTHER's: mean and most
//    "outside": ...}
#include <limn/limn.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

namespace {

using limn::Image;

double mean(const std::vector<float>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void print_line(const Image& image) {
  fmt::print("{} x {} {}, colour {:.3f}\n", image.width, image.height,
             image.alpha.empty() ? "opaque" : fmt::format("alpha {:.3f}", mean(image.alpha)),
             mean(image.rgb));
}

// Of the pixels at `places`.
nlohmann::json description(const Image& image, const Image& other,
                           const std::vector<size_t>& places) {
  const size_t pixels = image.rgb.size() / 3;
  double sums[3] = {}, spread = 0, difference = 0, largest = 0;
  for (const size_t place : places) {
    double low = 1, high = 0;
    for (size_t c = 0; c < 3; ++c) {
      const double value = image.rgb[c * pixels + place];
      const double off = std::abs(value - other.rgb[c * pixels + place]);
      sums[c] += value;
      low = std::min(low, value);
      high = std::max(high, value);
      difference += off / 3;
      largest = std::max(largest, off);
    }
    spread += high - low;
  }
  const double count = std::max<double>(1, places.size());
  return {{"red", sums[0] / count},   {"green", sums[1] / count},         {"blue", sums[2] / count},
          {"spread", spread / count}, {"difference", difference / count}, {"largest", largest}};
}

int print_json(const std::string& file, const std::string& mask_file,
               const std::string& other_file) {
  const Image image = limn::read_image(file);
  const Image other = limn::read_image(other_file);
  const size_t pixels = image.rgb.size() / 3;
  limn::Mask mask = {image.width, image.height, std::vector<float>(pixels, 1.0f)};
  if (mask_file != "none") mask = limn::read_mask(mask_file);
  if (mask.values.size() != pixels || other.rgb.size() != image.rgb.size()) {
    std::cerr << "describe_picture: sizes differ\n";
    return 1;
  }
  std::vector<size_t> inside, outside;
  for (size_t i = 0; i < pixels; ++i) (mask.values[i] >= 0.5f ? inside : outside).push_back(i);
  fmt::print("{}\n", nlohmann::json({{"inside", description(image, other, inside)},
                                     {"outside", description(image, other, outside)}})
                         .dump());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 3 && words[0] == "--json") {
    return print_json(words[1], words[2], words.size() > 3 ? words[3] : words[1]);
  }
  for (const std::string& file : words) print_line(limn::read_image(file));
}
