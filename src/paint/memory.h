// Predicts the memory a painting takes, from its sizes alone.
#pragma once

#include <limn/limn.h>

#include <vector>
#include "canvas/sizes.h"

#include "network/weights.h"

namespace limn {

// Peak bytes of a process that evaluates the recipe's losses, within 10 %: the program, these
// weights, the passes, and the inputs and outputs of an evaluation. The network must have the
// layers that the recipe names. docs/how-it-works.md has the table.
double predict_evaluation_bytes(const Weights& weights, const Recipe& recipe,
                                const WorkingSizes& sizes, int threads);

// How many styles there are, and which parts of pictures masks and alpha distinguish.
struct Parts {
  int styles = 1;
  int regions = 0;                 // of the picture; 0: none distinguished
  bool transparent_photo = false;  // content counts only where the photo is visible
};
// What is known of the pictures, to find their Parts.
struct PartsFound {
  bool transparent_photo = false;
  struct Style {
    bool to = false;    // has a mask for where it goes in the picture
    bool from = false;  // some of its paintings are masked or transparent
  };
  std::vector<Style> styles;
};
Parts parts_of(const PartsFound& found);

// What pictures take on their way from files and to files, in bytes.
struct PictureFileBytes {
  double alone = 0;    // before painting or after it: the peak of reading all, or of writing
  double besides = 0;  // while painting: of pictures saved on the way, with their encoder
};

// While files are read or written, and nothing is painted: the program, these weights, and `bytes`.
double predict_file_bytes(const Weights& weights, double bytes);

// The same for `limn paint`: adds the libraries that read files, the best picture so far, and the
// optimiser's memory. The peak may also be that of files. core: of the tiles, at most
// (picture_tiles). ranks: as many processes paint together; of one of them.
double predict_painting_bytes(const Weights& weights, const Recipe& recipe,
                              const WorkingSizes& sizes, const Parts& parts, int threads,
                              const PictureFileBytes& files, const Size& core = {}, int ranks = 1);

}  // namespace limn
