// The libvips loaders that limn allows to open files: choosing one and opening the file with it.
#pragma once

#include <optional>
#include <string>
#include <vips/vips8>

#include "image/read.h"

namespace limn {

// How a decoder can shrink the picture while decoding.
enum class Shrinking {
  none,    // it decodes everything
  halves,  // by 2, 4 or 8: JPEG
  anyhow,  // to any size: WebP
};

// What a decoder keeps of a picture while streaming, besides some of its rows.
struct DecoderMemory {
  double bytes = 0;            // at any decoded size
  double bytes_per_pixel = 0;  // per decoded pixel
};

struct Loaded {
  vips::VImage image;  // only its header has been read; read pixels from the top down
  DecoderMemory memory;
  int halved = 1;  // 2, 4 or 8: each side of the image is the picture's divided by this, rounded up
  int frames = 1;
  int frame = 0;  // the number of the frame in image
};

// Opens the picture with the loader that recognises its bytes. JPEG and WebP are decoded at no less
// than 1 / shrink of their size: JPEG at a half, a quarter or an eighth, WebP at any. Throws Error
// (file) when no loader recognises it or there is no such frame, and vips::VError.
Loaded loaded(const OpenedPicture& picture, double shrink = 1);

}  // namespace limn
