// The optimiser's variable z and the picture x made from it: a short chain of linear parts, each
// with its adjoint.
//
//   z  --bands-->  --symmetry-->  x,  whose  kept pixels  and, if grey,  colours  do not move
//
// Symmetry is the mean of the picture and its mirror images; being symmetric itself, it is its own
// adjoint.
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

// What a canvas is, besides its size.
struct CanvasForm {
  Mask keep = {};     // these pixels stay the photo's; the picture's size, or empty
  bool grey = false;  // x stays without colours
  std::span<const double> bands = {};  // Recipe::pyramid; left out where pixels are kept, because
                                       // each band moves the whole picture
  bool grey_apart = true;              // as for Bands
  bool repeats = false;                // likewise
  Symmetry symmetry = Symmetry::none;  // x is exactly symmetric; then nothing is kept
};

class Canvas {
 public:
  // For pictures of this size, borders included. `pool` must outlive this.
  Canvas(const Units& units, const Size& size, CanvasForm form, ThreadPool& pool);

  const Size& picture_size() const { return size_; }
  size_t size() const { return bands_.size(); }                 // floats of z
  size_t pixels() const { return bands_.pixels(); }             // floats of x: 3 x height x width
  std::vector<Size> planes() const { return bands_.planes(); }  // of z, in order

  // The z of the picture x, made grey or symmetric if the canvas is, and with `photo` where pixels
  // are kept.
  std::vector<float> of(std::vector<float> x, const Image& photo) const;

  // The x of z: z itself if there are neither bands nor symmetry, otherwise valid until the next
  // picture() or clip().
  std::span<const float> picture(std::span<const float> z);
  // Where in d_z to write the gradient with respect to x before pull(d_z).
  std::span<float> d_picture(std::span<float> d_z) const { return d_z.first(pixels()); }
  // Removes from d_x, in place, all that would move kept pixels or colours, or break the symmetry.
  void hold(std::span<float> d_x) const;
  // d_z "=" the gradient with respect to z, from the one with respect to x in d_picture(d_z).
  void pull(std::span<float> d_z);

  // The picture of z: not clamped, borders included.
  Image image(std::vector<float> z);
  // Moves z so that its picture lies within 0..1 RGB.
  void clip(std::span<float> z);

 private:
  // Whether x is z.
  bool is_direct() const { return bands_.trivial() && symmetry_ == Symmetry::none; }
  void join(std::span<const float> z, std::span<float> x);
  void make_grey(std::span<float> x) const;
  void hold_kept(std::span<float> d_x) const;
  void hold_colours(std::span<float> d_x) const;

  const Units& units_;
  const Size size_;
  const Mask keep_;
  const bool grey_;
  const Symmetry symmetry_;
  ThreadPool& pool_;
  Bands bands_;
  std::vector<float> x_;  // empty where x is z
};

}  // namespace limn
