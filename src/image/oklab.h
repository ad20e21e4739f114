// Oklab: a colour as its lightness and two pairs of opponents, after Björn Ottosson ("A perceptual
// color space for image processing", 2020, https://bottosson.github.io/posts/oklab).
//
// Equal steps look about equally large, and a colour whose a and b are scaled keeps its hue and its
// lightness. With sRGB's red, green and blue that is not so: blue of the same numbers as green is
// far darker.
#pragma once

#include <array>

namespace limn {

struct Oklab {
  float L = 0;         // lightness: 0 black, 1 white
  float a = 0, b = 0;  // green to red, blue to yellow: 0 grey, and within -0.4..0.4 for sRGB
};

// sRGB's curve between the encoded value and light, both 0..1 (IEC 61966-2-1).
float srgb_encoded(float light);
float srgb_light(float encoded);

// The colour of sRGB-encoded red, green and blue, which are clamped to 0..1 first; NaN is 0.
Oklab oklab_of(float red, float green, float blue);

// sRGB-encoded red, green and blue in 0..1. Of a colour that sRGB does not have, L is clamped to
// 0..1, and a and b are scaled down together by as little as must be: it stays as light and of the
// same hue, and is less colourful. Clipped channels would shift all three.
std::array<float, 3> srgb_of(Oklab colour);

// What red, green and blue are of the grey of lightness L: sRGB-encoded, in 0..1.
float grey_of(float L);

}  // namespace limn
