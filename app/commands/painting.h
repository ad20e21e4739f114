// A painting from its request to its picture: what `limn paint` does once its flags are read, and
// `limn resume` and `limn replay` with requests of their own.
#pragma once

#include <limn/limn.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "request/command_files.h"
#include "request/paint_request.h"
#include "request/provenance.h"

namespace limn {

struct PaintingJob {
  PaintRequest request;
  // A checkpoint to go on from, rather than to begin.
  std::optional<std::string> resumed;
  // What the inputs must be, if that is known, and what was made from them: "'out.png'".
  std::vector<InputDigest> recorded;
  std::string made_from_them;
  // Changes the plan that follows from the request.
  std::function<void(Plan&)> adjust;
  std::string note;      // behind what is said first: ", seed 7"
  bool passing = false;  // the picture goes nowhere that a user knows: nothing is said of it
};

// Throws Error for whatever can be known to be wrong with where results go, before anything is
// read. `files` knows the inputs already.
void check_results(const PaintRequest& request, bool saves_on_the_way, CommandFiles& files);

// Throws Error where there is a checkpoint of this name whose painting is not done, or some other
// file: it would be lost.
void check_unfinished(const std::string& checkpoint);

// The request that a checkpoint is of, with its recipe; and its inputs. Throw Error (file).
PaintRequest request_of(const Checkpoint& checkpoint, const std::string& path);
std::vector<InputDigest> inputs_of(const Checkpoint& checkpoint, const std::string& path);

// Paints, shows progress, and writes picture, report and checkpoints. Returns the exit code; throws
// Error where no picture was written.
int carry_out(PaintingJob job);

// Prints what would be painted, and paints nothing.
void print_plan(PaintRequest request, bool json);

}  // namespace limn
