// Resampling: a picture of another size that shows the same scene.
//
// Pixel x of n covers [x, x + 1) of the scene's n parts, so its centre is at x + 1/2. A new pixel
// looks at the old picture at
//
//   old x = (new x + 1/2) * old width / new width - 1/2
//
// and without the halves every resize would push the picture towards a corner. When shrinking, a
// new pixel has to weigh all the old ones it replaces, or fine patterns turn into coarse ones:
// Lanczos's kernel, three lobes wide in new pixels. When enlarging there is nothing to average, and
// libvips interpolates with Catmull and Rom's cubic, which passes through the old samples. Beyond
// the border the border's own colour goes on.
//
// Colours under transparent pixels mean nothing and must not bleed into what is seen: they are
// multiplied by alpha before, and divided by it after.
#include <algorithm>
#include <new>
#include <vector>

#include "base/error.h"
#include "image/shape.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;

// libvips bounds its kernels, at a shrink of 333. So a shrink of 2 * kGap and more begins with a
// box filter over whole pixels, which leaves at least kGap to Lanczos: too much for the box to be
// seen.
constexpr double kGap = 32;

// Less alpha than half a step of 16 bits is none: what is left there is rounding, not colour.
constexpr float kLeastAlpha = 0.5f / 65535.0f;

// One plane as libvips sees it; it only reads, for all that its C++ face asks for.
VImage plane(const float* samples, const Image& image) {
  const size_t pixels = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  return VImage::new_from_memory(const_cast<float*>(samples), pixels * sizeof(float), image.width,
                                 image.height, 1, VIPS_FORMAT_FLOAT);
}

// In floats, not doubles: those libvips 8.14 rounds to whole numbers here.
VImage shrunk(const VImage& image, int width, int height) {
  if (width == image.width() && height == image.height()) return image;
  return image.resize(static_cast<double>(width) / image.width(),
                      VImage::option()
                          ->set("vscale", static_cast<double>(height) / image.height())
                          ->set("kernel", VIPS_KERNEL_LANCZOS3)
                          ->set("gap", kGap));
}

// Not VImage::resize, which enlarges with a shift of up to half a pixel when the ratio of sizes is
// not a whole number. In doubles, where the weights are computed for each pixel: floats take theirs
// from a table of 64 positions.
VImage enlarged(const VImage& image, int width, int height) {
  if (width == image.width() && height == image.height()) return image;
  return image.cast(VIPS_FORMAT_DOUBLE)
      .affine({static_cast<double>(width) / image.width(), 0, 0,
               static_cast<double>(height) / image.height()},
              VImage::option()
                  ->set("interpolate", vips::VInterpolate::new_from_name("bicubic"))
                  ->set("oarea", std::vector<int>{0, 0, width, height})
                  ->set("idx", 0.5)
                  ->set("idy", 0.5)
                  ->set("odx", -0.5)
                  ->set("ody", -0.5)
                  ->set("extend", VIPS_EXTEND_COPY)
                  ->set("premultiplied", true));
}

float in_range(float value) { return value > 0.0f ? std::min(value, 1.0f) : 0.0f; }

// A plane of the new size into out, not clamped.
void resample(const VImage& plane, int width, int height, float* out) {
  const VImage small =
      shrunk(plane, std::min(width, plane.width()), std::min(height, plane.height()));
  each_row(enlarged(small, width, height), [&](int y, const float* row) {
    std::copy_n(row, width, out + static_cast<size_t>(y) * static_cast<size_t>(width));
  });
}

// Plane by plane: libvips takes twice the time for the bands side by side.
Image resampled(const Image& image, int width, int height) {
  const size_t old_pixels = image.rgb.size() / 3;
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  Image out;
  out.width = width;
  out.height = height;
  out.rgb.resize(3 * pixels);
  const bool transparent = !image.alpha.empty();
  VImage alpha;
  if (transparent) {
    out.alpha.resize(pixels);
    alpha = plane(image.alpha.data(), image);
    resample(alpha, width, height, out.alpha.data());
  }
  for (size_t c = 0; c < 3; ++c) {
    const VImage colour = plane(&image.rgb[c * old_pixels], image);
    resample(transparent ? colour * alpha : colour, width, height, &out.rgb[c * pixels]);
  }
  for (size_t i = 0; i < out.rgb.size(); ++i) {
    const float a = transparent ? out.alpha[i % pixels] : 1.0f;
    out.rgb[i] = a < kLeastAlpha ? 0.0f : in_range(out.rgb[i] / a);
  }
  for (float& a : out.alpha) a = in_range(a);
  return out;
}

}  // namespace

Image resized(const Image& image, int width, int height) {
  check_shape(image);
  if (width < 1 || height < 1) {
    fail(ErrorKind::usage, "cannot resize a picture to {} x {} pixels: each must be at least 1",
         width, height);
  }
  if (width == image.width && height == image.height) return image;
  start_vips();
  try {
    return resampled(image, width, height);
  } catch (const vips::VError& error) {
    fail(ErrorKind::resources, "cannot resize a picture of {} x {} pixels to {} x {}: {}",
         image.width, image.height, width, height, condensed(error));
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::resources, "no memory for a picture of {} x {} pixels", width, height);
  }
}

}  // namespace limn
