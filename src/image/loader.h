// The loaders of libvips that limn lets near a file: which of them knows it, and opening it there.
#pragma once

#include <optional>
#include <string>
#include <vips/vips8>

#include "image/read.h"

namespace limn {

// How a decoder is asked to shrink the picture while it decodes.
enum class Shrinking {
  none,    // it decodes everything
  halves,  // by 2, 4 or 8: JPEG
  anyhow,  // to any size: WebP
};

// What a decoder keeps of a picture while it streams, beside some of its rows.
struct DecoderMemory {
  double bytes = 0;            // whatever the size that it is decoded at
  double bytes_per_pixel = 0;  // for each that it is decoded to
};

struct Loaded {
  vips::VImage image;  // its header read and no pixel decoded; to be read from the top down
  DecoderMemory memory;
  int halved = 1;  // 2, 4 or 8: every side of the image is that of the picture by this, rounded up
  int frames = 1;
  int frame = 0;  // the one that image is
};

// Opens the picture with the loader that knows its bytes. JPEG and WebP are decoded at no less than
// 1 / shrink of their size: JPEG at a half, a quarter or an eighth, WebP at any. Throws Error
// (file) when none knows them or there is no such frame, and vips::VError.
Loaded loaded(const OpenedPicture& picture, double shrink = 1);

}  // namespace limn
