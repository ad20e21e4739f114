// A limn picture as samples for encoders.
#pragma once

#include <limn/limn.h>

#include <vips/vips8>

namespace limn {

// Samples of 8 or 16 bits, computed on demand, with an sRGB profile. Values are clamped to 0..1;
// NaN becomes 0. Without keep_alpha, a transparent picture is composited onto white; with it, the
// picture must have alpha. Keeps a reference to `image`, which must outlive the result. Throws
// vips::VError.
vips::VImage as_samples(const Image& image, bool keep_alpha, int bits);

}  // namespace limn
