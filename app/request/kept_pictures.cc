#include "request/kept_pictures.h"

#include <algorithm>

#include "image/mask.h"

namespace limn {
namespace {

// The longest side that pictures are kept at, unless more is asked for: that of the largest
// preview.
constexpr int kSide = 512;
// Headers are small, and hostile pictures may be many.
constexpr std::size_t kMostFiles = 200;

// What to decode: at least `asked`, and the picture's longest side at least kSide, or its own size.
Size size_to_keep(const PictureHeader& header, const Size& asked) {
  const int longest = std::max(header.height, header.width);
  const auto side = [&](int own, int wanted) {
    const double in_proportion = 1.0 * own * kSide / longest;
    return std::min(own, std::max(wanted, static_cast<int>(in_proportion + 1)));
  };
  return {side(header.height, asked.height), side(header.width, asked.width)};
}

template <typename Picture>
bool is_large_enough(const std::optional<Picture>& kept, const PictureHeader& header,
                     const Size& asked) {
  return kept && kept->height >= std::min(asked.height, header.height) &&
         kept->width >= std::min(asked.width, header.width);
}

template <typename Picture>
bool has_size(const std::optional<Picture>& kept, const Size& size) {
  return kept && kept->height == size.height && kept->width == size.width;
}

ReadOptions shrunk(ReadOptions options, const Size& size) {
  options.height = size.height;
  options.width = size.width;
  return options;
}

}  // namespace

std::size_t KeptPictures::Kept::bytes() const {
  return sizeof(float) *
         ((image ? image->rgb.size() + image->alpha.size() : 0) + (mask ? mask->values.size() : 0));
}

std::size_t KeptPictures::bytes() const {
  std::size_t sum = 0;
  for (const Kept& kept : kept_) sum += kept.bytes();
  return sum;
}

KeptPictures::Kept& KeptPictures::find(const std::string& name, const ReadOptions& options) {
  std::optional<FileStamp> stamp;
  if (at_ == At::asked) stamp = stamp_of(picture_name(name).path);
  const auto known = std::ranges::find(kept_, name, &Kept::name);
  if (known != kept_.end() && known->stamp == stamp) {
    kept_.splice(kept_.begin(), kept_, known);
    return kept_.front();
  }
  if (known != kept_.end()) kept_.erase(known);
  kept_.push_front({name, stamp, read_header(name, options), {}, {}});
  return kept_.front();
}

// Never what was used last.
void KeptPictures::forget_old() {
  std::size_t sum = bytes();
  while (kept_.size() > 1 && (sum > most_bytes_ || kept_.size() > kMostFiles)) {
    sum -= kept_.back().bytes();
    kept_.pop_back();
  }
}

PictureHeader KeptPictures::header(const std::string& name, const ReadOptions& options) {
  const PictureHeader header = find(name, options).header;
  forget_old();
  return header;
}

template <typename Picture>
Picture KeptPictures::at_size(std::optional<Picture> Kept::*part,
                              Picture (*read)(const std::string&, const ReadOptions&),
                              const std::string& name, const Size& size,
                              const ReadOptions& options) {
  Kept& kept = find(name, options);
  const PictureHeader& header = kept.header;
  const bool previews = at_ == At::previews;
  if (!(previews ? is_large_enough(kept.*part, header, size) : has_size(kept.*part, size))) {
    kept.*part = read(name, shrunk(options, previews ? size_to_keep(header, size) : size));
  }
  forget_old();
  return resized(*(kept.*part), std::min(size.width, header.width),
                 std::min(size.height, header.height));
}

Image KeptPictures::image(const std::string& name, const Size& size, const ReadOptions& options) {
  return at_size(&Kept::image, read_image, name, size, options);
}

Mask KeptPictures::mask(const std::string& name, const Size& size, const ReadOptions& options) {
  return at_size(&Kept::mask, read_mask, name, size, options);
}

}  // namespace limn
