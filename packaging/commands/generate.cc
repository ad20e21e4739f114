// Writes limn's man pages and its completions for shells, from the help of its commands:
//
//   describe_commands FOLDER DATE
//
// FOLDER then has man1/*.1, dated DATE, limn.bash, _limn and limn.fish.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "commands/commands.h"
#include "writers.h"

namespace {

using namespace limn;
namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

void describe(const fs::path& folder, const std::string& date) {
  CLI::App app;
  int exit_code = 0;
  add_commands(app, exit_code);
  const Command limn = read_command(app);

  const fs::path pages = folder / "man1";
  fs::remove_all(pages);  // with those of commands that are no more
  fs::create_directories(pages);
  write(pages / "limn.1", man_page(limn, limn, date));
  for (const Command& command : limn.commands) {
    write(pages / (page_name(command) + ".1"), man_page(command, limn, date));
  }
  write(folder / "limn.bash", bash_completion(limn));
  write(folder / "_limn", zsh_completion(limn));
  write(folder / "limn.fish", fish_completion(limn));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: describe_commands FOLDER DATE\n");
    return 2;
  }
  try {
    describe(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "describe_commands: %s\n", error.what());
    return 1;
  }
}
