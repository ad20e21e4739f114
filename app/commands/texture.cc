// limn texture
#include "commands/commands.h"
#include "commands/paint_command.h"

namespace limn {
namespace {

constexpr const char* kTextureDescription =
    R"(Make a texture from a picture of one.

The texture is painted from noise, coarse to fine, until the network sees in it what it sees in
EXEMPLAR: bricks, cloth, gravel, leaves. It can have any size, larger than the exemplar too, whose
features keep their size in pixels; --style-scale changes it. Features are also compared with those
some distance away (--shifts): at the exemplar's own periods where it repeats, which keeps rows
straight and patterns regular. At the end the texture gets the exemplar's colours (--colors style
leaves that out).

--tileable makes it repeat exactly: laid side by side, copies show no seam. --symmetry makes it equal
its mirror image, exactly; --style-symmetry about as symmetric as the exemplar is.)";

constexpr const char* kTextureExamples =
    R"(Examples:
  limn texture bricks.jpg
  limn texture bricks.jpg -o wall.png --size 1024x512
  limn texture bricks.jpg -o wall.tif --size 60x40cm@300dpi
  limn texture bricks.jpg -o tile.png --tileable
  limn texture mandala.jpg --symmetry both
  limn texture gravel.jpg --shifts none            no structure over a distance: faster
  limn texture weave.jpg --style-scale 0.5         threads half as wide
  limn texture moss.jpg stone.jpg --blend 0.3,0.7  between two textures
  limn texture bricks.jpg --seed 2                 another wall
  limn texture bricks.jpg --recipe texture-gatys --weights vgg19.h5

Exit codes: as for 'limn paint'.)";

}  // namespace

void add_texture_command(CLI::App& app, int& exit_code) {
  add_painting_command(app, exit_code, PaintingArguments::Task::texture,
                       {"texture", kTextureDescription, kTextureExamples});
}

}  // namespace limn
