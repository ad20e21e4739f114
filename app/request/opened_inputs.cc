#include "request/opened_inputs.h"

#include <fmt/format.h>
#include <limn/tasks.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "canvas/initial.h"
#include "image/alpha.h"
#include "image/write.h"
#include "network/weights.h"
#include "paint/plan.h"
#include "request/painting_sizes.h"
#include "show/console.h"

namespace limn {
namespace {

void check_mask_count(const char* flag, size_t masks, size_t paintings) {
  if (masks <= paintings) return;
  fail(ErrorKind::usage,
       "{}: given {} times, but there {} {} PAINTING{}; masks and paintings are matched in order",
       flag, masks, paintings == 1 ? "is" : "are", paintings, paintings == 1 ? "" : "s");
}

void warn_of_leaving_out(const std::string& why) {
  warn(fmt::format("{}; it is left out of the folder's style", why));
}

// The largest height and width of each picture in any of the plans.
WorkingSizes largest_sizes(std::span<const Plan> plans) {
  const auto raise = [](Size& most, const Size& size) {
    most = {std::max(most.height, size.height), std::max(most.width, size.width)};
  };
  WorkingSizes largest;
  for (const Plan& plan : plans) {
    const WorkingSizes& sizes = plan.sizes();
    raise(largest.picture, sizes.picture);
    largest.paintings.resize(sizes.paintings.size());
    for (size_t i = 0; i < sizes.paintings.size(); ++i) {
      raise(largest.paintings[i], sizes.paintings[i]);
    }
  }
  return largest;
}

}  // namespace

void check_visible(const Image& image, const std::string& file) {
  if (is_visible(image)) return;
  fail(ErrorKind::file, "'{}' is completely transparent", file);
}

std::string note_on_transparency(const std::vector<std::string>& files) {
  if (files.empty()) return "";
  std::string list;
  for (size_t i = 0; i < files.size(); ++i) {
    const char* before = i == 0 ? "" : i + 1 == files.size() ? " and " : ", ";
    list += fmt::format("{}'{}'", before, files[i]);
  }
  return fmt::format("transparency counts as a mask: only the visible part of {} is used", list);
}

// ------------------------------------------------------------------------------------- opening --

OpenedInputs::OpenedInputs(const InputNames& names, std::span<const Recipe> recipes,
                           const ReadOptions& options, KeptPictures* kept)
    : options_(options), kept_(kept) {
  check_mask_count("--mask-content", names.content_masks.size(), names.paintings.size());
  check_mask_count("--mask-style", names.style_masks.size(), names.paintings.size());
  photo_ = open_photo(names);
  blank_ = names.is_texture();
  for (size_t i = 0; i < names.paintings.size(); ++i) {
    OpenedStyle& style = styles_.emplace_back(open_style(names.paintings[i]));
    style.to = open_mask(names.content_masks, i);
    style.from = open_mask(names.style_masks, i);
    if (style.from && style.paintings.size() > 1) {
      fail(ErrorKind::usage,
           "--mask-style: '{}' cannot be the mask of '{}', a folder of {} pictures; name one "
           "picture, or leave the mask out with 'none'",
           style.from->name, style.name, style.paintings.size());
    }
  }
  if (names.keep_mask) keep_ = open(*names.keep_mask);
  if (names.hole) hole_ = open(*names.hole);
  from_itself_ = names.hole && names.paintings == std::vector{names.photo};
  open_initial(recipes);
}

OpenedInputs::File OpenedInputs::open_photo(const InputNames& names) const {
  if (!names.is_texture()) return open(names.photo);
  File blank;
  blank.name = "texture";
  blank.header.width = names.canvas->width;
  blank.header.height = names.canvas->height;
  return blank;
}

OpenedInputs::File OpenedInputs::open(const std::string& name) const {
  if (kept_ != nullptr) return {name, {}, kept_->header(name, options_)};
  File file = {name, open_picture(name), {}};
  file.header = read_header(*file.opened, options_);
  return file;
}

// A folder may also hold things that are not pictures: a list of sources, another program's
// thumbnails.
OpenedInputs::OpenedStyle OpenedInputs::open_folder(const std::string& folder) const {
  OpenedStyle style = {folder, true, {}, {}, {}};
  std::vector<std::string> left_out;
  for (const std::string& name : files_in(folder)) {
    try {
      style.paintings.push_back(open(name));
      style.paintings.back().opened.reset();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::file) throw;
      left_out.emplace_back(error.what());
    }
  }
  if (style.paintings.empty()) {
    fail(ErrorKind::file,
         "'{}' is a folder with no picture that limn can read; a painting is a picture, or a "
         "folder of pictures",
         folder);
  }
  for (const std::string& why : left_out) warn_of_leaving_out(why);
  return style;
}

OpenedInputs::OpenedStyle OpenedInputs::open_style(const std::string& name) const {
  if (is_folder(name)) return open_folder(name);
  OpenedStyle style = {name, false, {}, {}, {}};
  style.paintings.push_back(open(name));
  return style;
}

