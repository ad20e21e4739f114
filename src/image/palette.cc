#include "image/palette.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "image/alpha.h"
#include "image/mask.h"
#include "image/shape.h"

namespace limn {
namespace {

// All constants are the authors'. Variances in Oklab: a deviation of 1/100.
constexpr double kWidening = 1e-4;
// The largest entry of the covariance of a and b below which a palette counts as grey: a deviation
// of 1/130.
constexpr double kNearGrey = 6e-5;
constexpr int kFilterPasses = 5;
// By how much a difference in L (0..1) lowers a neighbour's weight: to 1/e for a tenth.
constexpr float kSharpness = 10;

// Extends the palette's range by the pixels that count.
void extend_range(Palette& palette, const Image& lab) {
  const size_t pixels = lab.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    if (!lab.alpha.empty() && !(lab.alpha[i] > 0)) continue;
    for (size_t p = 0; p < 3; ++p) {
      const double value = lab.rgb[p * pixels + i];
      palette.least[p] = std::min(palette.least[p], value);
      palette.most[p] = std::max(palette.most[p], value);
    }
  }
}

bool is_nearly_grey(const Matrix3& covariance) {
  return std::max({std::abs(covariance[1][1]), std::abs(covariance[1][2]),
                   std::abs(covariance[2][2])}) < kNearGrey;
}

// The distribution of a and b alone. Both L being constant, maps between two of these leave it.
Spread of_colours(Spread spread) {
  spread.mean[0] = 0;
  for (size_t p = 0; p < 3; ++p) spread.covariance[0][p] = spread.covariance[p][0] = 0;
  return spread;
}

// Gives pixels distributed like `from` the distribution `to`.
void recolour(Image& lab, const Spread& from, const Spread& to) {
  const Matrix3 T = whitening_colouring_map(from.covariance, to.covariance, kWidening);
  each_pixel(lab, [&](float& L, float& a, float& b) {
    const Vector3 moved = T * Vector3{L - from.mean[0], a - from.mean[1], b - from.mean[2]};
    L = static_cast<float>(moved[0] + to.mean[0]);
    a = static_cast<float>(moved[1] + to.mean[1]);
    b = static_cast<float>(moved[2] + to.mean[2]);
  });
}

// A plane of height * width values.
void clamp_plane(float* plane, size_t pixels, double least, double most) {
  const auto low = static_cast<float>(least), high = static_cast<float>(most);
  for (size_t i = 0; i < pixels; ++i) plane[i] = std::clamp(plane[i], low, high);
}

// One pass of the bilateral filter. `guide` holds exp(kSharpness L), so that the weight of two
// pixels is the smaller over the larger. All have height * width values per plane; `from` and `to`,
// which is =, have two.
void filter(const std::vector<float>& guide, int width, int height, const float* from, float* to) {
  const size_t pixels = guide.size();
  for (int y = 0; y < height; ++y) {
    const int top = std::max(y - 1, 0), bottom = std::min(y + 1, height - 1);
    for (int x = 0; x < width; ++x) {
      const int left = std::max(x - 1, 0), right = std::min(x + 1, width - 1);
      const size_t centre = static_cast<size_t>(y) * width + x;
      float total = 0, a = 0, b = 0;
      for (int row = top; row <= bottom; ++row) {
        for (int column = left; column <= right; ++column) {
          const size_t cell = static_cast<size_t>(row) * width + column;
          const auto [low, high] = std::minmax(guide[centre], guide[cell]);
          const float weight = low / high;
          total += weight;
          a += weight * from[cell];
          b += weight * from[pixels + cell];
        }
      }
      to[centre] = a / total;  // the centre's own weight is 1
      to[pixels + centre] = b / total;
    }
  }
}

// Filters a and b, guided by L.
void filter_colours(Image& lab) {
  const size_t pixels = lab.rgb.size() / 3;
  std::vector<float> guide(lab.rgb.begin(), lab.rgb.begin() + static_cast<std::ptrdiff_t>(pixels));
  for (float& value : guide) value = std::exp(kSharpness * value);
  std::vector<float> passed(2 * pixels);
  float* const colours = lab.rgb.data() + pixels;
  for (int pass = 0; pass < kFilterPasses; ++pass) {
    filter(guide, lab.width, lab.height, colours, passed.data());
    std::ranges::copy(passed, colours);
  }
}

// The photo's a and b in the palette, on the picture's L. Both have planes L, a and b.
void take_colours(Image& lab, Image photo, const Palette& palette) {
  recolour(photo, of_colours(spread_of(photo)), of_colours(palette.spread));
  const size_t pixels = lab.rgb.size() / 3;
  std::copy(photo.rgb.begin() + static_cast<std::ptrdiff_t>(pixels), photo.rgb.end(),
            lab.rgb.begin() + static_cast<std::ptrdiff_t>(pixels));
  clamp_plane(lab.rgb.data(), pixels, palette.least[0], palette.most[0]);
  filter_colours(lab);
  for (size_t p = 1; p < 3; ++p) {
    clamp_plane(lab.rgb.data() + p * pixels, pixels, palette.least[p], palette.most[p]);
  }
}

}  // namespace

std::vector<float> weights_of(const PaletteSource& source) {
  const Image& painting = *source.painting;
  Mask mask = alpha_mask(painting);
  if (source.from != nullptr && !source.from->empty()) {
    mask = both(resized(*source.from, painting.width, painting.height), mask);
  }
  if (source.share == 1) return std::move(mask.values);
  if (mask.empty()) mask.values.assign(painting.rgb.size() / 3, 1.0f);
  for (float& value : mask.values) value *= static_cast<float>(source.share);
  return std::move(mask.values);
}

std::optional<Palette> palette_of(std::span<const PaletteSource> sources) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Palette palette;
  palette.least.fill(kInfinity);
  palette.most.fill(-kInfinity);
  SpreadSum sum;
  for (const PaletteSource& source : sources) {
    check_shape(*source.painting);
    Image lab = in_oklab(*source.painting);
    lab.alpha = weights_of(source);
    sum.add(lab);
    extend_range(palette, lab);
  }
  if (sum.empty()) return std::nullopt;
  palette.spread = sum.spread();
  return palette;
}

Image in_palette(Image painted, const Image& photo, const Palette& palette) {
  check_shape(painted);
  check_shape(photo);
  if (!is_visible(painted) || !is_visible(photo)) return painted;
  painted = in_oklab(std::move(painted));
  if (is_nearly_grey(palette.spread.covariance)) {
    recolour(painted, spread_of(painted), palette.spread);
  } else {
    Image fitted = filled(resized(photo, painted.width, painted.height));
    take_colours(painted, in_oklab(std::move(fitted)), palette);
  }
  return in_srgb(std::move(painted));
}

}  // namespace limn
