// Uploads as a browser shows them, whatever they are: shrunk, upright, in sRGB, as JPEG, or PNG if
// they are transparent. Each is made once and kept, in a folder of its own,
//
//   FOLDER/pictures/ID-320      the upload ID, its longest side at most 320 pixels
//
// from which Files::sweep removes those whose upload is gone.
#pragma once

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "jobs/files.h"
#include "serve/conversion.h"
#include "serve/upload_about.h"

namespace limn {

class UploadPictures {
 public:
  UploadPictures(Files& files, Converter converter, Describer describer)
      : files_(files), converter_(std::move(converter)), describer_(std::move(describer)) {}

  // The file with this upload's picture, or nothing where it would have to be made first.
  std::optional<std::string> find(const std::string& id, int side) const;
  // The same; makes it, one at a time. Throws what a converter throws, and Error.
  std::string make(const std::string& id, int side);
  // The same for what describe_picture says of it; kept in memory, of the last uploads.
  std::optional<std::string> find_about(const std::string& id) const;
  std::string make_about(const std::string& id);
  // From any thread: ends what is being made, and what waits for it, with 503.
  void stop() { stopped_ = true; }

 private:
  std::string path_of(const std::string& id, int side) const;

  Files& files_;
  Converter converter_;
  Describer describer_;
  std::mutex one_at_a_time_;
  mutable std::mutex mutex_;                                // for the next
  std::deque<std::pair<std::string, std::string>> abouts_;  // by id, the last made first
  std::atomic<bool> stopped_ = false;
};

}  // namespace limn