// The mask of painting number `index`, if it has one.
std::optional<OpenedInputs::File> OpenedInputs::open_mask(const std::vector<std::string>& masks,
                                                          size_t index) const {
  if (index >= masks.size() || masks[index] == kNoMask) return std::nullopt;
  return open(masks[index]);
}

// If the recipes begin with different files, the painter opens them itself.
void OpenedInputs::open_initial(std::span<const Recipe> recipes) {
  for (const Recipe& recipe : recipes) {
    if (recipe.picture.init != recipes.front().picture.init) return;
  }
  if (begins_with_file(recipes.front())) initial_ = open(recipes.front().picture.init);
}

// --------------------------------------------------------------------------------------- sizes --

PictureSizes OpenedInputs::sizes() const {
  PictureSizes sizes = {photo_.own(), {}};
  for (const OpenedStyle& style : styles_) {
    std::vector<Size>& paintings = sizes.styles.emplace_back();
    for (const File& painting : style.paintings) paintings.push_back(painting.own());
  }
  return sizes;
}

std::vector<std::string> OpenedInputs::painting_files() const {
  std::vector<std::string> files;
  for (const OpenedStyle& style : styles_) {
    for (const File& painting : style.paintings) files.push_back(painting.name);
  }
  return files;
}

void OpenedInputs::leave_out(size_t style, size_t painting, const std::string& why) {
  std::vector<File>& paintings = styles_[style].paintings;
  if (!styles_[style].folder) fail(ErrorKind::usage, "{}", why);
  if (paintings.size() == 1) {
    fail(ErrorKind::usage, "{}; the folder '{}' contains nothing else", why, styles_[style].name);
  }
  warn_of_leaving_out(why);
  paintings.erase(paintings.begin() + static_cast<std::ptrdiff_t>(painting));
}

void OpenedInputs::check_sizes(const Model& model, const Recipe& recipe) {
  const NetworkTable& network = *model.weights().network;
  check_recipe(model, recipe);
  check_photo_size(network, recipe, sizes(), photo_.name);
  for (size_t s = 0; s < styles_.size(); ++s) {
    for (size_t p = styles_[s].paintings.size(); p-- > 0;) {
      const std::string why =
          too_small(network, recipe, sizes(), {s, p}, styles_[s].paintings[p].name);
      if (!why.empty()) leave_out(s, p, why);
    }
  }
}

PictureFileBytes ResultFile::bytes(const Size& picture, bool has_alpha) const {
  const double pixels = 1.0 * picture.width * picture.height;
  const double copy = sizeof(float) * (has_alpha ? 4 : 3) * pixels;
  const double written =
      copy + writing_bytes(path, write, picture.width, picture.height, has_alpha);
  PictureFileBytes bytes;
  bytes.alone = written;
  if (previewed) bytes.besides = copy;
  if (saved_on_the_way) bytes.besides = written;
  return bytes;
}

namespace {

// Throws Error (resources) if reading the file that takes most would exceed the budget.
void check_reading(double bytes, const std::string& name, const Budget& budget) {
  constexpr double kMega = 1024.0 * 1024;
  if (budget.bytes == 0 || bytes <= budget.bytes) return;
  fail(ErrorKind::resources,
       "reading '{}' needs about {:.0f}M of memory, but may take only {:.0f}M; choose --memory "
       "{:.0f}M, or save it as a TIFF or as a JPEG that is not progressive, which are read row by "
       "row",
       name, std::ceil(bytes / kMega), budget.bytes / kMega, std::ceil(1.1 * bytes / kMega));
}

}  // namespace

std::vector<Plan> OpenedInputs::plan(const Model& model, std::span<const Recipe> recipes,
                                     const Budget& budget,
                                     const std::optional<ResultFile>& result) {
  for (const Recipe& recipe : recipes) check_sizes(model, recipe);
  std::vector<Plan> plans;
  for (const Recipe& recipe : recipes) plans.push_back(make_plan(model, sizes(), recipe, budget));
  // The inputs are read once for all plans.
  const ReadingPeak reading = reading_peak(largest_sizes(plans));
  check_reading(predict_file_bytes(model.weights(), reading.bytes), reading.name, budget);
  for (Plan& plan : plans) {
    PictureFileBytes files;
    if (result) files = result->bytes(plan.sizes().picture, photo_.header.has_alpha);
    files.alone = std::max(files.alone, reading.bytes);
    predict_memory(plan, model, parts(), files);
  }
  return plans;
}

// The regions that masks and alpha will separate, judging by the headers: an alpha channel may
// still turn out to be opaque everywhere.
Parts OpenedInputs::parts() const {
  PartsFound found;
  found.transparent_photo = photo_.header.has_alpha;
  for (const OpenedStyle& style : styles_) {
    const bool transparent = std::ranges::any_of(
        style.paintings, [](const File& painting) { return painting.header.has_alpha; });
    const bool part = style.from.has_value() || transparent || from_itself_;
    found.styles.push_back({style.to.has_value() || hole_, part});
  }
  return parts_of(found);
}

