// How many pixels of a picture go into an inch where it is printed.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <vips/vips8>

namespace limn {

inline constexpr double kMmPerInch = 25.4;

// The image's pixels per inch, if a file states them: in the range of WriteOptions::dpi, and the
// same across and down. libvips says 72 or 25.4 (one pixel a millimetre) where a file says nothing;
// these are taken for that.
std::optional<double> stated_dpi(const vips::VImage& image);

// The same image, stating `dpi` pixels per inch.
vips::VImage with_dpi(const vips::VImage& image, double dpi);

// A target for a JPEG encoder, whose bytes go to `target` with a JFIF segment after the first two.
// libvips states a resolution as EXIF alone, and programs that read only JFIF would see none. `dpi`
// is rounded to a whole number, the only kind that JFIF has. Throws vips::VError.
vips::VTarget with_jfif(const vips::VTarget& target, double dpi);

}  // namespace limn
