// The flags of limn batch, and what they ask for.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "batch/item.h"
#include "batch/shard.h"
#include "batch/task.h"
#include "commands/painting.h"
#include "request/arguments.h"
#include "request/memory_flags.h"
#include "request/progress_flags.h"

namespace limn {

struct BatchFlags {
  PaintingArguments arguments;
  std::vector<std::string> photos, paintings;
  bool pairs = false;
  std::optional<std::string> list;
  std::string output;  // a folder
  std::optional<std::string> sheet, html, report;
  std::string shard;
  bool again = false;
  WriteOptions write;
  MemoryFlags memory;
  ProgressFlags progress;
  bool dry_run = false;
  PlanFlags plan;

  void add_to(CLI::App& command);

  // Throws Error for flags that contradict each other, and for a folder that results must not go
  // to.
  void check() const;
  // All of the batch's. Throws Error.
  std::vector<BatchTask> tasks() const;
  // Of these tasks, whose names are known: each with its recipe. Throws Error.
  std::vector<BatchItem> items(std::span<const BatchTask> tasks) const;
  // Throws Error if a file that would be written is read too, or written twice, or cannot be.
  void check_files(std::span<const BatchItem> items, const Shard& shard) const;

 private:
  void add_inputs_to(CLI::App& command);
  void add_outputs_to(CLI::App& command);
  void check_folder() const;
  Recipe recipe_of(const BatchTask& task) const;
  PaintRequest request_of(const BatchTask& task, const Recipe& recipe) const;
  void check_one_network(std::span<const BatchItem> items) const;
};

}  // namespace limn
