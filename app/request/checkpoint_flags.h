// --checkpoint and --checkpoint-every.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

namespace limn {

class CheckpointFlags {
 public:
  void add_to(CLI::App& command);

  const std::optional<std::string>& path() const { return path_; }
  // Seconds. Throws Error (usage) if not a valid number.
  double every() const;

 private:
  std::optional<std::string> path_;
  double every_ = 60;
};

// Only --checkpoint-every.
void add_checkpoint_every(CLI::App& command, double& seconds);
void check_checkpoint_every(double seconds);

}  // namespace limn
