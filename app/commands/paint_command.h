// The commands that paint one picture: paint, texture, inpaint and season. They differ in what
// their pictures are, in the recipe they begin with, and in their help.
#pragma once

#include <CLI/CLI.hpp>

#include "request/arguments.h"

namespace limn {

struct CommandText {
  const char* name;
  const char* description;
  const char* examples;
};

// Adds one to the parser; running it sets `exit_code`.
void add_painting_command(CLI::App& app, int& exit_code, PaintingArguments::Task task,
                          const CommandText& text);

}  // namespace limn
