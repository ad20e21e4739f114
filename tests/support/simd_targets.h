// The SIMD targets that the kernels were compiled for and this machine can run, and a way to select
// one. The only place in the tests that knows the SIMD library.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace limn {

struct SimdTarget {
  std::int64_t bit;
  bool amx;          // whether products may use tile registers, if the target has them
  std::string name;  // "AVX3", as in kernels::instruction_set()
};

// Best first. A target with AMX is listed twice, with and without.
std::vector<SimdTarget> simd_targets();

// All kernels run on one target during its lifetime; afterwards on the best again. One at a time.
class RunningOn {
 public:
  explicit RunningOn(const SimdTarget& target);
  ~RunningOn();
  RunningOn(const RunningOn&) = delete;
  RunningOn& operator=(const RunningOn&) = delete;
};

// Calls check() once on every target, until one fails.
template <typename Check>
void on_every_target(Check&& check) {
  for (const SimdTarget& target : simd_targets()) {
    const RunningOn running(target);
    SCOPED_TRACE("on " + target.name);
    check();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace limn
