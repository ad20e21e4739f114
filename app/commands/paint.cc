// limn paint
#include "commands/commands.h"
#include "commands/paint_command.h"

namespace limn {
namespace {

constexpr const char* kPaintDescription =
    R"(Paint a photo in the style of one or more paintings.

Only the pictures are needed: limn has a built-in network. The recipe says how they are resized;
with recipe 'limn', the longest side of each becomes --size: pixels, or a length of a print, such as
60cm@300dpi. The picture with the lowest loss is written to --output. If that is a folder, or
missing, the picture becomes PHOTO-PAINTING.png in that folder or the current directory, and
existing files are never overwritten. Ctrl-C writes the best picture so far and exits with code 130.

Each PAINTING is a style. Several styles are blended, unless masks say where each of them goes. A
mask is a picture of any size, white inside and black outside; alpha counts as a mask. A picture
named - is read from a pipe, and anim.gif[3] is a frame of anim.gif, counted from 0.

With --checkpoint nothing is lost: 'limn resume' continues from that file and ends with the same
picture, byte for byte. The picture itself carries its recipe and the digests of its inputs
('limn info', 'limn replay'), unless --no-metadata is given.)";

constexpr const char* kPaintExamples =
    R"(Examples:
  limn paint photo.jpg painting.jpg
  limn paint photo.jpg painting.jpg -o out.png --size 1024 --strength 0.7
  limn paint photo.jpg painting.jpg -o out.png --style-scale 0.5 --colors content
  limn paint photo.jpg oil.jpg ink.jpg -o out.png --blend 0.3,0.7
  limn paint photo.jpg etchings/ -o out.png                  one style from all its pictures
  limn paint photo.jpg oil.jpg ink.jpg -o out.png --mask-content sky.png   the rest is ink
  limn paint photo.jpg painting.jpg -o out.png --mask-keep face.png --seconds 20
  limn paint photo.jpg painting.jpg -o out.png --seed 7 --report out.json
  limn paint photo.jpg painting.jpg -o print.tif --size 4096 --checkpoint print.limn
  limn paint photo.jpg painting.jpg -o print.tif --size 60cm@300dpi      7087 pixels
  limn paint photo.jpg painting.jpg --size 4096 --dry-run    sizes, memory, time; no painting
  limn paint photo.jpg painting.jpg --recipe out.png         the way out.png was painted
  limn paint photo.jpg painting.jpg --network vgg19          after 'limn model fetch vgg19'
  limn paint photo.jpg painting.jpg --weights vgg19.h5       any file that limn reads
  cat photo.jpg | limn paint - painting.jpg -o - --format jpg > out.jpg

Exit codes: 0 painted; 2 bad flag or recipe, or nothing was painted (no step lowers the loss, or
--seconds left no time for one; no picture is written); 3 bad file (or a --save-every picture
or a checkpoint could not be written); 4 too large or no memory; 130 interrupted (the best picture
so far was written); 1 a bug in limn.)";

}  // namespace

void add_paint_command(CLI::App& app, int& exit_code) {
  add_painting_command(app, exit_code, PaintingArguments::Task::painting,
                       {"paint", kPaintDescription, kPaintExamples});
}

}  // namespace limn
