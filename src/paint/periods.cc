#include "paint/periods.h"

#include <vector>

namespace limn {
namespace {

// The shifts at which features of what has this period are compared, all in pixels: with half the
// period too, what lies between stays in its place. Without a period: `others`.
std::vector<int> shifts_along(int period, const std::vector<int>& others) {
  if (period == 0) return others;
  std::vector<int> shifts;
  for (const int shift : {period / 2, period}) {
    if (shift > 0 && shift <= 1000) shifts.push_back(shift);
  }
  return shifts;
}

}  // namespace

bool may_follow_periods(const Recipe& recipe) {
  return !recipe.style.shifts.empty() && recipe.style.shift_unit == ShiftUnit::pixels;
}

void follow_periods(Recipe& recipe, const Periods& periods) {
  if (periods.across == 0 && periods.down == 0) return;
  auto& style = recipe.style;
  style.shifts_across = shifts_along(periods.across, style.shifts);
  style.shifts_down = shifts_along(periods.down, style.shifts);
  style.shifts.clear();
}

}  // namespace limn
