#include "canvas/initial.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "image/read.h"

namespace limn {
namespace {

struct Statistics {
  double mean, deviation;
};

Statistics statistics_of(std::span<const float> values) {
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const auto count = static_cast<double>(values.size());
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

// A picture the size of `photo`, every value from draw().
template <typename Draw>
Image drawn_picture(const Image& photo, Draw&& draw) {
  Image picture;
  picture.width = photo.width;
  picture.height = photo.height;
  picture.rgb.resize(photo.rgb.size());
  for (float& value : picture.rgb) value = static_cast<float>(draw());
  return picture;
}

Image grey_picture(const Image& like, Random& random) {
  constexpr double kDeviation = 0.2;  // few values leave 0..1
  return drawn_picture(like,
                       [&] { return std::clamp(0.5 + kDeviation * random.normal(), 0.0, 1.0); });
}

// Noise in the variable's unit.
std::vector<float> noise_variable(const Units& units, const Recipe& recipe, const Image& photo) {
  Random random(recipe.picture.seed);
  switch (recipe.picture.noise) {
    case Noise::grey:
      return units.encode(grey_picture(photo, random));
    case Noise::uniform: {
      const Statistics of_photo = statistics_of(photo.rgb);
      return units.encode(drawn_picture(
          photo, [&] { return of_photo.mean + of_photo.deviation * (2 * random.uniform() - 1); }));
    }
    case Noise::standard:
      break;
  }
  return drawn_picture(photo, [&] { return random.normal(); }).rgb;
}

// The mean colour of all paintings, everywhere; the size of the photo.
Image mean_picture(const Pictures& pictures) {
  std::array<double, 3> sums = {};
  double pixels = 0;
  for (const Style& style : pictures.styles) {
    for (const Image& painting : style.paintings) {
      const size_t plane = painting.rgb.size() / 3;
      for (size_t i = 0; i < plane; ++i) {
        const double seen = painting.alpha.empty() ? 1 : painting.alpha[i];
        for (size_t c = 0; c < 3; ++c) sums[c] += seen * painting.rgb[c * plane + i];
        pixels += seen;
      }
    }
  }
  Image picture;
  picture.width = pictures.photo.width;
  picture.height = pictures.photo.height;
  picture.rgb.resize(pictures.photo.rgb.size());
  const size_t plane = picture.rgb.size() / 3;
  for (size_t i = 0; i < picture.rgb.size(); ++i) {
    picture.rgb[i] = static_cast<float>(sums[i / plane] / pixels);
  }
  return picture;
}

}  // namespace

Image grey_noise(const Image& like, std::uint64_t seed) {
  Random random(seed);
  return grey_picture(like, random);
}

bool names_picture(const std::string& init) {
  return init != "content" && init != "noise" && init != "mean";
}

bool begins_with_file(const Recipe& recipe) {
  const std::string& init = recipe.picture.init;
  if (!names_picture(init)) return false;
  const std::string path = picture_name(init).path;
  if (path != kStandardInput && is_missing(path)) {
    fail(ErrorKind::file, "--init: '{}' is not 'content', 'noise', 'mean' or a file", init);
  }
  return true;
}

std::optional<Image> initial_picture(const Pictures& pictures, const Recipe& recipe) {
  if (!pictures.initial.rgb.empty()) return pictures.initial;
  if (recipe.picture.init == "mean") return mean_picture(pictures);
  if (!begins_with_file(recipe)) return std::nullopt;
  return read_image(recipe.picture.init);
}

std::vector<float> initial_variable(const Units& units, const Recipe& recipe, Image photo,
                                    std::optional<Image> given) {
  if (given) return units.encode(std::move(*given));
  if (recipe.picture.init != "noise") return units.encode(std::move(photo));
  std::vector<float> x = noise_variable(units, recipe, photo);
  const auto share = static_cast<float>(recipe.picture.noise_share);
  if (share == 1) return x;
  const std::vector<float> behind = units.encode(std::move(photo));
  for (size_t i = 0; i < x.size(); ++i) x[i] = share * x[i] + (1 - share) * behind[i];
  return x;
}

}  // namespace limn
