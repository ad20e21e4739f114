// A painting's state as a file, and back: .safetensors, self-contained except for the pictures and
// weights, of which it stores digests. (The struct and its reader are in limn.h.)
#pragma once

#include <limn/limn.h>

#include <memory>
#include <string>

#include "base/state.h"
#include "paint/painter.h"

namespace limn {

// Verifies a checkpoint's inputs: SHA-256 of the pictures as given to a painting, and of a model's
// weights.
struct Digests {
  std::string pictures, weights;
};
std::string digest_of(const Pictures& pictures);
std::string digest_of(const Model& model);  // tenths of a second for VGG-19

// Saves the painter's state, atomically (write, then rename). Throws Error (file). If ranks paint
// together, rank 0 does this while the others call send_checkpoint: what each keeps of the
// optimiser's history goes through rank 0 into the file, a few megabytes at a time, and the file is
// that of a single process. The others notice nothing of an error.
void write_checkpoint(Painter& painter, const Digests& digests, const Notes& notes,
                      const std::string& path);
void send_checkpoint(Painter& painter);

// The state in a checkpoint, for restoring a painter: each rank reads its share of the history.
// Throws Error (file): not a checkpoint, or one of other pictures or weights than in digests.
std::unique_ptr<State> saved_state(const std::string& path, const Digests& digests);

}  // namespace limn
