#include "network/input.h"

#include <cstddef>

namespace limn {
namespace {

// Calls row(plane, y, offset of that row in a three-plane picture) for all rows.
template <typename Row>
void for_rows(int height, int width, ThreadPool& pool, const Row& row) {
  pool.run(3 * static_cast<size_t>(height), [&](size_t task) {
    const int plane = static_cast<int>(task / height);
    row(plane, static_cast<int>(task % height), task * width);
  });
}

}  // namespace

void InputMap::fill(std::span<const float> x, InputPlanes input, ThreadPool& pool) const {
  for_rows(input.height, input.width, pool, [&](int plane, int y, size_t place) {
    const float* from = x.data() + place;
    float* to = input.row(bgr ? 2 - plane : plane, y);
    for (int i = 0; i < input.width; ++i) to[i] = planes[plane](from[i]);
  });
}

void InputMap::pull(ConstInputPlanes d_input, std::span<float> d_x, ThreadPool& pool) const {
  for_rows(d_input.height, d_input.width, pool, [&](int plane, int y, size_t place) {
    const float* from = d_input.row(bgr ? 2 - plane : plane, y);
    float* to = d_x.data() + place;
    for (int i = 0; i < d_input.width; ++i) to[i] = planes[plane].gain * from[i];
  });
}

}  // namespace limn
