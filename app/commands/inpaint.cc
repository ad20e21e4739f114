// limn inpaint
#include "commands/commands.h"
#include "commands/paint_command.h"

namespace limn {
namespace {

constexpr const char* kInpaintDescription =
    R"(Fill a hole in a picture with more of what surrounds it.

The mask is white where PICTURE is to be painted. Everywhere else each pixel stays as it is: the
result is written with the picture's own depth, 16 bits too, and where the mask is black its samples
are the same (in a format without loss, such as PNG or TIFF; a picture with another colour profile
than sRGB is converted first). Where the mask is grey, the two are mixed.

The hole grows from its edges, coarse to fine, and continues patterns in step with what is around it.
It suits walls, grass, water, sky and cloth; it does not invent faces. --from takes what fills the
hole from another picture, or from a crop of this one.)";

constexpr const char* kInpaintExamples =
    R"(Examples:
  limn inpaint wall.png --hole sign.png
  limn inpaint wall.png --hole sign.png -o clean.tif
  limn inpaint beach.jpg --hole people.png --from sand.jpg

Exit codes: as for 'limn paint'.)";

}  // namespace

void add_inpaint_command(CLI::App& app, int& exit_code) {
  add_painting_command(app, exit_code, PaintingArguments::Task::inpainting,
                       {"inpaint", kInpaintDescription, kInpaintExamples});
}

}  // namespace limn
