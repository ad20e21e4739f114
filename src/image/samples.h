// A picture of limn's as the samples that encoders take.
#pragma once

#include <limn/limn.h>

#include <vips/vips8>

namespace limn {

// Samples of 8 or 16 bits that are made when they are asked for, with an sRGB profile. Values are
// clamped to 0..1, a NaN is 0. Without keep_alpha a transparent picture is laid on white; with it,
// the picture must have alpha. Refers to `image`, which must outlive the result. Throws
// vips::VError.
vips::VImage as_samples(const Image& image, bool keep_alpha, int bits);

}  // namespace limn
