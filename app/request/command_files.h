// The files that a command reads and writes. Before the work begins they are checked against each
// other, so that no input is overwritten and no result replaces another. Paths are compared by the
// file they mean (FileIdentity), not by spelling.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "request/saved_pictures.h"

namespace limn {

class CommandFiles {
 public:
  // `role` names the file in messages: "photo". Throws Error (usage) if another input reads the
  // same stream: each would find only what the other has left.
  void reads(const std::string& path, const std::string& role);
  // The same for a picture's name: - is standard input, anim.gif[3] a frame of anim.gif.
  void reads_picture(const std::string& name, const std::string& role);

  // `flag` names the file.
  void writes(const std::string& flag, const std::string& path, const std::string& role);
  void writes(const SavedPictures& pictures) { saved_ = pictures; }

  // Throws Error (usage) if an output is also an input, or an earlier output.
  void check() const;

 private:
  struct File {
    std::string path;
    std::string role;
    std::string flag;  // for outputs
    std::optional<FileIdentity> identity;
  };

  void read(File file);
  static void keep_apart(const File& written, std::span<const File> kept);
  void check_saved() const;

  std::vector<File> read_, written_;
  std::optional<SavedPictures> saved_;
};

}  // namespace limn
