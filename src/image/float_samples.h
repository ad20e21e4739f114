// What floating-point samples mean, which their format leaves open.
#pragma once

#include <functional>
#include <string>
#include <vips/vips8>

namespace limn {

struct FloatMeaning {
  float white = 1;     // the sample that means white
  bool linear = true;  // samples are light, not yet encoded
  float opaque = 1;    // the alpha sample that means opaque
};

// Goes once through the pixels of a picture, of whose bands the first `colours` are its colours and
// the next one, if there is one, its alpha:
//
//   none above 1                   linear light, 1 is white
//   as integers have, encoded:     most above 1, and the largest near 255, 1023, 4095 or 65535,
//                                  which is then white; or all of them whole numbers
//   anything else                  linear light; white is what 0.5 % of the samples exceed, if that
//                                  is more than 1
//
// `note` is told what was decided where it is not the first. `orientation` is EXIF's, so that
// messages tell places as they are seen. Throws Error (file) when any sample is not a finite
// number.
FloatMeaning meaning_of_floats(const vips::VImage& image, int colours, int orientation,
                               const std::string& name,
                               const std::function<void(const std::string&)>& note);

// Throws that Error only: for colours that a definition gives a scale, such as Lab.
void check_finite(const vips::VImage& image, int bands, int orientation, const std::string& name);

}  // namespace limn
