// --progress, --quiet, --preview and --preview-every.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "request/command_files.h"
#include "show/progress.h"

namespace limn {

class ProgressFlags {
 public:
  void add_to(CLI::App& command);

  // Throws Error (usage): an unknown style, a contradiction, an invalid number of seconds.
  ShowOptions options() const;
  // Throws Error unless a preview, if there is to be one, can be written; adds it to the files.
  static void check(const ShowOptions& options, CommandFiles& files);

 private:
  std::string style_;
  bool quiet_ = false;
  std::optional<std::string> preview_;
  std::optional<double> every_;
};

}  // namespace limn
