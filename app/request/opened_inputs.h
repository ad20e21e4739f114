// The pictures of a command, on their way from files to memory. Each is opened once and its header
// looked at; then it is known at which sizes they are worked on, and they are decoded one after the
// other, none larger than it need be.
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

namespace limn {

// Pictures in memory, what they are to become, and what is known about their files.
struct Inputs {
  Pictures pictures;
  std::vector<Plan> plans;                  // one for each recipe
  PictureSizes own;                         // of the files
  std::vector<std::string> painting_files;  // in the order of WorkingSizes::paintings
  std::vector<std::string> notes;           // sentences on what a user might not expect of a file
};

class OpenedInputs {
 public:
  // Finds everything and reads headers; `recipes` may name a first picture. What is no picture in a
  // folder is left out with a warning. Throws Error: usage (more masks than paintings, a mask for a
  // folder of several pictures), file (one that cannot be read, a folder without a picture),
  // resources (more than options.max_pixels).
  OpenedInputs(const InputNames& names, std::span<const Recipe> recipes,
               const ReadOptions& options);

  // What each of the recipes will paint. Leaves out, with a warning, the paintings of a folder that
  // are too small for one of the recipes' style layers. Throws Error (usage) for a picture that is
  // too small by itself, and for a recipe that contradicts itself or the model.
  std::vector<Plan> plan(const Model& model, std::span<const Recipe> recipes);

  // What the result's size will be. Throws Error (usage).
  Size result(const Recipe& recipe) const { return working_sizes(sizes(), recipe).picture; }

  // Decodes all of them, as large as the largest of these plans needs. Throws Error like the
  // constructor, and for a picture of which nothing can be seen.
  Inputs read(std::vector<Plan> plans) &&;

 private:
  struct File {
    std::string name;
    std::optional<OpenedPicture> opened;  // files in folders are closed again: there may be many
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

  PictureSizes sizes() const;
  void check_sizes(const Model& model, const Recipe& recipe);
  Parts parts() const;
  double reading_bytes(const WorkingSizes& most) const;
  File open(const std::string& name) const;
  OpenedStyle open_folder(const std::string& folder) const;
  OpenedStyle open_style(const std::string& name) const;
  std::optional<File> open_mask(const std::vector<std::string>& masks, size_t index) const;
  void open_initial(std::span<const Recipe> recipes);
  void leave_out(size_t style, size_t painting, const std::string& why);

  ReadOptions options_;
  File photo_;
  std::vector<OpenedStyle> styles_;
  std::optional<File> keep_;
  std::optional<File> initial_;  // that all recipes begin with
};

// Throws Error (file) where nothing of a picture can be seen.
void check_visible(const Image& image, const std::string& file);

// The sentence that says that alpha is used, of these files; "" for none.
std::string note_on_transparency(const std::vector<std::string>& files);

}  // namespace limn
