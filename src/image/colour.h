// A picture with the colours of another, or with none, as selected by Colors.
//
// Pictures are sRGB-encoded and are returned in 0..1; values outside are clamped first. Colours are
// measured and changed in Oklab (image/oklab.h), where equal changes look about equal. Alpha is
// unchanged. In statistics a pixel's weight is its alpha, so the meaningless colours of transparent
// pixels do not count; with a picture that is transparent everywhere nothing is matched. All
// functions throw Error (usage) for pictures with planes of the wrong size. Matching stretches at
// most fourfold: in a painting flatter than that, it would only amplify the grain.
#pragma once

#include <limn/limn.h>

namespace limn {

// Whether all visible pixels are grey, with red, green and blue equal up to rounding.
bool is_grey(const Image& image);

// The picture in greys of the same lightness: all three planes are equal.
Image lightness_of(Image picture);

// The painting in greys, its lightness shifted and scaled to the photo's mean and standard
// deviation (Gatys and others 2017, arXiv 1611.07865, section 5.2, who use luminance). Greys
// outside black to white are clamped.
Image lightness_matched(Image painting, const Image& photo);

// The painted picture's lightness with the photo's colours: Oklab's L of the one, a and b of the
// other. Colours outside sRGB become less colourful, but neither lighter nor darker (srgb_of). The
// photo is resized to the painted picture if they differ in size.
Image with_colours_of(const Image& painted, const Image& photo);

// The painting after the affine map that gives its colours the photo's mean and covariance while
// changing them least (image/transport.h): Gatys and others 2017, section 5.1.
Image colours_matched(Image painting, const Image& photo);

}  // namespace limn
