// Pictures have millions of pixels, each needing sRGB's curve and cube roots several times. These
// versions are made for speed, accurate to a few float roundings (a ten-thousandth of an 8-bit
// step).
#include "image/oklab.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace limn {
namespace {

struct Light {
  float red, green, blue;
};

// How far outside 0..1 light may be and still count as sRGB: rounding white to float takes this
// much. At black, where sRGB's curve is steepest, it is a 150th of an 8-bit step.
constexpr float kSlack = 2e-6f;

// Each halves the error of the factor for a and b: to less than the eye and 8 bits can distinguish.
constexpr int kBisections = 10;

// A function on 0..1 as a table with linear interpolation. The error is at most |f''| / 8 kCells^2:
// 1e-7 for the two below, where |f''| is at most 3 and 4.
class Curve {
 public:
  explicit Curve(double (*function)(double)) {
    for (int i = 0; i <= kCells; ++i)
      values_[i] = static_cast<float>(function(static_cast<double>(i) / kCells));
  }
  float operator()(float x) const {
    const float place = x * kCells;
    const int cell = std::min(static_cast<int>(place), kCells - 1);
    return values_[cell] + (place - cell) * (values_[cell + 1] - values_[cell]);
  }

 private:
  static constexpr int kCells = 2048;
  std::array<float, kCells + 1> values_;
};

// srgb_light for values in 0..1.
float light_of(float encoded) {
  static const Curve curve([](double x) { return std::pow((x + 0.055) / 1.055, 2.4); });
  return encoded <= 0.04045f ? encoded / 12.92f : curve(encoded);
}

// srgb_encoded for values in 0..1. A table over the root of light, in which it is nearly straight.
float encoded_of(float light) {
  static const Curve curve([](double root) { return 1.055 * std::pow(root, 2 / 2.4) - 0.055; });
  return light <= 0.0031308f ? 12.92f * light : curve(std::sqrt(light));
}

// The cube root of x >= 0, by Halley's method. A third of a float's bits, plus a constant, has a
// third of its exponent and is within 4 % of the root; each step cubes that error.
float cube_root(float x) {
  x = std::max(x, 1e-24f);  // avoids division by zero
  constexpr std::uint32_t kTwoThirdsOfTheBias = 709921077;
  float root = std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) / 3 + kTwoThirdsOfTheBias);
  for (int step = 0; step < 2; ++step) {
    const float cubed = root * root * root;
    root *= (cubed + 2 * x) / (2 * cubed + x);
  }
  return root;
}

float in_range(float value) { return value > 0.0f ? std::min(value, 1.0f) : 0.0f; }

float cube(float value) { return value * value * value; }

// The inverses of Ottosson's second matrix and of his first.
Light light_of(Oklab colour) {
  const auto [L, a, b] = colour;
  const float l = cube(L + 0.3963377774f * a + 0.2158037573f * b);
  const float m = cube(L - 0.1055613458f * a - 0.0638541728f * b);
  const float s = cube(L - 0.0894841775f * a - 1.2914855480f * b);
  return {4.0767416621f * l - 3.3077115913f * m + 0.2309699292f * s,
          -1.2684380046f * l + 2.6097574011f * m - 0.3413193965f * s,
          -0.0041960863f * l - 0.7034186147f * m + 1.7076147010f * s};
}

bool in_gamut(Light light) {
  return std::min({light.red, light.green, light.blue}) >= -kSlack &&
         std::max({light.red, light.green, light.blue}) <= 1 + kSlack;
}

// The light of the most colourful sRGB colour of this lightness and hue. Greys are always inside.
Light reduced(Oklab colour) {
  float inside = 0;
  float outside = 1;
  for (int i = 0; i < kBisections; ++i) {
    const float middle = (inside + outside) / 2;
    const bool fits = in_gamut(light_of({colour.L, middle * colour.a, middle * colour.b}));
    (fits ? inside : outside) = middle;
  }
  return light_of({colour.L, inside * colour.a, inside * colour.b});
}

}  // namespace

float srgb_encoded(float light) {
  return light <= 0.0031308f ? 12.92f * light : 1.055f * std::pow(light, 1.0f / 2.4f) - 0.055f;
}

float srgb_light(float encoded) {
  return encoded <= 0.04045f ? encoded / 12.92f : std::pow((encoded + 0.055f) / 1.055f, 2.4f);
}

Oklab oklab_of(float red, float green, float blue) {
  const float r = light_of(in_range(red));
  const float g = light_of(in_range(green));
  const float b = light_of(in_range(blue));
  // The response of the eye's three kinds of cones, and its perception.
  const float l = cube_root(0.4122214708f * r + 0.5363325363f * g + 0.0514459929f * b);
  const float m = cube_root(0.2119034982f * r + 0.6806995451f * g + 0.1073969566f * b);
  const float s = cube_root(0.0883024619f * r + 0.2817188376f * g + 0.6299787005f * b);
  return {0.2104542553f * l + 0.7936177850f * m - 0.0040720468f * s,
          1.9779984951f * l - 2.4285922050f * m + 0.4505937099f * s,
          0.0259040371f * l + 0.7827717662f * m - 0.8086757660f * s};
}

std::array<float, 3> srgb_of(Oklab colour) {
  colour.L = in_range(colour.L);
  Light light = light_of(colour);
  if (!in_gamut(light)) light = reduced(colour);
  return {encoded_of(in_range(light.red)), encoded_of(in_range(light.green)),
          encoded_of(in_range(light.blue))};
}

float grey_of(float L) { return encoded_of(in_range(cube(L))); }

}  // namespace limn
