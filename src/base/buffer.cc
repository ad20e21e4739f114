#include "base/buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace limn {
namespace {

// From this size on, memory is mapped from the system directly rather than taken from malloc.
constexpr size_t kLarge = size_t{4} << 20;
// A huge page on x86 and on most ARM systems.
constexpr size_t kHugePage = size_t{2} << 20;
// A multiple of every usual page size (4, 16 and 64 KB).
constexpr size_t kPage = size_t{64} << 10;

size_t rounded_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Fresh pages are zero, so nothing is written here: each page is committed on first use, by the
// thread that touches it. Huge pages cut page faults, and TLB misses where many rows are read side
// by side. The size is not rounded up to a huge page: touching its first byte would commit all of
// it.
void* map_large(size_t bytes) {
  const size_t size = rounded_up(bytes, kPage);
  // Map one huge page extra to find an aligned start, then unmap the excess.
  void* mapped =
      mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const auto address = reinterpret_cast<std::uintptr_t>(mapped);
  const size_t before = rounded_up(address, kHugePage) - address;
  char* start = static_cast<char*>(mapped) + before;
  if (before > 0) munmap(mapped, before);
  if (before < kHugePage) munmap(start + size, kHugePage - before);
#ifdef MADV_HUGEPAGE
  madvise(start, size, MADV_HUGEPAGE);  // only a hint: if refused, pages stay small
#endif
  return start;
}

}  // namespace

void* allocate_zeroed(size_t count, size_t element_bytes) {
  if (count == 0) return nullptr;
  const size_t largest = std::numeric_limits<size_t>::max() / 2;
  void* data = nullptr;
  if (count <= largest / element_bytes) {
    const size_t bytes = count * element_bytes;
    if (bytes >= kLarge) {
      data = map_large(bytes);
    } else {
      // aligned_alloc requires a multiple of the alignment.
      const size_t whole = rounded_up(bytes, kBufferAlignment);
      data = std::aligned_alloc(kBufferAlignment, whole);
      if (data != nullptr) std::memset(data, 0, whole);
    }
  }
  if (data == nullptr) {
    fail(ErrorKind::resources,
         "no memory for a buffer of {:.1f} MB; choose a smaller --size or a smaller --history",
         static_cast<double>(count) * static_cast<double>(element_bytes) / 1e6);
  }
  return data;
}

void free_buffer(void* data, size_t bytes) {
  if (bytes >= kLarge) {
    munmap(data, rounded_up(bytes, kPage));
  } else {
    std::free(data);
  }
}

}  // namespace limn
