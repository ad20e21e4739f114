#include "base/placement.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/buffer.h"

namespace limn {
namespace {

size_t end_of(const Region& region) {
  const size_t end = region.offset + region.bytes;
  return (end + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

bool live_together(const Region& a, const Region& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

size_t place(std::span<Region* const> regions) {
  std::vector<Region*> longest_first(regions.begin(), regions.end());
  std::ranges::stable_sort(longest_first, std::greater(), [](const Region* region) {
    return std::pair(region->last_step - region->first_step, region->bytes);
  });
  std::vector<const Region*> placed;  // by offset
  size_t total = 0;
  for (Region* region : longest_first) {
    region->offset = 0;
    if (region->bytes == 0) continue;
    for (const Region* other : placed) {
      if (!live_together(*region, *other)) continue;
      if (region->offset + region->bytes <= other->offset) break;
      region->offset = std::max(region->offset, end_of(*other));
    }
    placed.insert(std::ranges::upper_bound(placed, region->offset, {}, &Region::offset), region);
    total = std::max(total, end_of(*region));
  }
  return total;
}

}  // namespace limn
