// --memory and --tile.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <string>

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

// The same, with the limit of this machine where none was given, divided among as many processes.
Budget within_machine(Budget budget, int processes = 1);

// "half-precision features, tiles of up to 512 x 512 pixels": what a level does to need less
// memory;
// "" if nothing.
std::string chosen_text(const Size& tile, const Saving& saving);
// That of the largest of a plan's sizes that does anything.
std::string chosen_text(const Plan& plan);

}  // namespace limn
