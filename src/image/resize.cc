// Resizing a picture, so that it shows the same scene.
//
// Pixel x of n covers [x, x + 1) of the scene's n parts, so its centre is at x + 1/2. A new pixel
// reads the old picture at
//
//   old x = (new x + 1/2) * old width / new width - 1/2
//
// Without the halves, every resize would shift the picture towards a corner. When shrinking, a new
// pixel must weigh all the old ones it replaces, or fine patterns alias into coarse ones: Lanczos's
// kernel, three lobes wide in new pixels (resample.h). When enlarging there is nothing to average,
// and libvips interpolates with the Catmull-Rom cubic, which passes through the old samples.
// Outside, the border's colour is extended.
//
// Colours are weighted by alpha (alpha.h).
#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "base/error.h"
#include "image/premultiply.h"
#include "image/resample.h"
#include "image/shape.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;

// Planes of red, green, blue and optionally alpha, height x width each, during a resize: colours
// are weighted by alpha, and not clamped.
struct Planes {
  int width = 0, height = 0;
  int count = 3;
  std::vector<float> values;

  size_t pixels() const { return static_cast<size_t>(width) * static_cast<size_t>(height); }
  float* row(int plane, int y) {
    return &values[plane * pixels() + static_cast<size_t>(y) * static_cast<size_t>(width)];
  }
};

Planes empty_planes(int width, int height, int count) {
  Planes planes{width, height, count, {}};
  planes.values.resize(planes.pixels() * static_cast<size_t>(count));
  return planes;
}

// Each side stays or shrinks.
Planes shrunk(const Image& image, int width, int height) {
  const size_t pixels = image.rgb.size() / 3;
  const auto old_width = static_cast<size_t>(image.width);
  Planes out = empty_planes(width, height, image.alpha.empty() ? 3 : 4);
  RowResampler resampler(out.count, image.width, lanczos_blends(image.width, image.width, width),
                         lanczos_blends(image.height, image.height, height),
                         [&](int y, const float* row) {
                           for (int c = 0; c < out.count; ++c)
                             std::copy_n(row + c * width, width, out.row(c, y));
                         });
  std::vector<float> row(static_cast<size_t>(out.count) * old_width);
  for (size_t y = 0; y < static_cast<size_t>(image.height); ++y) {
    for (size_t c = 0; c < 3; ++c)
      std::copy_n(&image.rgb[c * pixels + y * old_width], old_width, &row[c * old_width]);
    if (out.count == 4) std::copy_n(&image.alpha[y * old_width], old_width, &row[3 * old_width]);
    weigh_by_alpha(row.data(), out.count, old_width);
    resampler.take(row.data());
  }
  return out;
}

// Not VImage::resize, which shifts enlarged pictures by up to half a pixel unless the ratio of
// sizes is a whole number. In doubles, for which the weights are computed per pixel; for floats
// they come from a table of 64 positions.
VImage enlarged(const VImage& image, int width, int height) {
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

// Plane by plane: libvips takes twice as long for interleaved bands.
Planes enlarged(const Planes& planes, int width, int height) {
  Planes out = empty_planes(width, height, planes.count);
  for (int c = 0; c < planes.count; ++c) {
    // libvips only reads, although its C++ interface takes a non-const pointer.
    const VImage plane = VImage::new_from_memory(
        const_cast<float*>(&planes.values[c * planes.pixels()]), planes.pixels() * sizeof(float),
        planes.width, planes.height, 1, VIPS_FORMAT_FLOAT);
    each_row(enlarged(plane, width, height),
             [&](int y, const float* row) { std::copy_n(row, width, out.row(c, y)); });
  }
  return out;
}

Image resampled(const Image& image, int width, int height) {
  Planes planes = shrunk(image, std::min(width, image.width), std::min(height, image.height));
  if (planes.width < width || planes.height < height) planes = enlarged(planes, width, height);
  unweigh_and_clamp(planes.values.data(), planes.count, planes.pixels());
  Image out{width, height, std::move(planes.values), {}};
  if (planes.count == 4) {
    out.alpha.assign(out.rgb.end() - static_cast<std::ptrdiff_t>(planes.pixels()), out.rgb.end());
    out.rgb.resize(3 * planes.pixels());
  }
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
