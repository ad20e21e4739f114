// What a process that paints together with others (limn/ranks.h), or alone, exchanges with them.
//
// Everything that ranks exchange is exact: values of one of them, or memory of which each has set a
// part. Sums are added by every rank itself, in the same order however many there are.
#pragma once

#include <limn/ranks.h>

#include <algorithm>
#include <cstdint>
#include <span>

namespace limn {

// A single process.
class Alone : public Ranks {
 public:
  int rank() const override { return 0; }
  int count() const override { return 1; }
  void broadcast(std::span<std::byte>, int) override {}
  void merge(std::span<std::uint32_t>) override {}
};

// Of this process, if it has no others.
Ranks& alone();

// Returns once all ranks have come here.
inline void meet(Ranks& ranks) {
  std::uint32_t nothing = 0;
  ranks.merge({&nothing, 1});
}

template <typename T>
void broadcast(Ranks& ranks, std::span<T> values, int from) {
  ranks.broadcast(std::as_writable_bytes(values), from);
}

// The value of rank 0.
template <typename T>
T agreed(Ranks& ranks, T value) {
  broadcast(ranks, std::span(&value, 1), 0);
  return value;
}

// The values of rank number `from`: `own` on that rank, `others` on all others.
template <typename T>
std::span<T> values_of(Ranks& ranks, int from, std::span<T> own, std::span<T> others) {
  const std::span<T> values = ranks.rank() == from ? own : others;
  broadcast(ranks, values, from);
  return values;
}

// values "=" those of all ranks, each of which has set some and left +0 in the others.
inline void merge(Ranks& ranks, std::span<std::uint32_t> values) {
  if (ranks.count() > 1) ranks.merge(values);
}
inline void merge(Ranks& ranks, std::span<float> values) {
  static_assert(sizeof(float) == sizeof(std::uint32_t));
  merge(ranks, std::span(reinterpret_cast<std::uint32_t*>(values.data()), values.size()));
}

// Every rank has set a part of the values: rank i those from begin(i) to begin(i + 1), which may be
// none. Afterwards each has all of them.
template <typename T, typename Begin>
void exchange(Ranks& ranks, std::span<T> values, const Begin& begin) {
  for (int rank = 0; rank < ranks.count(); ++rank) {
    const size_t first = begin(rank), end = begin(rank + 1);
    if (first < end) broadcast(ranks, values.subspan(first, end - first), rank);
  }
}

// Ranks take turns at tasks. Calls act(task) for those of this rank, and, whenever each has done
// one, join(task, rank) for those, in order, on every rank.
template <typename Act, typename Join>
void take_turns(Ranks& ranks, int tasks, const Act& act, const Join& join) {
  for (int first = 0; first < tasks; first += ranks.count()) {
    const int own = first + ranks.rank();
    if (own < tasks) act(own);
    const int end = std::min(first + ranks.count(), tasks);
    for (int task = first; task < end; ++task) join(task, task - first);
  }
}

}  // namespace limn
