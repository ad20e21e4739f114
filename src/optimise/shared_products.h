// Dot products of vectors of which ranks keep a share each (base/share.h).
//
// Each rank takes the sums of the pieces it owns; those of all are exchanged, 16 bytes for each row
// and piece, and every rank adds them up in order.
#pragma once

#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "base/share.h"
#include "kernels/kernels.h"

namespace limn {

class SharedProducts {
 public:
  // For vectors of the share, which is in pieces of kernels::kRowPiece, and at most so many rows.
  SharedProducts(const Share& share, size_t most_rows, ThreadPool& pool)
      : share_(share),
        pool_(pool),
        sums_(kernels::products_scratch_size(most_rows, share.size())),
        results_(2 * most_rows) {}

  // [2 r]: rows[r] . a, [2 r + 1]: rows[r] . b. Rows, a and b begin at this rank's share. Valid
  // until the next call.
  std::span<double> of(const kernels::Rows& rows, const float* a, const float* b) {
    const size_t n = 2 * rows.size();
    const std::span<double> sums = std::span(sums_).first(n * share_.pieces());
    const size_t own = share_.own();
    kernels::product_sums(rows, {a, own}, {b, own}, share_.own_pieces_of(sums, n), pool_);
    share_.exchange_pieces(sums, n);
    const std::span<double> results = std::span(results_).first(n);
    kernels::add_product_sums(sums, results);
    return results;
  }
  double square(const float* a) { return of({{}, {&a, 1}}, a, a)[0]; }

 private:
  const Share share_;
  ThreadPool& pool_;
  Buffer<double> sums_;  // [pieces][2 rows]
  std::vector<double> results_;
};

}  // namespace limn
