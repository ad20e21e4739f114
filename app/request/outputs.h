// Flags for writing results, and the checks before the work begins.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <string>

namespace limn {

// Adds --bits, --quality and --format.
void add_write_flags(CLI::App& command, WriteOptions& write);

// Throws Error (usage), naming the flag, for invalid values.
void check_write_flags(const WriteOptions& write);

// Throws Error unless a report can be written there.
void check_report(const std::string& path);

// Whether --output names a folder, in which a picture gets a name of its own. Throws Error (file)
// for one that does not exist, "results/".
bool is_output_folder(const std::string& output);

// Throws Error unless a picture can be written there, like check_writable (image/write.h). If the
// name has no ending, the message also says what to do if a folder was meant.
void check_output(const std::string& output, const WriteOptions& write, int longest_side = 0);

// Whether the picture goes to standard output.
bool is_standard_output(const std::string& output);
// Its name in messages.
std::string output_name(const std::string& output);

// The name of a picture when none is given: for the base "landscape-oil" and no format that is
// landscape-oil.png, or -2.png, -3, ... if it exists. Nothing is ever replaced, and no other limn
// gets the same name: an empty file reserves it at once, and is removed again unless painted over.
class FreshName {
 public:
  // In the current directory, or in `folder`. Throws Error (file) if no file can be created.
  explicit FreshName(const std::string& base, const std::string& folder = "",
                     const std::string& format = "");
  ~FreshName();
  FreshName(const FreshName&) = delete;
  FreshName& operator=(const FreshName&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace limn
