// A picture with its header read, ready for decoding: in stored order, perhaps not upright, and
// perhaps already shrunk by the decoder.
#pragma once

#include <functional>
#include <new>

#include <limn/limn.h>

#include "base/error.h"
#include "image/loader.h"
#include "image/meaning.h"
#include "image/orientation.h"
#include "image/read.h"
#include "image/vips.h"

namespace limn {

struct Stored {
  Samples samples;
  int width = 0, height = 0;     // of the result, in stored order
  double columns = 0, rows = 0;  // of the samples that show the scene: decoders pad the last ones
  int orientation = 1;           // EXIF's

  int planes() const { return samples.opaque > 0 ? 4 : 3; }
  // The samples are larger than the result.
  bool shrinks() const { return width < columns || height < rows; }
  Orientation upright() const { return {orientation, width, height}; }
};

// Who shrinks a picture.
enum class ShrinkBy {
  decoder_first,  // down to twice the size wanted, if it can
  resampling,     // only the resampler: every sample counts equally
};

// The image of a file, with its header checked and 8-bit Lab unpacked (libvips packs it into 10 and
// 11 bits). Throws Error like read_image, and vips::VError.
vips::VImage checked(const Loaded& file, const std::string& name, const ReadOptions& options);

// Opens the picture, checks its header, reports to options.note, and determines what floats mean.
// Throws Error like read_image, and vips::VError.
Stored opened_at_size(const OpenedPicture& picture, const ReadOptions& options, ShrinkBy shrink_by);

// Decodes the pixels: calls take(y, row) from the top down, with a row of planes() planes: red,
// green, blue and perhaps alpha, sRGB-encoded, in 0..1. take may modify the row.
void each_decoded_row(const Stored& stored, const std::function<void(int y, float* row)>& take);

// Throws the Error for a vips::VError while reading.
[[noreturn]] void fail_to_read(const std::string& name, const vips::VError& error);
[[noreturn]] void fail_for_memory(const std::string& name);

// Returns read(); turns errors of libvips and lack of memory into an Error that names the picture.
template <typename Read>
auto with_reading_errors(const std::string& name, const Read& read) {
  start_vips();
  try {
    return read();
  } catch (const vips::VError& error) {
    fail_to_read(name, error);
  } catch (const std::bad_alloc&) {
    fail_for_memory(name);
  }
}

}  // namespace limn
