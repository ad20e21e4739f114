// A painting from request to picture: what `limn paint` does after reading its flags, and `limn
// resume` and `limn replay` with their own requests.
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
  // A checkpoint to continue from.
  std::optional<std::string> resumed;
  // The inputs' expected digests, if known, and what was made from them: "'out.png'".
  std::vector<InputDigest> recorded;
  std::string made_from_them;
  // Changes the request's plan.
  std::function<void(Plan&)> adjust;
  std::string note;      // appended to the first message: ", seed 7"
  bool passing = false;  // the picture is temporary: the user is not told about it
};

// Throws Error for whatever is already known to be wrong with the outputs, before anything is read.
// `files` knows the inputs already.
void check_results(const PaintRequest& request, bool saves_on_the_way, CommandFiles& files);

// Throws Error if a checkpoint with this name is of an unfinished painting, or some other file has
// the name: it would be lost.
void check_unfinished(const std::string& checkpoint);

// The request stored in a checkpoint, with its recipe; and its inputs. Throw Error (file).
PaintRequest request_of(const Checkpoint& checkpoint, const std::string& path);
std::vector<InputDigest> inputs_of(const Checkpoint& checkpoint, const std::string& path);

// Paints, shows progress, and writes picture, report and checkpoints. Returns the exit code; throws
// Error if no picture was written.
int carry_out(PaintingJob job);

// How a plan is printed.
struct PlanFlags {
  bool json = false;
  bool untimed = false;  // without measuring how long an iteration takes here
};

// Prints what would be painted, and paints nothing.
void print_plan(PaintRequest request, const PlanFlags& flags);

}  // namespace limn
