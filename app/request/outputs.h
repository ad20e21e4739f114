// Where results are written: the flags that say how, and the checks before the work begins.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <string>

namespace limn {

// Adds --bits, --quality and --format.
void add_write_flags(CLI::App& command, WriteOptions& write);

// Throws Error (usage), naming the flag, for values that these flags may not have.
void check_write_flags(const WriteOptions& write);

// Throws Error unless a report can be written there.
void check_report(const std::string& path);

// Whether --output names a folder, in which a picture gets a name of its own. Throws Error (file)
// for one that does not exist, "results/".
bool is_output_folder(const std::string& output);

// Throws Error unless a picture can be written there, as check_writable (image/write.h) does; and
// where the name has no ending, it says what to do if a folder was meant.
void check_output(const std::string& output, const WriteOptions& write, int longest_side = 0);

// Whether a picture goes to standard output.
bool is_standard_output(const std::string& output);
// What messages call it.
std::string output_name(const std::string& output);

// The name that a picture gets when none is given: of the base "landscape-oil" and no format it is
// landscape-oil.png, or landscape-oil-2.png, -3, ... where that is there already. Nothing is ever
// replaced, and no other run of limn gets the same name: an empty file takes the place at once, and
// goes away again unless it has been painted over.
class FreshName {
 public:
  // In the current directory, or in `folder`. Throws Error (file) where no file can be made.
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
