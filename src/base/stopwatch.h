// Elapsed time.
#pragma once

#include <chrono>

namespace limn {

// Seconds since construction.
class Stopwatch {
 public:
  double operator()() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace limn
