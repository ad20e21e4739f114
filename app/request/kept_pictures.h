// Decoded pictures that are kept for the next painting of the same files, shrunk to what a preview
// needs. Files are known by their names, and must not change: uploads do not, which are named after
// their content.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <list>
#include <optional>
#include <string>

#include "image/read.h"

namespace limn {

class KeptPictures {
 public:
  // Keeps the pictures used last, up to this many bytes of pixels.
  explicit KeptPictures(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // As read_header, read_image and read_mask with this size. Throw what those throw.
  PictureHeader header(const std::string& name, const ReadOptions& options);
  Image image(const std::string& name, const Size& size, const ReadOptions& options);
  Mask mask(const std::string& name, const Size& size, const ReadOptions& options);

  std::size_t bytes() const;

 private:
  struct Kept {
    std::string name;
    PictureHeader header;
    std::optional<Image> image;
    std::optional<Mask> mask;
    std::size_t bytes() const;
  };
  Kept& find(const std::string& name, const ReadOptions& options);
  // One that is kept in `part`, at this size; read anew if what is kept is smaller.
  template <typename Picture>
  Picture at_size(std::optional<Picture> Kept::*part,
                  Picture (*read)(const std::string&, const ReadOptions&), const std::string& name,
                  const Size& size, const ReadOptions& options);
  void forget_old();

  const std::size_t most_bytes_;
  std::list<Kept> kept_;  // used last first
};

}  // namespace limn
