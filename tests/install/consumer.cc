// A user's program: it sees the public header and the library, nothing else.
#include <limn/limn.h>

#include <cstdio>

int main() {
  limn::Image picture;
  picture.width = 40;
  picture.height = 20;
  picture.rgb.assign(3 * 40 * 20, 0.5f);
  const limn::Image small = limn::resized(picture, 32, 16);
  limn::Recipe recipe = limn::named_recipe("limn");
  recipe.picture.size = 0;
  recipe.optimiser.iterations = 1;
  const limn::Painted painted = limn::paint(limn::Model::builtin(), small, picture, recipe);
  if (painted.picture.width != small.width) return 1;
  try {
    limn::Model::read("no such file");
  } catch (const limn::Error& error) {
    std::printf("limn %s, recipe %s, %d x %d, error caught\n", limn::version().data(),
                recipe.name.c_str(), small.width, small.height);
    return error.kind() == limn::ErrorKind::file ? 0 : 1;
  }
  return 1;
}
