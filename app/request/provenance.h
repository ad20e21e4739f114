// Where a picture comes from, as notes that it carries: enough to paint it again, and to say
// whether what it is painted from is still the same. Names of files are told without their folders.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "request/paint_request.h"

namespace limn {

// A file that a picture was made from.
struct InputDigest {
  std::string role;    // "photo", "painting", "mask", "initial picture", "weights"
  std::string name;    // without its folder
  std::string sha256;  // of the file; empty: it came through a pipe
  bool operator==(const InputDigest&) const = default;
};

// Whether a picture of this name comes through a pipe.
bool is_stream(const std::string& name);

// Of all files of a request, in a fixed order; `paintings` are those that were read, a folder's
// among them. Throws Error (file).
std::vector<InputDigest> digests_of(const PaintRequest& request,
                                    std::span<const std::string> paintings);

// As JSON text and back. Throws Error (file), naming `source`.
std::string to_text(const std::vector<InputDigest>& inputs);
std::vector<InputDigest> parse_inputs(const std::string& text, const std::string& source);

// Throws Error (file), naming the first input that is not what it was; `subject` is what was made
// from them: "the picture 'out.png'".
void check_same(const std::vector<InputDigest>& recorded, const std::vector<InputDigest>& given,
                const std::string& subject);

// How far a painting has come at each of its sizes, coarse to fine: what it takes to stop at the
// same iteration again.
struct LevelReached {
  Size size;
  int iterations = 0;  // -1: not reached
};

struct Origin {
  std::string version, instruction_set;
  Recipe recipe;
  std::vector<InputDigest> inputs;
  std::vector<LevelReached> levels;
  int bits = 8, quality = 95;
};

// Those of a picture that is made by `request` and has come so far. What makes no difference to it
// (threads, names of pictures on the way) is left out. on_the_way: it is the picture of the last
// iteration, whatever the recipe keeps.
Notes provenance_notes(const PaintRequest& request, const std::vector<InputDigest>& inputs,
                       const std::vector<LevelReached>& levels, bool on_the_way);

// What a picture's notes say; none where they say nothing of limn. Throws Error (file), naming the
// picture, where they are damaged.
std::optional<Origin> origin_of(const Notes& notes, const std::string& picture);
// Those of the file; throws Error (file) where it says nothing.
Origin read_origin(const std::string& picture);

// How far a run has come.
std::vector<LevelReached> levels_reached(const Run& run);

// The plan that stops there again. Throws Error (file), naming the picture, where it has other
// sizes.
void stop_at(Plan& plan, const std::vector<LevelReached>& levels, const std::string& picture);

}  // namespace limn
