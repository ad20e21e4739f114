// The help of limn batch.
#pragma once

namespace limn {

inline constexpr const char* kBatchDescription =
    R"(Paint many photos in the styles of many paintings.

Each PHOTO is painted in the style of each of --paintings; with --pairs, in that of its own; with
--list, as the lines of a table say, each with settings of its own. A folder stands for every
picture in it. Results are named after what they are made from, PHOTO-PAINTING.png, and no two get
the same name. Each is, byte for byte, what 'limn paint' makes with the same settings.

Given again, the command paints what is missing or would be different: each picture says in its
metadata which files (their bytes count, not their names), which recipe and which version of limn it
is from. --again paints all. A file that limn did not paint is replaced only then.

A picture that cannot be painted is a line in the report; the others are painted, and the exit code
is 5. Ctrl-C leaves what is done and nothing unfinished, and exits with code 130.)";

inline constexpr const char* kBatchExamples =
    R"(Examples:
  limn batch photos/ --paintings oil.jpg ink.jpg -o out
  limn batch photos/ --paintings paintings/ -o out --size 1024 --strength 0.7 \
      --html out/index.html --sheet sheet.jpg --report report.json
  limn batch a.jpg b.jpg --paintings oil.jpg ink.jpg --pairs -o out     a in oil, b in ink
  limn batch photos/ --paintings paintings/ -o out --dry-run            what, how long
  limn batch photos/ --paintings oil.jpg -o out --format jpg --quality 90
  limn batch --list prints.csv -o prints --size 60cm@300dpi
  limn batch photos/ --paintings paintings/ -o out --shard 2/8          on the second of 8 machines

A list in CSV begins with a line that names its columns: photo and painting (twice or more for
several, which are blended), and if wanted name (of the result), recipe, and settings by their flags
or keys. An empty cell leaves a setting as the flags of the command have it:
  photo,painting,strength,name
  harbour.jpg,oil.jpg,0.7,
  street.jpg,ink.jpg,,street in ink

In TOML (list.toml) a picture is a section, with settings as in a recipe:
  [[picture]]
  photo = "harbour.jpg"
  painting = ["oil.jpg", "ink.jpg"]
  style.blend = [0.3, 0.7]

Exit codes: 0 all is painted or up to date; 5 some pictures failed, the others were painted; 2 bad
flag, recipe or list; 3 bad file; 4 too large or no memory (2, 3 and 4 also if all pictures fail for
one reason); 130 interrupted; 1 a bug in limn.)";

}  // namespace limn
