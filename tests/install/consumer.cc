// A user's program: it sees the public header and the library, nothing else.
#include <limn/limn.h>

#include <cstdio>

int main() {
  limn::Image picture;
  picture.width = 8;
  picture.height = 4;
  picture.rgb.assign(3 * 8 * 4, 0.5f);
  const limn::Image small = limn::resized(picture, 4, 2);
  const limn::Recipe recipe = limn::named_recipe("limn");
  try {
    limn::Model::read("no such file");
  } catch (const limn::Error& error) {
    std::printf("limn %s, recipe %s, %d x %d, error caught\n", limn::version().data(),
                recipe.name.c_str(), small.width, small.height);
    return error.kind() == limn::ErrorKind::file ? 0 : 1;
  }
  return 1;
}
