// What the optimiser moves, z, and the picture x that it makes: a short chain of linear parts, each
// with its adjoint.
//
//   z  --bands-->  x, of which  kept pixels  and, for a grey picture, the  colours  do not move
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
  // For pictures of this size, borders included. keep: of the same size, or empty; a kept pixel
  // stays the photo's. grey: x has no colours and gets none. bands: as in
  // Recipe::pyramid; left out where pixels are kept, for each band moves all of the picture. `pool`
  // must outlive it.
  Canvas(const Units& units, const Size& size, Mask keep, bool grey, std::span<const double> bands,
         ThreadPool& pool);

  const Size& picture_size() const { return size_; }
  size_t size() const { return bands_.size(); }                 // floats of z
  size_t pixels() const { return bands_.pixels(); }             // floats of x: 3 x height x width
  std::vector<Size> planes() const { return bands_.planes(); }  // of z, one after another

  // z of the picture x as the canvas has it: grey where it is grey, and `photo` where that is kept.
  std::vector<float> of(std::vector<float> x, const Image& photo) const;

  // x of z: z itself where there are no bands, else valid until the next call of picture or clip.
  std::span<const float> picture(std::span<const float> z);
  // Where the gradient with respect to x is to be written, to be pulled back into d_z.
  std::span<float> d_picture(std::span<float> d_z);
  // d_x "=" what of it may move the picture.
  void hold(std::span<float> d_x) const;
  // d_z "=" the gradient with respect to z, from that with respect to x in d_picture(d_z).
  void pull(std::span<float> d_z);

  // The picture of z: not clamped, borders and all.
  Image image(std::vector<float> z);
  // Moves z so that its picture is within 0..1 RGB.
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
