// What is made of pictures besides paintings: textures, and holes that are filled, as `limn
// texture` and `limn inpaint` do it (docs/textures.md). A photo in another season needs nothing but
// the recipe "season". A complete texture:
//
//   const limn::Image bricks = limn::read_image("bricks.jpg");
//   limn::Pictures pictures = limn::texture_pictures({{{bricks}, {}, {}}}, {512, 1024});
//   limn::Recipe recipe = limn::named_recipe("texture");
//   recipe.picture.size = 0;  // that of the pictures
//   recipe = limn::with_periods(recipe, pictures);
//   const limn::Painted wall = limn::paint(limn::Model::builtin(), pictures, recipe);
#pragma once

#include <limn/limn.h>

#include <string>
#include <vector>

namespace limn {

// Pictures for a texture of this size, which is painted from nothing. Several exemplars are
// blended. Throws Error: usage (a size that is not 1 to 100,000 pixels a side), resources (more
// than this machine's memory).
LIMN_API Pictures texture_pictures(std::vector<Style> exemplars, const Size& size);

// Makes of the photo a picture with a hole, which is painted where the mask is 1 and stays as it is
// where it is 0. Nothing is seen of what was in the hole. from_itself: the first style's first
// painting is the same picture, from the rest of which the hole is filled. `name` is the mask's in
// messages. Throws Error (usage): a mask that leaves nothing to be painted, or nothing of the
// picture; pictures without a style.
LIMN_API void cut_hole(Pictures& pictures, const Mask& hole, bool from_itself,
                       const std::string& name = "the hole's mask");

// The recipe, comparing features at the periods of the only painting instead of its own distances
// (Recipe::style.shifts), if those are in pixels and the painting repeats itself. For a hole that
// is filled from the same picture, before it is cut. Throws Error (usage) like sizes_of().
LIMN_API Recipe with_periods(Recipe recipe, const Pictures& pictures);

// What the command takes of this machine, or of the container it runs in, unless told otherwise:
// seven eighths of the memory.
LIMN_API Budget machine_budget();

}  // namespace limn
