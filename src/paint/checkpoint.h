// A painting's state as a file, and back: .safetensors, self-contained but for the pictures and the
// weights, whose digests it holds. (The struct and its reader are in limn.h.)
#pragma once

#include <limn/limn.h>

#include <memory>
#include <string>

#include "base/state.h"
#include "paint/painter.h"

namespace limn {

// What a checkpoint is checked against: SHA-256 of pictures as they are given to a painting, and of
// a model's weights.
struct Digests {
  std::string pictures, weights;
};
std::string digest_of(const Pictures& pictures);
std::string digest_of(const Model& model);  // VGG-19's take tenths of a second

// Writes the painter's state, beside and renamed. Throws Error (file).
void write_checkpoint(Painter& painter, const Digests& digests, const Notes& notes,
                      const std::string& path);

// The state in a checkpoint, to restore a painter by. Throws Error (file): no checkpoint; one of
// other pictures or weights than these digests say.
std::unique_ptr<State> saved_state(const std::string& path, const Digests& digests);

}  // namespace limn
