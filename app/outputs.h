// Where results are written: the flags that say how, and the checks before the work begins.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "arguments.h"

namespace limn {

// Adds --bits and --quality.
void add_write_flags(CLI::App& command, WriteOptions& write);

// Throws Error (usage), naming the flag, for values that these flags may not have.
void check_write_flags(const WriteOptions& write);

// Throws Error unless a report can be written there.
void check_report(const std::string& path);

// A file that a command writes.
struct Written {
  const char* flag;  // that names it
  std::string path;
  const char* role;  // in messages: "picture"
};

// Throws Error (usage) where one of the files would replace an input (a picture, or the weights'
// file) or one before it in the list: nothing that was given is lost, and no result replaces
// another.
void check_kept(const std::vector<Written>& written, const PaintingArguments& inputs,
                const std::string& weights);

}  // namespace limn
