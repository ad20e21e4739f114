// A picture's origin, stored in it as notes: enough to paint it again, and to check whether its
// inputs are unchanged. File names are stored without their folders.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "request/file_digests.h"
#include "request/paint_request.h"

namespace limn {

// A file that a picture was made from.
struct InputDigest {
  std::string role;    // "photo", "painting", "mask", "hole", "initial picture", "weights"
  std::string name;    // without its folder
  std::string sha256;  // of the file; empty: read from a pipe
  bool operator==(const InputDigest&) const = default;
};

// Whether a picture with this name is read from a pipe.
bool is_stream(const std::string& name);

// The digests of all files of a request, in a fixed order; `paintings` are those that were read,
// including those in folders. `known` keeps them for other requests. Throws Error (file).
std::vector<InputDigest> digests_of(const PaintRequest& request,
                                    std::span<const std::string> paintings);
std::vector<InputDigest> digests_of(const PaintRequest& request,
                                    std::span<const std::string> paintings, FileDigests& known);

// Convert to JSON text and back. Throws Error (file), naming `source`.
std::string to_text(const std::vector<InputDigest>& inputs);
std::vector<InputDigest> parse_inputs(const std::string& text, const std::string& source);

// Throws Error (file), naming the first input that has changed; `subject` is what was made from
// them: "the picture 'out.png'".
void check_same(const std::vector<InputDigest>& recorded, const std::vector<InputDigest>& given,
                const std::string& subject);

// The iterations done at each size, coarse to fine, its tiles and what it saves: what is needed to
// stop at the same iteration again, and to round alike on the way.
struct LevelReached {
  int stage = 0;
  Size size;
  int iterations = 0;  // -1: not reached
  Size tile = {};      // Level::tile
  Saving saving = {};  // Level::saving
};

struct Origin {
  std::string version, instruction_set;
  Recipe recipe;
  std::vector<InputDigest> inputs;
  std::vector<LevelReached> levels;
  int bits = 8, quality = 95;
  double dpi = 0;  // WriteOptions::dpi
};

// The notes for a picture made by `request` at this point. Leaves out what does not affect it
// (threads, names of intermediate pictures). on_the_way: it is the picture of the last iteration,
// whatever the recipe keeps.
Notes provenance_notes(const PaintRequest& request, const std::vector<InputDigest>& inputs,
                       const std::vector<LevelReached>& levels, bool on_the_way);

// The origin in a picture's notes; none if they are not limn's. Throws Error (file), naming the
// picture, if they are damaged.
std::optional<Origin> origin_of(const Notes& notes, const std::string& picture);
// The origin in a file; throws Error (file) if it has none.
Origin read_origin(const std::string& picture);

// Whether a picture of this origin is what the request would paint from these inputs: the same
// bytes, whatever the names of their files, the same recipe, and this version of limn. It may have
// been painted on another instruction set, which rounds differently, or in other tiles.
bool is_up_to_date(const Origin& origin, const PaintRequest& request,
                   std::span<const InputDigest> inputs);

// How far a run has come; or a painting by this plan, after these iterations at each level.
std::vector<LevelReached> levels_reached(const Run& run);
std::vector<LevelReached> levels_reached(const Plan& plan, std::span<const int> iterations);

// Makes the plan stop there again. Throws Error (file), naming the picture, if its sizes differ.
void stop_at(Plan& plan, const std::vector<LevelReached>& levels, const std::string& picture);

}  // namespace limn
