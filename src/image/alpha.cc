// Pull and push (Gortler and others, "The Lumigraph", 1996, section 3.4). The picture is halved
// repeatedly, each coarser pixel being the mean of the visible ones below it, until every pixel has
// a colour. Then, from coarse to fine, each pixel takes what it lacks from the level above.
#include "image/alpha.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "image/mask.h"
#include "image/shape.h"

namespace limn {
namespace {

// A pixel with less alpha than this takes part of its colour from its surroundings: in a few steps
// of 255 there is more rounding than colour.
constexpr float kTrusted = 1.0f / 16;

// Colours times their weights, and the weights, in planes.
struct Reduction {
  int width = 0, height = 0;
  std::vector<float> colours;  // 3 * height * width
  std::vector<float> weights;  // height * width, 0..1

  Reduction(int columns, int rows)
      : width(columns), height(rows), colours(3 * size()), weights(size()) {}
  size_t size() const { return static_cast<size_t>(width) * static_cast<size_t>(height); }
};

Reduction finest(const Image& image) {
  Reduction level(image.width, image.height);
  const size_t pixels = level.size();
  for (size_t i = 0; i < pixels; ++i) level.weights[i] = std::min(1.0f, image.alpha[i] / kTrusted);
  for (size_t i = 0; i < 3 * pixels; ++i) {
    level.colours[i] = level.weights[i % pixels] * image.rgb[i];
  }
  return level;
}

// Pull: sums over 2 x 2 pixels, with weights reduced to at most 1.
Reduction halved(const Reduction& fine) {
  Reduction coarse((fine.width + 1) / 2, (fine.height + 1) / 2);
  const size_t of_fine = fine.size(), of_coarse = coarse.size();
  for (int y = 0; y < fine.height; ++y) {
    for (int x = 0; x < fine.width; ++x) {
      const size_t from = static_cast<size_t>(y) * fine.width + x;
      const size_t to = static_cast<size_t>(y / 2) * coarse.width + x / 2;
      coarse.weights[to] += fine.weights[from];
      for (size_t c = 0; c < 3; ++c) {
        coarse.colours[c * of_coarse + to] += fine.colours[c * of_fine + from];
      }
    }
  }
  for (size_t i = 0; i < of_coarse; ++i) {
    const float most = std::max(1.0f, coarse.weights[i]);
    coarse.weights[i] /= most;
    for (size_t c = 0; c < 3; ++c) coarse.colours[c * of_coarse + i] /= most;
  }
  return coarse;
}

// Where the centre of a finer pixel lies among the coarser ones: between two neighbours.
struct Between {
  int first = 0, second = 0;
  float share = 0;  // of the second
};

Between between(int fine, int coarse_size) {
  // Pixel x of the finer level has its centre at (x + 1/2) / 2 - 1/2 of the coarser one.
  const int near = fine / 2;
  const int other = std::clamp(fine % 2 == 0 ? near - 1 : near + 1, 0, coarse_size - 1);
  return {near, other, 0.25f};
}

// Push: fills what the finer level lacks from the coarser one, which is complete.
void complete(Reduction& fine, const Reduction& coarse) {
  const size_t of_fine = fine.size(), of_coarse = coarse.size();
  for (int y = 0; y < fine.height; ++y) {
    const Between row = between(y, coarse.height);
    for (int x = 0; x < fine.width; ++x) {
      const size_t to = static_cast<size_t>(y) * fine.width + x;
      const float missing = 1 - fine.weights[to];
      if (missing <= 0) continue;
      const Between column = between(x, coarse.width);
      for (size_t c = 0; c < 3; ++c) {
        const float* plane = &coarse.colours[c * of_coarse];
        const auto along = [&](int line) {
          const float* values = plane + static_cast<size_t>(line) * coarse.width;
          return values[column.first] +
                 column.share * (values[column.second] - values[column.first]);
        };
        const float above = along(row.first);
        fine.colours[c * of_fine + to] +=
            missing * (above + row.share * (along(row.second) - above));
      }
      fine.weights[to] = 1;
    }
  }
}

}  // namespace

bool is_visible(const Image& image) {
  return image.alpha.empty() || std::ranges::any_of(image.alpha, [](float a) { return a > 0; });
}

Image filled(Image image) {
  check_shape(image);
  if (image.alpha.empty() || !is_visible(image)) return image;
  std::vector<Reduction> levels = {finest(image)};
  while (std::ranges::any_of(levels.back().weights, [](float weight) { return weight < 1; }) &&
         levels.back().size() > 1) {
    levels.push_back(halved(levels.back()));
  }
  // The coarsest level may be a single pixel of little weight: its colour is all there is.
  Reduction& coarsest = levels.back();
  for (size_t i = 0; i < coarsest.colours.size(); ++i) {
    const float weight = coarsest.weights[i % coarsest.size()];
    if (weight > 0) coarsest.colours[i] /= weight;
  }
  for (size_t i = levels.size() - 1; i-- > 0;) complete(levels[i], levels[i + 1]);
  image.rgb = std::move(levels.front().colours);
  for (float& value : image.rgb) value = std::clamp(value, 0.0f, 1.0f);
  return image;
}

void lay_on(Image& picture, const Image& behind) {
  if (picture.alpha.empty()) return;
  assert(picture.width == behind.width && picture.height == behind.height);
  const size_t pixels = picture.alpha.size();
  for (size_t i = 0; i < picture.rgb.size(); ++i) {
    const float alpha = picture.alpha[i % pixels];
    picture.rgb[i] = alpha * picture.rgb[i] + (1 - alpha) * behind.rgb[i];
  }
  picture.alpha = {};
}

Mask alpha_mask(const Image& image) {
  if (image.alpha.empty()) return {};
  return {image.width, image.height, image.alpha};
}

Mask both(Mask a, const Mask& b) {
  if (b.empty()) return a;
  if (a.empty()) return b;
  const Mask other = resized(b, a.width, a.height);
  for (size_t i = 0; i < a.values.size(); ++i) a.values[i] *= other.values[i];
  return a;
}

}  // namespace limn
