// --memory and --tile.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <string>

#include "ranks/launched.h"

namespace limn {

class MemoryFlags {
 public:
  void add_to(CLI::App& command);

  // What was asked for; without --memory, no limit. Throws Error (usage) if not valid.
  Budget given() const;

 private:
  std::string memory_;
  int tile_ = 0;
};

// The same for the processes that paint together; null: one. Where no limit was given, it is that
// of this machine, divided among those that are on it.
Budget within_machine(Budget budget, const LaunchedRanks* ranks = nullptr);

// "half-precision features, tiles of up to 512 x 512 pixels": what a level does to need less
// memory;
// "" if nothing.
std::string chosen_text(const Size& tile, const Saving& saving);
// That of the largest of a plan's sizes that does anything.
std::string chosen_text(const Plan& plan);

}  // namespace limn
