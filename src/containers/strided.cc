#include "containers/strided.h"

namespace limn {

std::vector<std::uint64_t> c_strides(std::span<const std::uint64_t> shape) {
  std::vector<std::uint64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

std::vector<std::uint64_t> fortran_strides(std::span<const std::uint64_t> shape) {
  std::vector<std::uint64_t> strides(shape.size(), 1);
  for (size_t axis = 1; axis < shape.size(); ++axis)
    strides[axis] = strides[axis - 1] * shape[axis - 1];
  return strides;
}

Buffer<float> in_c_order(std::span<const float> stored, std::span<const std::uint64_t> shape,
                         std::span<const std::uint64_t> strides) {
  size_t count = 1;
  for (const std::uint64_t dimension : shape) count *= dimension;
  Buffer<float> values(count);
  std::vector<std::uint64_t> index(shape.size(), 0);
  std::uint64_t place = 0;
  for (float& value : values) {
    value = stored[place];
    // The next index, counting like an odometer.
    for (size_t axis = shape.size(); axis-- > 0;) {
      place += strides[axis];
      if (++index[axis] < shape[axis]) break;
      place -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return values;
}

}  // namespace limn
