// The pictures that a painting is made from, as the objective takes them: at their working sizes,
// with their colours as they are to be painted, their masks told apart.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "canvas/sizes.h"

namespace limn {

// A painting, and where its style goes.
struct Source {
  Image painting;
  Mask from;         // where in the painting its style is found; empty: everywhere
  int region = 0;    // of the picture, in which it is painted
  double share = 1;  // in that region's blend
};

struct Scene {
  Image photo;
  std::vector<Source> sources;
  // Masks of the picture's regions, each of the photo's size; empty: there is one, everywhere.
  // Their sum is at most 1.
  std::vector<Mask> regions;
  Mask keep;  // of the photo's size, or empty
  // Where the photo can be seen, of its size; empty: everywhere. Regions end where it does.
  Mask seen;
  // Photo and paintings have no colours, and so the picture is to have none.
  bool grey = false;

  int region_count() const { return regions.empty() ? 1 : static_cast<int>(regions.size()); }
  // Whether parts of pictures are to be told apart.
  bool has_masks() const;
  WorkingSizes sizes() const;
};

// The pictures at their working sizes; larger ones are given back on the way. Masks of regions stay
// as they are.
Pictures at_working_sizes(Pictures pictures, const WorkingSizes& sizes);

// The scene at these sizes, which must be working_sizes. Pictures that are not needed afterwards
// are given back one by one. Colours are those that are painted (Recipe::picture.colors). Alpha
// becomes masks: a painting's limits where its style is found, the photo's where there is anything
// to paint; what cannot be seen takes on the colours around it, and no picture has alpha then.
// Throws Error (usage): blend for another number of styles, masks that make no sense, pictures of
// which nothing can be seen.
Scene make_scene(const Pictures& pictures, const Recipe& recipe, const WorkingSizes& sizes);
Scene make_scene(Pictures&& pictures, const Recipe& recipe, const WorkingSizes& sizes);

// The scene at other sizes. The second gives the larger one back on the way.
Scene resized(const Scene& scene, const WorkingSizes& sizes);
Scene resized(Scene&& scene, const WorkingSizes& sizes);

// The scene with the photo and its masks surrounded by their mirror images.
Scene with_border(Scene scene, int pixels);

// Whether the recipe makes a grey picture of these: of a grey photo, where the paintings are grey
// too or the photo's colours are asked for.
bool paints_grey(const Pictures& pictures, const Recipe& recipe);

// Throws Error (usage) as make_scene would, as far as the pictures' own sizes tell.
void check_pictures(const Pictures& pictures, const Recipe& recipe);

}  // namespace limn
