// A picture with the colours of another one, or with none: what Colors asks for.
//
// Pictures are sRGB-encoded and come back in 0..1; values outside are clamped before they are
// looked at. What is measured and changed are Oklab's numbers (image/oklab.h), in which a change is
// as large as it looks. Alpha stays as it is. In statistics a pixel weighs as much as its alpha, so
// that the colours of fully transparent ones, which mean nothing, do not count; of a picture that
// is transparent everywhere there are none, and then nothing is matched. All functions throw Error
// (usage) for pictures that are torn. Matching stretches nothing more than fourfold: of a painting
// that is flatter still it would be the grain that is seen.
#pragma once

#include <limn/limn.h>

namespace limn {

// Whether all visible pixels are grey: their red, green and blue differ by rounding only.
bool is_grey(const Image& image);

// The picture in greys that are as light: all three planes are alike.
Image lightness_of(Image picture);

// The painting in greys, its lightness shifted and stretched to the mean and standard deviation of
// the photo's (Gatys and others 2017, arXiv 1611.07865, section 5.2, which does so with luminance).
// Where greys would be blacker than black or whiter than white they are clamped.
Image lightness_matched(Image painting, const Image& photo);

// The painted picture's lightness with the photo's colours: Oklab's L of the one, a and b of the
// other. A colour that sRGB does not have becomes less colourful, and neither lighter nor darker
// (srgb_of). The photo is resized to the painted picture's size where that differs.
Image with_colours_of(const Image& painted, const Image& photo);

// The painting, its colours moved by the one affine map that gives them the photo's mean and
// covariance and changes them least (image/transport.h): Gatys and others 2017, section 5.1.
Image colours_matched(Image painting, const Image& photo);

}  // namespace limn
