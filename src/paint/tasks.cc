// Textures and holes: pictures as the painter wants them.
#include <limn/tasks.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/memory_at_hand.h"
#include "canvas/initial.h"
#include "canvas/sizes.h"
#include "image/alpha.h"
#include "image/mask.h"
#include "image/period.h"
#include "paint/periods.h"

namespace limn {
namespace {

// The rest is for the system, and for what predictions may be off.
constexpr double kShareOfMachine = 0.875;

void check_canvas(const Size& size) {
  constexpr int kMost = 100'000;
  if (std::min(size.height, size.width) < 1 || std::max(size.height, size.width) > kMost) {
    fail(ErrorKind::usage, "a texture cannot have {} x {} pixels, only 1 to {} a side", size.width,
         size.height, kMost);
  }
  const double bytes = 3.0 * sizeof(float) * size.height * size.width;
  if (bytes > machine_budget().bytes) {
    fail(ErrorKind::resources, "a texture of {} x {} pixels does not fit into memory", size.width,
         size.height);
  }
}

// A picture without content: noise, like what a texture begins with, so that weights are measured
// (paint/balance.h) where painting begins.
Image blank_picture(const Size& size) {
  Image picture = {size.width, size.height, {}, {}};
  picture.rgb.resize(3 * static_cast<size_t>(size.width) * static_cast<size_t>(size.height));
  return grey_noise(picture, /*seed=*/0);
}

// The outside of a hole. Throws Error (usage) if there is none, or no hole.
Mask outside_of(Mask hole, const std::string& name) {
  for (float& value : hole.values) value = 1 - value;
  const auto [least, most] = std::ranges::minmax(hole.values);
  if (least == 1) {
    fail(ErrorKind::usage, "{} is black everywhere: there is nothing to paint", name);
  }
  if (most == 0) {
    fail(ErrorKind::usage,
         "{} is white everywhere: nothing of the picture would be left; for a picture from "
         "nothing, make a texture",
         name);
  }
  return hole;
}

// How far around a hole, in pixels, the picture counts as continued in it: bricks and leaves are
// about as large.
constexpr int kContinued = 32;

// Nothing of what is in the hole is seen: it takes on the colours around it.
void clear_hole(Image& picture, const Mask& outside) {
  std::vector<float> alpha =
      std::exchange(picture.alpha, resized(outside, picture.width, picture.height).values);
  picture = filled(std::move(picture));
  picture.alpha = std::move(alpha);
}

}  // namespace

Pictures texture_pictures(std::vector<Style> exemplars, const Size& size) {
  check_canvas(size);
  return {blank_picture(size), std::move(exemplars), {}, {}};
}

void cut_hole(Pictures& pictures, const Mask& hole, bool from_itself, const std::string& name) {
  if (pictures.styles.empty() || pictures.styles.front().paintings.empty()) {
    fail(ErrorKind::usage, "a hole needs a picture of what fills it");
  }
  check_shape(hole);
  pictures.keep = outside_of(hole, name);
  clear_hole(pictures.photo, pictures.keep);
  // Only what is painted, and what it must continue, has to have the style: over the whole picture
  // a small hole would hardly count.
  for (Style& style : pictures.styles) style.to = grown(hole, kContinued);
  if (from_itself) {
    Style& itself = pictures.styles.front();
    itself.from = pictures.keep;
    clear_hole(itself.paintings.front(), pictures.keep);
  }
}

Recipe with_periods(Recipe recipe, const Pictures& pictures) {
  const bool only_one = pictures.styles.size() == 1 && pictures.styles[0].paintings.size() == 1;
  if (!only_one || !may_follow_periods(recipe)) return recipe;
  const Size size = working_sizes(pictures, recipe).paintings.front();
  const Image& exemplar = pictures.styles[0].paintings[0];
  follow_periods(recipe, periods_of(resized(exemplar, size.width, size.height)));
  return recipe;
}

Budget machine_budget() { return {kShareOfMachine * memory_at_hand(), 0, 1}; }

}  // namespace limn
