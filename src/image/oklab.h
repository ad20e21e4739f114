// Oklab: a colour as lightness and two opponent axes, by Björn Ottosson ("A perceptual color space
// for image processing", 2020, https://bottosson.github.io/posts/oklab).
//
// Equal steps look about equally large, and scaling a and b keeps hue and lightness. This does not
// hold for sRGB's red, green and blue: blue with the same value as green is far darker.
#pragma once

#include <array>

namespace limn {

struct Oklab {
  float L = 0;         // lightness: 0 black, 1 white
  float a = 0, b = 0;  // green to red, blue to yellow: 0 grey, and within -0.4..0.4 for sRGB
};

// sRGB's curve between encoded values and light, both 0..1 (IEC 61966-2-1).
float srgb_encoded(float light);
float srgb_light(float encoded);

// The Oklab colour of sRGB-encoded red, green and blue, clamped to 0..1 first; NaN becomes 0.
Oklab oklab_of(float red, float green, float blue);

// sRGB-encoded red, green and blue in 0..1. For colours outside sRGB, L is clamped to 0..1, and a
// and b are scaled down together by as little as possible. This keeps lightness and hue, and
// reduces only the colourfulness; clipping channels would shift all three.
std::array<float, 3> srgb_of(Oklab colour);

// The sRGB-encoded value, in 0..1, of red, green and blue in the grey with lightness L.
float grey_of(float L);

}  // namespace limn
