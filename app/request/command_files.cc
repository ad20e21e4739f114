#include "request/command_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "base/byte_source.h"
#include "base/error.h"
#include "image/read.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

bool is_standard_input(const std::string& name) {
  constexpr std::array<std::string_view, 4> kNames = {kStandardInput, "/dev/stdin", "/dev/fd/0",
                                                      "/proc/self/fd/0"};
  return std::ranges::find(kNames, name) != kNames.end();
}

}  // namespace

void CommandFiles::read(File file) {
  const bool standard = is_standard_input(file.path);
  for (const File& other : read_) {
    if (!file.identity || other.identity != file.identity) continue;
    if (!file.identity->stream && !(standard && is_standard_input(other.path))) continue;
    fail(ErrorKind::usage,
         "the {} '{}' and the {} '{}' are the same stream, which can only be read once; save it as "
         "a file first",
         other.role, other.path, file.role, file.path);
  }
  read_.push_back(std::move(file));
}

void CommandFiles::reads(const std::string& path, const std::string& role) {
  read({path, role, "", identity_of(path)});
}

void CommandFiles::reads_picture(const std::string& name, const std::string& role) {
  if (name == kStandardInput) return read({name, role, "", identity_of_standard_input()});
  reads(picture_name(name).path, role);
}

void CommandFiles::writes(const std::string& flag, const std::string& path,
                          const std::string& role) {
  written_.push_back({path, role, flag, identity_of(path)});
}

void CommandFiles::check() const {
  for (size_t i = 0; i < written_.size(); ++i) {
    keep_apart(written_[i], read_);
    keep_apart(written_[i], std::span(written_).first(i));
  }
  if (saved_) check_saved();
}

void CommandFiles::keep_apart(const File& written, std::span<const File> kept) {
  for (const File& file : kept) {
    if (!written.identity || written.identity != file.identity) continue;
    fail(ErrorKind::usage, "{}: '{}' would replace the {}; choose another name", written.flag,
         written.path, file.role);
  }
}

// The names of intermediate pictures are known only as a pattern, because they may contain the
// time. So the pattern is compared with every name in their folder, whatever it links to, and with
// the names of the command's other files, which may not exist yet or may lie in a folder that
// cannot be listed.
void CommandFiles::check_saved() const {
  const fs::path folder = saved_->folder();
  const auto check_name = [&](const std::string& name) {
    if (!saved_->may_be_called(name)) return;
    const std::string path = (folder / name).string();
    const File picture = {path, "", "--save-every", identity_of(path)};
    keep_apart(picture, read_);
    keep_apart(picture, written_);
  };
  std::error_code unreadable;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, unreadable), end;
       !unreadable && entry != end; entry.increment(unreadable)) {
    check_name(entry->path().filename().string());
  }
  for (const std::vector<File>* files : {&read_, &written_}) {
    for (const File& file : *files) {
      check_name(fs::path(file.path).filename().string());
      if (file.identity) check_name(file.identity->name);
    }
  }
}

}  // namespace limn
