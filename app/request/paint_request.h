// Everything that determines what `limn paint` does, after reading its flags. A checkpoint stores
// it, so that `limn resume` needs only that file; `limn replay` makes one from a picture.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <span>
#include <string>

#include "request/inputs.h"
#include "show/progress.h"

namespace limn {

struct PaintRequest {
  InputNames names;
  Recipe recipe;
  std::int64_t max_pixels = ReadOptions().max_pixels;
  Budget budget;                       // given by flags
  std::optional<std::string> weights;  // their file; none: the built-in network
  std::string output;
  WriteOptions write;
  bool network_given = false;  // --network itself requested the recipe's network
  bool metadata = true;        // store in the picture what it was painted from
  std::optional<std::string> report;
  std::optional<std::string> checkpoint;
  double checkpoint_every = 60;  // seconds
  ShowOptions show;
};

// Convert to text for a checkpoint's notes, and back: JSON, with paths independent of the current
// directory, without the recipe (stored separately), the checkpoint's own path and `show`. Throws
// Error (file), naming `source`, if the text is not a request.
std::string to_text(const PaintRequest& request);
PaintRequest parse_request(const std::string& text, const std::string& source);

// A picture as large as its photo is printed as large, unless a resolution was requested.
void keep_dpi(PaintRequest& request);

// The requested weights, down to the deepest layer read by any of the recipes. Recipes for the
// built-in network accept any (Recipe::network): they are changed to name the network they got.
// Throws Error (usage) if --network itself requested another one.
Model read_model(const std::optional<std::string>& weights, std::span<Recipe> recipes,
                 bool network_given = false);

}  // namespace limn
