// The files of a command: all that it reads and all that it may write. Before the work begins they
// are held against each other, so that nothing that was given is lost and no result replaces
// another. Paths are compared by the file that they mean (FileIdentity), not by how they are
// spelled.
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
  // `role` is what the file is in messages: "photo". Throws Error (usage) where another input is
  // read from the same stream: each finds only what the other has left.
  void reads(const std::string& path, const std::string& role);
  // The same by a picture's name: - is standard input, anim.gif[3] a frame of anim.gif.
  void reads_picture(const std::string& name, const std::string& role);

  // `flag` names the file.
  void writes(const std::string& flag, const std::string& path, const std::string& role);
  void writes(const SavedPictures& pictures) { saved_ = pictures; }

  // Throws Error (usage) where a file that is written is one that is read, or one that is written
  // before it.
  void check() const;

 private:
  struct File {
    std::string path;
    std::string role;
    std::string flag;  // of one that is written
    std::optional<FileIdentity> identity;
  };

  void read(File file);
  static void keep_apart(const File& written, std::span<const File> kept);
  void check_saved() const;

  std::vector<File> read_, written_;
  std::optional<SavedPictures> saved_;
};

}  // namespace limn
