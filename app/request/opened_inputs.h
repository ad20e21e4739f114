// A command's pictures, on their way from files to memory. Each is opened once and its header read;
// that determines the working sizes. Then they are decoded in turn, none larger than necessary.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "canvas/sizes.h"
#include "image/read.h"
#include "paint/memory.h"
#include "request/inputs.h"
#include "request/kept_pictures.h"

namespace limn {

// Pictures in memory, their plans, and what is known about their files.
struct Inputs {
  Pictures pictures;
  std::vector<Plan> plans;                  // one per recipe
  PictureSizes own;                         // original sizes, as in the files
  std::vector<std::string> painting_files;  // in the order of WorkingSizes::paintings
  std::vector<std::string> notes;           // sentences about anything unexpected in a file
};

// A result's file, for the memory that writing it takes.
struct ResultFile {
  std::string path;
  WriteOptions write;
  bool saved_on_the_way = false;  // while it is painted too
  bool previewed = false;         // in another file, smaller

  PictureFileBytes bytes(const Size& picture, bool has_alpha) const;
};

class OpenedInputs {
 public:
  // Finds all pictures and reads their headers; `recipes` may name a first picture. With `kept`,
  // which must outlive this, what it has is not read again, and what is read is kept there. Files
  // in a
  // folder that are not pictures are skipped with a warning. Throws Error: usage (more masks than
  // paintings, a mask for a folder of several pictures), file (unreadable, a folder without a
  // picture), resources (more than options.max_pixels).
  OpenedInputs(const InputNames& names, std::span<const Recipe> recipes, const ReadOptions& options,
               KeptPictures* kept = nullptr);

  // The plans of these recipes, whose results become this file, if any. Skips, with a warning,
  // paintings in a folder that are too small for one of the recipes' style layers. Throws Error
  // (usage) for any other picture that is too small, and for a recipe that contradicts itself or
  // the model; Error (resources) for a budget that is too small: for painting, or for reading a
  // file.
  std::vector<Plan> plan(const Model& model, std::span<const Recipe> recipes,
                         const Budget& budget = {}, const std::optional<ResultFile>& result = {});

  // Original sizes, as in the files.
  PictureSizes sizes() const;
  // The files of all styles' paintings, in order.
  std::vector<std::string> painting_files() const;
  // The size of the result. Throws Error (usage).
  Size result(const Recipe& recipe) const { return working_sizes(sizes(), recipe).picture; }

  // Decodes all pictures, each at the largest size needed by these plans. Throws Error like the
  // constructor, and for a fully transparent picture.
  Inputs read(std::vector<Plan> plans) &&;

 private:
  struct File {
    std::string name;
    std::optional<OpenedPicture> opened;  // not for files in folders, which may be many, nor kept
    PictureHeader header;
    Size own() const { return {header.height, header.width}; }
  };
  struct OpenedStyle {
    std::string name;
    bool folder = false;
    std::vector<File> paintings;
    std::optional<File> from, to;
  };
  class Reading;

  void check_sizes(const Model& model, const Recipe& recipe);
  Parts parts() const;
  // The peak of reading all files, and the one that is read then.
  struct ReadingPeak {
    double bytes = 0;
    std::string name;
  };
  ReadingPeak reading_peak(const WorkingSizes& most) const;
  File open(const std::string& name) const;
  File open_photo(const InputNames& names) const;
  OpenedStyle open_folder(const std::string& folder) const;
  OpenedStyle open_style(const std::string& name) const;
  std::optional<File> open_mask(const std::vector<std::string>& masks, size_t index) const;
  void open_initial(std::span<const Recipe> recipes);
  void leave_out(size_t style, size_t painting, const std::string& why);

  ReadOptions options_;
  KeptPictures* kept_ = nullptr;  // or null
  File photo_;
  std::vector<OpenedStyle> styles_;
  bool blank_ = false;  // there is no photo: the picture is painted from nothing
  std::optional<File> keep_, hole_;
  bool from_itself_ = false;     // what is painted in the hole is taken from around it
  std::optional<File> initial_;  // the one that all recipes start from
};

// Throws Error (file) if a picture is fully transparent.
void check_visible(const Image& image, const std::string& file);

// A sentence saying that these files' alpha is used; "" if there are none.
std::string note_on_transparency(const std::vector<std::string>& files);

}  // namespace limn
