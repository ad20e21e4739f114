#include "base/buffer.h"

#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace limn {

void* allocate_zeroed(size_t count, size_t element_bytes) {
  if (count == 0) return nullptr;
  const size_t largest = std::numeric_limits<size_t>::max() / 2;
  void* data = nullptr;
  if (count <= largest / element_bytes) {
    // aligned_alloc wants a multiple of the alignment.
    const size_t bytes =
        (count * element_bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
    data = std::aligned_alloc(kBufferAlignment, bytes);
    if (data != nullptr) std::memset(data, 0, bytes);
  }
  if (data == nullptr) {
    fail(ErrorKind::resources,
         "no memory for a buffer of {:.1f} MB; choose a smaller --size or a smaller --history",
         static_cast<double>(count) * static_cast<double>(element_bytes) / 1e6);
  }
  return data;
}

void free_buffer(void* data) { std::free(data); }

}  // namespace limn
