// A job's picture in the format that a client asks for: as it is stored, or converted once and kept
// beside it.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>

#include "jobs/files.h"
#include "jobs/job.h"
#include "serve/conversion.h"

namespace limn {

class Results {
 public:
  Results(Files& files, Converter converter) : files_(files), converter_(std::move(converter)) {}

  // The file with the job's picture so converted, or nothing where it would have to be made first.
  // Throws Problem (404): the job has no picture.
  std::optional<std::string> find(const Job& job, const Conversion& conversion) const;
  // The same; makes it, one conversion at a time. Throws what a converter throws, too.
  std::string make(const Job& job, const Conversion& conversion);
  // From any thread: ends the conversion in progress, and those that wait for it, with 503.
  void stop() { stopped_ = true; }

 private:
  struct Place;
  Place place_of(const Job& job, Conversion conversion) const;

  Files& files_;
  Converter converter_;
  std::mutex one_at_a_time_;
  std::atomic<bool> stopped_ = false;
};

// The entity tag of a file as it is now, with quotes; "" if it is not there, or is a link.
std::string tag_of_file(const std::string& path);
std::string tag_of(const struct stat& about);

}  // namespace limn
