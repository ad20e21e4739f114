// Arrays whose values are stored in an order other than C's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"

namespace limn {

// How many values a step along each axis of an array of this shape skips, in C's order (last axis
// fastest) and in Fortran's (first axis fastest). The shape's product must fit in 64 bits.
std::vector<std::uint64_t> c_strides(std::span<const std::uint64_t> shape);
std::vector<std::uint64_t> fortran_strides(std::span<const std::uint64_t> shape);

// The array's values in C's order: the one at index (i, j, ...) is stored[i * strides[0] + j *
// strides[1] + ...], which must lie within `stored`.
Buffer<float> in_c_order(std::span<const float> stored, std::span<const std::uint64_t> shape,
                         std::span<const std::uint64_t> strides);

}  // namespace limn
