// Reading: from any file that claims to be a picture to planes of sRGB floats.
//
//   header     by the loader; pictures that are too large are rejected here
//   decode     decoders that can shrink are asked to, down to twice the size wanted
//   samples    to sRGB (meaning.h), one row at a time
//   resample   row by row, to exactly the size wanted (resample.h)
//   turn       each row of the result goes where the EXIF orientation shows it
//
// So the memory needed is the result, what the decoder keeps, and a few rows.
#include "image/read.h"

#include <algorithm>

#include "image/premultiply.h"
#include "image/resample.h"
#include "image/resolution.h"
#include "image/stored.h"
#include "image/xmp.h"

namespace limn {
namespace {

using vips::VImage;

// Decodes the pixels.
Image planes(const Stored& stored) {
  const Orientation upright = stored.upright();
  Image image;
  image.width = upright.width();
  image.height = upright.height();
  const size_t pixels = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  image.rgb.resize(3 * pixels);
  if (stored.planes() == 4) image.alpha.resize(pixels);
  const auto width = static_cast<size_t>(stored.width);
  const auto put = [&](int y, const float* row) {
    for (size_t c = 0; c < 3; ++c)
      upright.put_row(row + c * width, y, image.rgb.data() + c * pixels);
    if (stored.planes() == 4) upright.put_row(row + 3 * width, y, image.alpha.data());
  };
  if (!stored.shrinks()) {
    each_decoded_row(stored, put);
  } else {
    const VImage& samples = stored.samples.image;
    RowResampler resampler(stored.planes(), samples.width(),
                           lanczos_blends(samples.width(), stored.columns, stored.width),
                           lanczos_blends(samples.height(), stored.rows, stored.height),
                           [&](int y, float* row) {
                             unweigh_and_clamp(row, stored.planes(), width);
                             put(y, row);
                           });
    each_decoded_row(stored, [&](int, float* row) {
      weigh_by_alpha(row, stored.planes(), static_cast<size_t>(samples.width()));
      resampler.take(row);
    });
  }
  // Many programs write an alpha channel that is opaque everywhere.
  if (std::all_of(image.alpha.begin(), image.alpha.end(), [](float a) { return a == 1.0f; }))
    image.alpha = {};
  return image;
}

// Memory for the rows in flight.
double row_bytes(const VImage& image) {
  constexpr double kKeptByVips = 512;  // rows, by its line cache
  constexpr double kStrips = 2 * 16;   // rows as floats: those of each_row
  constexpr double kSums = 7;          // rows as doubles, in the resampler
  const double row = 1.0 * image.width() * image.bands();
  const double kept = std::min<double>(kKeptByVips, image.height());
  return row * (kept * static_cast<double>(vips_format_sizeof(image.format())) +
                kStrips * sizeof(float) + kSums * sizeof(double));
}

}  // namespace

double PictureHeader::reading_bytes(int asked_width, int asked_height) const {
  const auto side = [](int own, int asked) { return asked > 0 ? std::min(own, asked) : own; };
  const double own = 1.0 * width * height;
  const double result = 1.0 * side(width, asked_width) * side(height, asked_height);
  // A decoder shrinks to no less than twice the size wanted.
  return decoder_bytes + shrinkable_bytes * std::min(own, 4 * result) +
         result * (has_alpha ? 4 : 3) * sizeof(float);
}

PictureHeader read_header(const OpenedPicture& picture, const ReadOptions& options) {
  return with_reading_errors(picture.name, [&] {
    const Loaded file = loaded(picture);
    const VImage image = checked(file, picture.name, options);
    const Orientation upright(vips_image_get_orientation(image.get_image()), image.width(),
                              image.height());
    PictureHeader header;
    header.width = upright.width();
    header.height = upright.height();
    header.frames = file.frames;
    header.bits = vips_format_sizeof(image.format()) > 1 ? 16 : 8;
    header.dpi = stated_dpi(image).value_or(0);
    header.has_alpha = image.bands() > colour_bands(image);
    header.decoder_bytes = file.memory.bytes + row_bytes(image);
    header.shrinkable_bytes = file.memory.bytes_per_pixel;
    return header;
  });
}

PictureHeader read_header(const std::string& name, const ReadOptions& options) {
  return read_header(open_picture(name), options);
}

Image read_image(const OpenedPicture& picture, const ReadOptions& options) {
  return with_reading_errors(picture.name, [&] {
    return planes(opened_at_size(picture, options, ShrinkBy::decoder_first));
  });
}

Notes read_notes(const std::string& name) {
  return with_reading_errors(name, [&] {
    const OpenedPicture picture = open_picture(name);
    const Loaded file = loaded(picture);
    const VImage image = checked(file, name, {});
    const void* packet = nullptr;
    size_t size = 0;
    if (!vips_image_get_typeof(image.get_image(), VIPS_META_XMP_NAME) ||
        vips_image_get_blob(image.get_image(), VIPS_META_XMP_NAME, &packet, &size) != 0) {
      vips_error_clear();
      return Notes();
    }
    return notes_in_xmp({static_cast<const char*>(packet), size});
  });
}

Image read_image(const std::string& name, const ReadOptions& options) {
  return read_image(open_picture(name), options);
}

}  // namespace limn
