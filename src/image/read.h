// Reading pictures in two steps: look at the header, decide on a size, then decode at that size.
// Both read the same bytes, which matters for streams: those can be opened only once.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <string>

#include "base/byte_source.h"

namespace limn {

// "anim.gif[3]" taken apart.
struct PictureName {
  std::string path;
  std::optional<int> frame;  // counted from 0
};

// A name that ends in a number in brackets asks for a frame, unless a file of that very name
// exists. Never throws.
PictureName picture_name(const std::string& name);

// A picture that has been found and not yet looked into.
struct OpenedPicture {
  std::string name;  // as it was given: in messages
  ByteSource source;
  std::optional<int> frame;
};

// Opens what read_image would read: a file, a frame of one, a stream. A stream that does not begin
// like a picture is refused here. Throws Error like read_image.
OpenedPicture open_picture(const std::string& name);

struct PictureHeader {
  int width = 0, height = 0;  // as the picture is seen, its EXIF orientation applied
  int frames = 1;
  bool has_alpha = false;    // which may turn out to be opaque everywhere
  double decoder_bytes = 0;  // that decoding takes at its peak, however small the picture is read
  double shrinkable_bytes = 0;  // for each pixel that a decoder which shrinks has to keep

  // The memory that reading it at this size is expected to take at its peak, the result included;
  // 0: its own size. Measured with libvips 8.14 for what each decoder does; libraries differ, so
  // that a third more or less is no surprise.
  double reading_bytes(int asked_width, int asked_height) const;
};

// The header, without decoding a pixel. Throws Error like read_image, as far as that can be known
// beforehand; options.note is told nothing.
PictureHeader read_header(const OpenedPicture& picture, const ReadOptions& options = {});
PictureHeader read_header(const std::string& name, const ReadOptions& options = {});

// As the functions of these names in limn.h.
Image read_image(const OpenedPicture& picture, const ReadOptions& options = {});
Mask read_mask(const OpenedPicture& picture, const ReadOptions& options = {});

}  // namespace limn
