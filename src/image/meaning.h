// The meaning of a file's samples. A byte of a JPEG is light encoded as sRGB or by the ICC profile
// in the file, or ink. A 32-bit float of a TIFF is linear light, or a converted byte. Lab is
// neither. Each becomes sRGB-encoded red, green and blue in 0..1:
//
//   RGB and grey integers     divided by the largest value; through the profile if there is one
//   CMYK                      through its profile, or libvips's default if it has none
//   floats                    what they look like: float_samples.h
//   Lab, XYZ                  by definition
#pragma once

#include <vips/vips8>

#include "image/float_samples.h"

namespace limn {

// A picture being read: its bands are `colours` (1 or 3) and then optionally alpha.
struct Samples {
  vips::VImage image;
  int colours = 0;
  float white = 1;      // the sample that means 1
  bool linear = false;  // samples are light, not encoded
  float opaque = 0;     // the alpha sample that means 1; 0: no alpha
};

bool is_float(VipsBandFormat format);
bool is_complex(VipsBandFormat format);  // meaningless as a picture

// Colours defined by human vision rather than by a device: they convert without a profile.
bool is_absolute(VipsInterpretation space);

// How many of the bands are colours: 1, 3, or 4 of ink.
int colour_bands(const vips::VImage& image);

// Does not decode yet. `floats` is used only for floats. Throws vips::VError.
Samples understood(const vips::VImage& image, const FloatMeaning& floats);

}  // namespace limn
