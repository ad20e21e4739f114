// A history of floats that holds given pairs.
#pragma once

#include <memory>
#include <vector>

#include "optimise/history.h"

namespace limn {

// Pair i, of steps s[i] and changes y[i], at place i; to the bit. At least one.
inline std::unique_ptr<History> history_of(const std::vector<std::vector<float>>& s,
                                           const std::vector<std::vector<float>>& y,
                                           ThreadPool& pool) {
  const size_t size = s.front().size(), spare = s.size();
  std::unique_ptr<History> history =
      make_history(share_of_history(size, 0, alone()), spare + 1, /*half=*/false, pool);
  const std::vector<float> zeros(size);
  std::vector<float> work(size);
  for (size_t i = 0; i < s.size(); ++i) {
    // A step as the gradient of a spare pair, and then from there, from gradient 0.
    const double one[] = {1}, of_spare[] = {1, 0, 0};
    history->open(spare, {}, one, s[i], work);
    history->close(spare, s[i]);
    history->open(i, {&spare, 1}, of_spare, zeros, work);
    history->close(i, y[i]);
  }
  return history;
}

}  // namespace limn
