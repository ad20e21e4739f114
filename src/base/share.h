// The part of long vectors that one of several ranks (ranks.h) keeps.
//
// Vectors are cut into pieces of a fixed length, of which only the last may be shorter. Each rank
// owns consecutive pieces, and may keep some more behind them, which the next ranks own:
//
//          0       piece    2 piece   3 piece   4 piece  size
//          |---------|---------|---------|---------|------|
//   rank 0 |<------ owns ----->|< keeps >|
//   rank 1                     |<---------- owns -------->|
//
// No bit depends on the number of ranks. Sums are taken of pieces, each by its owner; exchanged;
// and added by every rank, in order. What is elementwise is computed on all that a rank keeps, so
// what two of them keep is the same on both without being exchanged.
//
// A single process owns everything, and exchanges nothing.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>

#include "base/ranks.h"

namespace limn {

class Share {
 public:
  // Of vectors of `size` values in pieces of `piece`, of which a rank that owns any keeps at least
  // `behind` more, where there are as many. `ranks` must outlive it.
  Share(size_t size, size_t piece, size_t behind, Ranks& ranks)
      : ranks_(&ranks), size_(size), piece_(piece), first_(begin_of(ranks.rank())) {
    const size_t end = begin_of(ranks.rank() + 1);
    own_ = end - first_;
    const size_t more = (behind + piece - 1) / piece * piece;
    kept_ = own_ == 0 ? 0 : std::min(end + more, size) - first_;
  }

  Ranks& ranks() const { return *ranks_; }
  bool is_shared() const { return ranks_->count() > 1; }

  size_t size() const { return size_; }
  size_t pieces() const { return (size_ + piece_ - 1) / piece_; }
  // Of the values, from number first() on: those of this rank, and all that it keeps.
  size_t first() const { return first_; }
  size_t own() const { return own_; }
  size_t kept() const { return kept_; }
  // The first value that a rank owns; for the number of ranks, size().
  size_t begin_of(int rank) const {
    return std::min(size_, pieces() * rank / ranks_->count() * piece_);
  }

  // What this rank keeps of a whole vector.
  template <typename T>
  std::span<T> kept_of(std::span<T> whole) const {
    return whole.subspan(first_, kept_);
  }
  // Of an array with `each` values for every piece, those of this rank's.
  template <typename T>
  std::span<T> own_pieces_of(std::span<T> all, size_t each) const {
    return all.subspan(first_ / piece_ * each, (own_ + piece_ - 1) / piece_ * each);
  }

  // ---- all ranks call these together ----

  // Every rank has set what it owns of a whole vector; afterwards each has all of it.
  template <typename T>
  void exchange(std::span<T> whole) const {
    assert(whole.size() == size_);
    limn::exchange(*ranks_, whole, [this](int rank) { return begin_of(rank); });
  }
  // The same of an array with `each` values for every piece.
  template <typename T>
  void exchange_pieces(std::span<T> all, size_t each) const {
    assert(all.size() == pieces() * each);
    limn::exchange(*ranks_, all,
                   [&](int rank) { return (begin_of(rank) + piece_ - 1) / piece_ * each; });
  }
  // whole "=" the vector of which each rank has `kept`.
  template <typename T>
  void gather(std::span<const T> kept, std::span<T> whole) const {
    std::ranges::copy(kept, kept_of(whole).begin());
    exchange(whole);
  }
  // That vector: in `memory`, as large as it is, or `kept` itself if that is all of it.
  template <typename T>
  std::span<T> gathered(std::span<T> kept, std::span<T> memory) const {
    if (!is_shared()) return kept;
    gather<T>(kept, memory);
    return memory;
  }

 private:
  Ranks* ranks_;
  size_t size_, piece_;
  size_t first_, own_ = 0, kept_ = 0;
};

}  // namespace limn
