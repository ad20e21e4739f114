// Where results are written: the flags that say how, and the checks before the work begins.
#pragma once

#include <limn/limn.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "inputs.h"

namespace limn {

// Adds --bits and --quality.
void add_write_flags(CLI::App& command, WriteOptions& write);

// Throws Error (usage), naming the flag, for values that these flags may not have.
void check_write_flags(const WriteOptions& write);

// Throws Error unless a report can be written there.
void check_report(const std::string& path);

// The name that a painting gets in the current directory when none is given, made from those of its
// pictures: landscape.jpg and oil.jpg make landscape-oil.png, or landscape-oil-2.png, -3, ... where
// that is there already; with ink.jpg besides, landscape-oil-ink.png. Nothing is ever replaced, and
// no other run of limn gets the same name: an empty file takes the place at once, and goes away
// again unless it has been painted over.
class FreshName {
 public:
  // Throws Error (file) where no file can be made.
  explicit FreshName(const InputNames& inputs);
  ~FreshName();
  FreshName(const FreshName&) = delete;
  FreshName& operator=(const FreshName&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A file that a command writes.
struct Written {
  const char* flag;  // that names it
  std::string path;
  const char* role;  // in messages: "picture"
};

// Throws Error (usage) where one of the files would replace an input (a picture, a mask, or the
// weights' file) or one before it in the list: nothing that was given is lost, and no result
// replaces another.
void check_kept(const std::vector<Written>& written, const InputNames& inputs,
                const std::optional<std::string>& weights);

}  // namespace limn
