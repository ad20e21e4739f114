// A picture whose header is understood and whose pixels are about to be decoded: in the order in
// which they are stored, lying perhaps, and perhaps shrunk by the decoder already.
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
  int width = 0, height = 0;     // that the result is to have, as it is stored
  double columns = 0, rows = 0;  // of the samples that show the scene: a decoder pads the last ones
  int orientation = 1;           // EXIF's

  int planes() const { return samples.opaque > 0 ? 4 : 3; }
  // The samples have another size than the result.
  bool shrinks() const { return width < columns || height < rows; }
  Orientation upright() const { return {orientation, width, height}; }
};

// Who shrinks a picture that is to become smaller.
enum class ShrinkBy {
  decoder_first,  // as far as twice the size that is wanted, where it can
  resampling,     // nobody else: every sample counts alike
};

// The image of a file with its header checked; Lab of 8 bits, which libvips packs into 10 and 11,
// is unpacked. Throws Error like read_image, and vips::VError.
vips::VImage checked(const Loaded& file, const std::string& name, const ReadOptions& options);

// Opens the picture, checks its header, tells options.note what there is to tell, and of floats
// finds out what they mean. Throws Error like read_image, and vips::VError.
Stored opened_at_size(const OpenedPicture& picture, const ReadOptions& options, ShrinkBy shrink_by);

// Decodes the pixels: take(y, row) is called from the top down, with planes() planes of a row of
// the samples: red, green, blue and perhaps alpha, sRGB-encoded, in 0..1. It may change them.
void each_decoded_row(const Stored& stored, const std::function<void(int y, float* row)>& take);

// Throws the Error that a vips::VError of reading stands for.
[[noreturn]] void fail_to_read(const std::string& name, const vips::VError& error);
[[noreturn]] void fail_for_memory(const std::string& name);

// What read() gives; trouble of libvips and with memory becomes an Error that names the picture.
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
