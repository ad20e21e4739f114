// What the samples of a file mean. A byte of a JPEG is sRGB-encoded light, or light encoded by the
// ICC profile inside the file, or ink. A 32-bit float of a TIFF is linear light, or a byte that
// somebody has converted. Lab is neither. Each becomes sRGB-encoded red, green and blue in 0..1:
//
//   RGB and grey integers     divided by the largest value; through the profile if there is one
//   CMYK                      through its profile, or through libvips's own when it has none
//   floats                    what they look like: float_samples.h
//   Lab, XYZ                  by their definition
#pragma once

#include <vips/vips8>

#include "image/float_samples.h"

namespace limn {

// A picture on its way: its bands are `colours` (1 or 3) and then, perhaps, one of alpha.
struct Samples {
  vips::VImage image;
  int colours = 0;
  float white = 1;      // the sample that means 1
  bool linear = false;  // samples are light, not yet encoded
  float opaque = 0;     // the alpha sample that means 1; 0: there is no alpha
};

bool is_float(VipsBandFormat format);
bool is_complex(VipsBandFormat format);  // which means nothing as a picture

// Colours defined by what an eye sees rather than by a device: they convert without a profile.
bool is_absolute(VipsInterpretation space);

// How many of the bands are colours: 1, 3, or 4 of ink.
int colour_bands(const vips::VImage& image);

// Nothing is decoded yet. `floats` counts for floats only. Throws vips::VError.
Samples understood(const vips::VImage& image, const FloatMeaning& floats);

}  // namespace limn
