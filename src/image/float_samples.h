// The meaning of floating-point samples, which their format leaves open.
#pragma once

#include <functional>
#include <string>
#include <vips/vips8>

namespace limn {

struct FloatMeaning {
  float white = 1;     // the sample that means white
  bool linear = true;  // samples are light, not encoded
  float opaque = 1;    // the alpha sample that means opaque
};

// Scans the pixels of a picture, whose first `colours` bands are its colours, and whose next one,
// if any, is its alpha:
//
//   none above 1                   linear light, 1 is white
//   like integers, encoded:        most above 1, and the largest near 255, 1023, 4095 or 65535,
//                                  which is then white; or all of them whole numbers
//   anything else                  linear light; white is what 0.5 % of the samples exceed, if that
//                                  is more than 1
//
// `note` receives the decision unless it is the first. `orientation` is EXIF's, so that messages
// give places as seen. Throws Error (file) when any sample is not finite.
FloatMeaning meaning_of_floats(const vips::VImage& image, int colours, int orientation,
                               const std::string& name,
                               const std::function<void(const std::string&)>& note);

// Throws that Error only: for colours whose scale is defined, such as Lab.
void check_finite(const vips::VImage& image, int bands, int orientation, const std::string& name);

}  // namespace limn
