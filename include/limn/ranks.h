// Processes that paint one picture together, on one machine or on many: each a share of its tiles,
// with a share of the optimiser's history.
// docs/large-pictures.md says how to start them.
//
// limn's command implements this with MPI. Whoever links the library may do so with what a cluster
// has: two functions are enough. See Run in limn.h.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace limn {

// A group of processes. All of them call the same functions in the same order; each call returns
// once its result is there. Failures are thrown as Error (resources).
class LIMN_API Ranks {
 public:
  virtual ~Ranks() = default;

  virtual int rank() const = 0;   // this process's number, from 0
  virtual int count() const = 0;  // of processes, at least 1

  // bytes "=" those of rank number `from`. All ranks give as many.
  virtual void broadcast(std::span<std::byte> bytes, int from) = 0;
  // words "=" the bitwise "or" of all ranks' words. All ranks give as many.
  virtual void merge(std::span<std::uint32_t> words) = 0;
};

}  // namespace limn
