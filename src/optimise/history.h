// The pairs that L-BFGS remembers: steps s and changes y of the gradient along them, two vectors as
// large as its variable for each.
//
// They are kept as floats, or in half precision: a vector is then 16-bit floats times a factor of
// its own, for gradients may be 1e-8 or 1e8. Rounding moves a value by at most 2^-11 of it, or by
// 2^-36 of the vector's largest if that is more. What is rounded is the pair, not the arithmetic on
// it: all products and combinations are of the vectors as kept, in double, so that L-BFGS has a
// valid H of slightly different pairs, positive definite as long as s . y > 0. A step is rounded
// before it is made. So it is kept exactly; only y is off.
//
// The recursion (lbfgs.cc) needs dot products and one combination of the vectors. Sums are taken
// over fixed pieces of them, and added in the order of the pieces.
//
// Ranks that paint together keep a share of every vector each (base/share.h); g and the direction
// are whole on all of them. All ranks make the same calls. Exchanged are, without changing a bit:
//
//   open              the direction, whole; in half precision, the largest value of each piece
//   close             in half precision, the latter
//   multiply, square  the sums of each piece
//   end_rescaling     both, for all pairs
//
// A single process keeps everything and exchanges nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/share.h"
#include "base/state.h"

namespace limn {

// Dot products of the pairs at two places, a and b, and with the current gradient g.
class PairProducts {
 public:
  explicit PairProducts(size_t places)
      : sg(places), yg(places), sy_(places * places), yy_(places * places), places_(places) {}

  // Only where a is b or an older pair: the recursion needs no others.
  double& sy(size_t a, size_t b) { return sy_[a * places_ + b]; }
  double yy(size_t a, size_t b) const { return yy_[a * places_ + b]; }
  void set_yy(size_t a, size_t b, double product) {
    yy_[a * places_ + b] = yy_[b * places_ + a] = product;
  }
  void keep(State& state);

  std::vector<double> sg, yg;
  double gg = 0;

 private:
  std::vector<double> sy_, yy_;
  const size_t places_;
};

// Places are numbered from 0. `places` are those of the pairs in use, newest first; g has as many
// floats as the vectors.
class History {
 public:
  virtual ~History() = default;

  // Opens a pair at `place`. Its s is a combination of the pairs in use and g, with coefficients of
  // s and y of each place in turn, then of g, which is the gradient at the start of the step. The
  // pair at `place` may be in use; it is lost. Returns s as kept, whole: in `work`, as large as g,
  // which may hold g, or in the history's own memory. Valid until work or the pair changes.
  virtual std::span<float> open(size_t place, std::span<const size_t> places,
                                std::span<const double> coefficients, std::span<const float> g,
                                std::span<float> work) = 0;
  // g "=" the open pair's, to the bit.
  virtual void gradient_at_start(size_t place, std::span<float> g) const = 0;
  // s *= length.
  virtual void lengthen(size_t place, double length) = 0;
  // y = g - the gradient at the start.
  virtual void close(size_t place, std::span<const float> g) = 0;

  // Sets the products of y at the first of these places with s and y of all of them, and of all of
  // them and g with g.
  virtual void multiply(std::span<const size_t> places, std::span<const float> g,
                        PairProducts& products) = 0;

  // ---- for scales by place (local_scales.h) ----

  virtual double square_of_s(size_t place) = 0;
  virtual double square_of_y(size_t place) = 0;
  // The n floats from `first` on, which this rank keeps: in place, or in `memory`, which holds n.
  virtual const float* s(size_t place, size_t first, size_t n, float* memory) const = 0;
  virtual const float* y(size_t place, size_t first, size_t n, float* memory) const = 0;
  // s /= q and y *= q, elementwise, from `first` on, as far as this rank keeps them; q is 1/10 to
  // 10. memory: as many floats. Any thread may call it for its own part of the vectors, each once.
  virtual void rescale(std::span<const size_t> places, size_t first, std::span<const float> q,
                       float* memory) = 0;
  // Ends that, and sets all products anew, of g too.
  virtual void end_rescaling(std::span<const size_t> places, std::span<const float> g,
                             PairProducts& products) = 0;

  // Saves or restores the pairs in use and, if there is one, the open pair.
  virtual void keep(State& state, std::span<const size_t> places, const size_t* open) = 0;
};

// How ranks share vectors of `size` floats. A row of so many floats that begins in what a rank owns
// is kept by it whole.
Share share_of_history(size_t size, size_t row, Ranks& ranks);

// For `places` pairs of vectors that are shared so. `pool` must outlive it.
std::unique_ptr<History> make_history(const Share& share, size_t places, bool half,
                                      ThreadPool& pool);

// The vectors that each of so many ranks takes for it, or as much memory.
double history_vectors(int places, bool half, int ranks);

}  // namespace limn
