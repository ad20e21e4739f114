// All that decides what `limn paint` does, once its flags are read. A checkpoint holds it, so that
// `limn resume` can go on from the file alone; `limn replay` makes one from a picture.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <span>
#include <string>

#include "request/inputs.h"

namespace limn {

struct PaintRequest {
  InputNames names;
  Recipe recipe;
  std::int64_t max_pixels = ReadOptions().max_pixels;
  std::optional<std::string> weights;  // their file; none: the built-in network
  std::string output;
  WriteOptions write;
  bool network_given = false;  // --network itself asked for the recipe's network
  bool metadata = true;        // the picture carries what it was painted from
  std::optional<std::string> report;
  std::optional<std::string> checkpoint;
  double checkpoint_every = 60;  // seconds
  bool quiet = false;
};

// As text for a checkpoint's notes and back: JSON, with paths that do not depend on the current
// directory. The recipe, which the checkpoint has by itself, the checkpoint's own place and `quiet`
// are left out. Throws Error (file), naming `source`, for text that is no such request.
std::string to_text(const PaintRequest& request);
PaintRequest parse_request(const std::string& text, const std::string& source);

// The weights that were asked for, as far down as one of the recipes reads. Recipes for the
// built-in network are not particular (Recipe::network): from here on they name the network that
// they got. Throws Error (usage) where --network itself asked for another one.
Model read_model(const std::optional<std::string>& weights, std::span<Recipe> recipes,
                 bool network_given = false);

}  // namespace limn
