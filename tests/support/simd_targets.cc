#include "support/simd_targets.h"

#include <hwy/highway.h>

#include "kernels/amx.h"
#include "kernels/kernels.h"

namespace limn {

std::vector<SimdTarget> simd_targets() {
  std::vector<SimdTarget> targets;
  for (const std::int64_t bit : hwy::SupportedAndGeneratedTargets()) {
    const SimdTarget with_amx = {bit, true, "AMX"};
    const RunningOn running(with_amx);
    if (kernels::instruction_set() == with_amx.name) targets.push_back(with_amx);
    targets.push_back({bit, false, hwy::TargetName(bit)});
  }
  return targets;
}

RunningOn::RunningOn(const SimdTarget& target) {
  kernels::permit_amx(target.amx);
  hwy::SetSupportedTargetsForTest(target.bit);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

RunningOn::~RunningOn() {
  kernels::permit_amx(true);
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace limn
