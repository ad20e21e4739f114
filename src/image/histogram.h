// The histograms of pictures, and pictures given others' histograms, channel by channel: so a
// texture ends with its exemplar's colours (as in the published program of Gatys, Ecker and Bethge
// 2015, arXiv 1505.07376).
#pragma once

#include <limn/limn.h>

#include <array>
#include <span>
#include <vector>

#include "image/palette.h"

namespace limn {

// For red, green and blue, the distribution of the sRGB-encoded values of the pixels that count, as
// quantiles: value i of n is exceeded by a share of 1 - (i + 1/2) / n of them. n is 4096.
struct ColourHistograms {
  std::array<std::vector<float>, 3> quantiles;
};

// Of all sources together; empty if no pixel counts. Values are clamped to 0..1. Throws Error
// (usage) for paintings or masks with planes of the wrong size.
ColourHistograms histogram_of(std::span<const PaletteSource> sources);

// The picture after an increasing map of each channel that gives it the histogram, as far as a map
// can: equal values stay equal. An empty histogram changes nothing. Throws Error (usage) for
// pictures with planes of the wrong size.
Image with_histogram(Image picture, const ColourHistograms& histogram);

}  // namespace limn
