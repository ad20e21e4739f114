// The palette of paintings, and a picture in it: the colour step of Neural Neighbor Style Transfer
// (Kolkin and others 2022, arXiv 2203.13215, section 3.5).
//
// The picture keeps its painted lightness, but its hues and saturations are the photo's, recoloured
// to those of the paintings. So what has one colour in the photo has one in the picture, and the
// colours are the paintings' as a whole.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <span>
#include <vector>

#include "image/lab.h"

namespace limn {

// A painting, sRGB-encoded, and how much each of its pixels counts: share * alpha * from. A share
// is at least 0; `from` may be null or empty (everywhere), or have another size than the painting.
struct PaletteSource {
  const Image* painting = nullptr;
  const Mask* from = nullptr;
  double share = 1;
};

// How much each pixel of the painting counts; empty if all count 1. Throws Error (usage) like
// palette_of.
std::vector<float> weights_of(const PaletteSource& source);

// The distribution of L, a and b over the pixels that count, and their least and largest values.
struct Palette {
  Spread spread;
  Vector3 least{}, most{};
};

// Of all paintings together; nothing if no pixel counts. Throws Error (usage) for paintings or
// masks with planes of the wrong size.
std::optional<Palette> palette_of(std::span<const PaletteSource> sources);

// The painted picture in the palette; both pictures are sRGB-encoded, the result in 0..1 with the
// painted picture's alpha. The photo is resized if they differ in size. In Oklab:
//
//   L = the painted L, clamped to the palette's range
//   (a, b) = B^5 (T ((a, b) of the photo - their mean) + the palette's mean), clamped to its range
//
// T whitens with the photo's covariance of a and b and colours with the palette's, both widened by
// 1e-4 (whitening_colouring_map). B is a bilateral filter over 3x3 pixels guided by L: the mean of
// neighbours j inside the picture with weights exp(-10 |L_i - L_j|). It smooths what T makes of the
// photo's noise and JPEG blocks, and keeps colours apart where the painted lightness does.
//
// A nearly grey palette has no colours to give: the photo's would only be its grain amplified. If
// no entry of its covariance of a and b reaches 6e-5 in size, the painted picture's own L, a and b
// are given the palette's mean and covariance by the same kind of map, in three dimensions, without
// filter or clamping.
//
// Deliberately, this is Oklab as defined, and as everywhere in limn: of light. The authors' program
// puts sRGB-encoded values into its formulas as if they were light.
//
// Statistics are weighted by alpha, and the photo's transparent pixels take on the colours around
// them (filled). With a photo or picture that is transparent everywhere, the picture is returned
// unchanged. Throws Error (usage) for pictures with planes of the wrong size.
Image in_palette(Image painted, const Image& photo, const Palette& palette);

}  // namespace limn
