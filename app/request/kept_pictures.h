// Decoded pictures that are kept for the next painting of the same files, shrunk to what it needs.
// Files are known by their names.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <list>
#include <optional>
#include <string>

#include "base/file.h"
#include "image/read.h"

namespace limn {

class KeptPictures {
 public:
  // The sizes that pictures are kept at, and what is known of their files.
  enum class At {
    // At least those of previews, so that one of another size need not decode again. Of uploads,
    // which never change: only their times do, as the server uses them.
    previews,
    // Those that were asked for, where pictures are to be the same as without this. A file that has
    // changed is read anew.
    asked,
  };
  // Keeps the pictures used last, up to this many bytes of pixels.
  explicit KeptPictures(std::size_t most_bytes, At at = At::previews)
      : most_bytes_(most_bytes), at_(at) {}

  // As read_header, read_image and read_mask with this size. Throw what those throw.
  PictureHeader header(const std::string& name, const ReadOptions& options);
  Image image(const std::string& name, const Size& size, const ReadOptions& options);
  Mask mask(const std::string& name, const Size& size, const ReadOptions& options);

  std::size_t bytes() const;

 private:
  struct Kept {
    std::string name;
    std::optional<FileStamp> stamp;
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
  const At at_;
  std::list<Kept> kept_;  // used last first
};

}  // namespace limn
