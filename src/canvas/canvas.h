// The optimiser's variable z and the picture x made from it: a short chain of linear parts, each
// with its adjoint.
//
//   z  --bands-->  x,  whose  kept pixels  and, if grey,  colours  do not move
//
// The losses see x; the optimiser sees z. (docs/how-it-works.md, "The canvas".)
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/parallel.h"
#include "canvas/bands.h"
#include "canvas/units.h"

namespace limn {

class Canvas {
 public:
  // For pictures of this size, borders included. keep: the same size, or empty; kept pixels stay
  // the photo's. grey: x stays without colours. bands: as in Recipe::pyramid; left out where pixels
  // are kept, because each band moves the whole picture. `pool` must outlive this.
  // grey_apart: as for Bands.
  Canvas(const Units& units, const Size& size, Mask keep, bool grey, std::span<const double> bands,
         ThreadPool& pool, bool grey_apart = true);

  const Size& picture_size() const { return size_; }
  size_t size() const { return bands_.size(); }                 // floats of z
  size_t pixels() const { return bands_.pixels(); }             // floats of x: 3 x height x width
  std::vector<Size> planes() const { return bands_.planes(); }  // of z, in order

  // The z of the picture x, made grey if the canvas is, and with `photo` where pixels are kept.
  std::vector<float> of(std::vector<float> x, const Image& photo) const;

  // The x of z: z itself if there are no bands, otherwise valid until the next picture() or clip().
  std::span<const float> picture(std::span<const float> z);
  // Where to write the gradient with respect to x before pull(d_z).
  std::span<float> d_picture(std::span<float> d_z);
  // Removes from d_x, in place, all that would move kept pixels or colours.
  void hold(std::span<float> d_x) const;
  // d_z "=" the gradient with respect to z, from the one with respect to x in d_picture(d_z).
  void pull(std::span<float> d_z);

  // The picture of z: not clamped, borders included.
  Image image(std::vector<float> z);
  // Moves z so that its picture lies within 0..1 RGB.
  void clip(std::span<float> z);

 private:
  void make_grey(std::span<float> x) const;
  void hold_kept(std::span<float> d_x) const;
  void hold_colours(std::span<float> d_x) const;

  const Units& units_;
  const Size size_;
  const Mask keep_;
  const bool grey_;
  ThreadPool& pool_;
  Bands bands_;
  std::vector<float> x_, d_x_;  // empty where x is z
};

}  // namespace limn
