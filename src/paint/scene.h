// The pictures of a painting as the objective takes them: at their working sizes, with the colours
// to paint, their masks split into regions.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "canvas/sizes.h"

namespace limn {

// A painting, and where its style goes.
struct StyleSource {
  Image painting;
  Mask from;         // where in the painting its style is taken from; empty: everywhere
  int region = 0;    // the region of the picture to paint with it
  double share = 1;  // of that region's blend
  int style = 0;     // paintings of one style have the same number
};

struct Scene {
  Image photo;
  std::vector<StyleSource> sources;
  // Masks of the picture's regions, each of the photo's size, with a sum of at most 1; empty: a
  // single region, everywhere.
  std::vector<Mask> regions;
  Mask keep;  // of the photo's size, or empty
  // Where the photo is visible, of its size; empty: everywhere. Regions are limited to it.
  Mask seen;
  // Photo and paintings are grey, so the picture stays grey.
  bool grey = false;

  int region_count() const { return regions.empty() ? 1 : static_cast<int>(regions.size()); }
  // Whether masks distinguish parts of pictures.
  bool has_masks() const;
  WorkingSizes sizes() const;
};

// The pictures at their working sizes; larger originals are freed on the way. Masks of regions keep
// their size.
Pictures at_working_sizes(Pictures pictures, const WorkingSizes& sizes);

// The scene at these sizes, which must be working_sizes. The second frees pictures one by one as
// they are used. Colours are those to paint (Recipe::picture.colors). Alpha becomes masks: a
// painting's limits where its style is taken from, the photo's where to paint. Invisible parts take
// on the colours around them, and no picture keeps its alpha. Throws Error (usage): blend for
// another number of styles, invalid masks, fully transparent pictures.
Scene make_scene(const Pictures& pictures, const Recipe& recipe, const WorkingSizes& sizes);
Scene make_scene(Pictures&& pictures, const Recipe& recipe, const WorkingSizes& sizes);

// The scene at other sizes. The second frees the larger one on the way.
Scene resized(const Scene& scene, const WorkingSizes& sizes);
Scene resized(Scene&& scene, const WorkingSizes& sizes);

// The scene with the photo and its masks extended by reflection.
Scene with_border(Scene scene, int pixels);

// Whether the recipe makes a grey picture: the photo is grey, and the paintings are grey too or the
// recipe asks for the photo's colours.
bool paints_grey(const Pictures& pictures, const Recipe& recipe);

// Throws Error (usage) like make_scene, as far as the pictures' original sizes tell.
void check_pictures(const Pictures& pictures, const Recipe& recipe);

}  // namespace limn