// The peak memory of reading: each file in turn, on top of those that have been read.
OpenedInputs::ReadingPeak OpenedInputs::reading_peak(const WorkingSizes& most) const {
  double held = 0;
  ReadingPeak peak;
  const auto add = [&](const File& file, const Size& size, int planes) {
    const double bytes = held + file.header.reading_bytes(size.width, size.height);
    if (bytes > peak.bytes) peak = {bytes, file.name};
    const double pixels =
        1.0 * std::min(size.width, file.header.width) * std::min(size.height, file.header.height);
    held += sizeof(float) * planes * pixels;
  };
  const auto add_picture = [&](const File& file, const Size& size) {
    add(file, size, file.header.has_alpha ? 4 : 3);
  };
  if (!blank_) add_picture(photo_, most.picture);
  size_t next = 0;
  for (const OpenedStyle& style : styles_) {
    for (const File& painting : style.paintings) add_picture(painting, most.paintings[next++]);
    if (style.to) add(*style.to, most.picture, 1);
    if (style.from) add(*style.from, most.paintings[next - 1], 1);
  }
  if (keep_) add(*keep_, most.picture, 1);
  if (hole_) add(*hole_, most.picture, 1);
  if (initial_) add_picture(*initial_, most.picture);
  return peak;
}

// ------------------------------------------------------------------------------------- reading --

// Collects what has been read so far, and the notes on it.
class OpenedInputs::Reading {
 public:
  Reading(const ReadOptions& options, KeptPictures* kept) : options_(options), kept_(kept) {
    options_.note = [this](const std::string& note) { inputs.notes.push_back(note); };
  }

  // Reads the picture no larger than `most`, and closes the file.
  Image image(File& file, const Size& most) {
    Image image = kept_ != nullptr ? kept_->image(file.name, most, options_)
                                   : read_image(prepared(file, most), options_);
    file.opened.reset();
    check_visible(image, file.name);
    if (!image.alpha.empty()) transparent_.push_back(file.name);
    return image;
  }

  Mask mask(File& file, const Size& most) {
    Mask mask = kept_ != nullptr ? kept_->mask(file.name, most, options_)
                                 : read_mask(prepared(file, most), options_);
    file.opened.reset();
    return mask;
  }

  Inputs finished() && {
    const std::string note = note_on_transparency(transparent_);
    if (!note.empty()) inputs.notes.push_back(note);
    return std::move(inputs);
  }

  Inputs inputs;

 private:
  // The opened file, with options_ set to this size.
  const OpenedPicture& prepared(File& file, const Size& most) {
    options_.width = most.width;
    options_.height = most.height;
    if (!file.opened) file.opened = open_picture(file.name);
    return *file.opened;
  }

  ReadOptions options_;
  KeptPictures* const kept_;
  std::vector<std::string> transparent_;
};

Inputs OpenedInputs::read(std::vector<Plan> plans) && {
  WorkingSizes most = largest_sizes(plans);
  Reading reading(options_, kept_);
  auto& [photo, styles, keep, initial] = reading.inputs.pictures;
  PictureSizes& own = reading.inputs.own;
  photo = blank_ ? texture_pictures({}, most.picture).photo : reading.image(photo_, most.picture);
  own.photo = photo_.own();
  size_t next = 0;
  for (OpenedStyle& opened : styles_) {
    Style& style = styles.emplace_back();
    own.styles.emplace_back();
    for (File& painting : opened.paintings) {
      try {
        style.paintings.push_back(reading.image(painting, most.paintings[next]));
      } catch (const Error& error) {
        if (!opened.folder || error.kind() != ErrorKind::file) throw;
        warn_of_leaving_out(error.what());
        for (Plan& plan : plans) leave_out_painting(plan, next);
        most = largest_sizes(plans);
        continue;
      }
      ++next;
      own.styles.back().push_back(painting.own());
      reading.inputs.painting_files.push_back(painting.name);
    }
    if (style.paintings.empty()) {
      fail(ErrorKind::file, "'{}' is a folder with no picture that limn can read", opened.name);
    }
    if (opened.to) style.to = reading.mask(*opened.to, most.picture);
    if (opened.from) style.from = reading.mask(*opened.from, most.paintings[next - 1]);
  }
  if (keep_) keep = reading.mask(*keep_, most.picture);
  if (hole_) {
    const Mask hole = reading.mask(*hole_, most.picture);
    cut_hole(reading.inputs.pictures, hole, from_itself_, fmt::format("--hole: '{}'", hole_->name));
  }
  if (initial_) initial = reading.image(*initial_, most.picture);
  reading.inputs.plans = std::move(plans);
  return std::move(reading).finished();
}

}  // namespace limn
