// One picture made from another: in another format, or shrunk for a page. By a process in a
// sandbox, into a scratch folder, and from there under its name, whole or not at all.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "serve/target.h"

namespace limn {

struct Conversion {
  std::string format;  // "png", "jpg", "webp", "tif"; "": JPEG, or PNG if it is transparent
  int bits = 0;        // 8, 16; 0: as stored
  int quality = 95;
  int side = 0;  // the longest, in pixels: a larger picture is shrunk; 0: its own

  bool operator==(const Conversion&) const = default;
};

// What ?format=jpeg&bits=8&quality=90&width=320 asks for. Throws Problem (400): not one of these,
// or bits that the format does not have.
Conversion parse_conversion(const Query& query);
// The longest side that ?width= asks for; 0: it does not. Throws Problem (400).
int parse_width(const Query& query);
const char* media_type_of(const std::string& format);

// Reads one picture and writes another, which is not there yet, unless it is stopped. Throws
// Problem: 422, this picture does not go into that format; 503, it was stopped or killed.
using Converter =
    std::function<void(const std::string& from, const std::string& to, const Conversion& conversion,
                       const std::atomic<bool>& stopped)>;
// In a process of its own, in a sandbox: what a painter wrote, hostile bytes may have made it
// write.
Converter converting_process();
// What runs in that process.
void convert_picture(const std::string& from, const std::string& to, const Conversion& conversion);

// An empty folder inside another, with all that is in it at its end.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& folder);  // throws Error (resources)
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }
  // Gives a file in it this name elsewhere, unless whoever made it made something else: a link to
  // what is no picture. Throws Problem (503), Error (resources).
  void give(const std::string& name, const std::string& path) const;

 private:
  std::string path_;
};
// No conversion takes so long, in seconds: scratch folders that are older are nobody's.
inline constexpr double kOldScratch = 600;
inline constexpr const char* kScratchPrefix = "conversion-";

}  // namespace limn
