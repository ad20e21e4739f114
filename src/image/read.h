// Reading pictures in two steps: read the header, choose a size, then decode at that size. Both
// steps read the same bytes, which matters for streams: those can be opened only once.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <string>

#include "base/byte_source.h"

namespace limn {

// "anim.gif[3]" split into path and frame.
struct PictureName {
  std::string path;
  std::optional<int> frame;  // counted from 0
};

// A name ending in a number in brackets selects a frame, unless a file with exactly that name
// exists. Never throws.
PictureName picture_name(const std::string& name);

// A picture that has been opened but not read.
struct OpenedPicture {
  std::string name;  // as given, for messages
  ByteSource source;
  std::optional<int> frame;
};

// Opens what read_image would read: a file, a frame of one, a stream. A stream that does not start
// like a picture is rejected here. Throws Error like read_image.
OpenedPicture open_picture(const std::string& name);

struct PictureHeader {
  int width = 0, height = 0;  // as the picture is seen, with its EXIF orientation applied
  int frames = 1;
  int bits = 8;                 // of a sample: 8, or 16 for more
  double dpi = 0;               // pixels per inch, if the file states them; 0: not
  bool has_alpha = false;       // may turn out to be opaque everywhere
  double decoder_bytes = 0;     // peak for decoding, at any size
  double shrinkable_bytes = 0;  // per decoded pixel, if the decoder shrinks

  // The expected peak memory for reading at this size (0: its own), including the result. Measured
  // with libvips 8.14 for each decoder; libraries differ, so expect it to be off by up to a third.
  double reading_bytes(int asked_width, int asked_height) const;
};

// Reads the header, without decoding pixels. Throws Error like read_image, as far as that can be
// known in advance; does not call options.note.
PictureHeader read_header(const OpenedPicture& picture, const ReadOptions& options = {});
PictureHeader read_header(const std::string& name, const ReadOptions& options = {});

// Like the functions with these names in limn.h.
Image read_image(const OpenedPicture& picture, const ReadOptions& options = {});
Mask read_mask(const OpenedPicture& picture, const ReadOptions& options = {});

}  // namespace limn
