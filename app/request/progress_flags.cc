#include "request/progress_flags.h"

#include "base/error.h"
#include "base/standard_output.h"
#include "image/write.h"

namespace limn {

void ProgressFlags::add_to(CLI::App& command) {
  command
      .add_option("--progress", style_,
                  "How to show progress, on standard error: a bar [on a terminal], lines [else], "
                  "json (an object a line, for programs), or none")
      ->type_name("bar|lines|json|none");
  command.add_flag("--quiet", quiet_, "Show no progress: --progress none");
  command
      .add_option("--preview", preview_,
                  fmt::format("Keep the picture as it stands in this file, at most {} pixels a "
                              "side; its extension gives the format",
                              kPreviewSide))
      ->type_name("FILE");
  command
      .add_option("--preview-every", every_,
                  "Seconds between previews, or longer where they would slow the painting down "
                  "[0.3]")
      ->type_name("N");
}

ShowOptions ProgressFlags::options() const {
  ShowOptions options;
  options.style = style_.empty() ? suitable_progress_style(quiet_) : parse_progress_style(style_);
  if (quiet_ && options.style != ProgressStyle::none) {
    fail(ErrorKind::usage, "--quiet: shows no progress, but --progress {} was given", style_);
  }
  if (every_ && !preview_) {
    fail(ErrorKind::usage, "--preview-every: no preview is written; add --preview FILE");
  }
  if (every_ && !(*every_ >= 0 && *every_ <= 1e9)) {
    fail(ErrorKind::usage, "--preview-every: is {}, but should be 0 to 1e9 seconds", *every_);
  }
  if (preview_) {
    options.preview = {.path = *preview_};
    if (every_) options.preview->seconds = *every_;
  }
  return options;
}

void ProgressFlags::check(const ShowOptions& options, CommandFiles& files) {
  if (!options.preview) return;
  const std::string& path = options.preview->path;
  if (path == kStandardOutput) {
    fail(ErrorKind::usage, "--preview: a pipe takes only one picture; name a file");
  }
  check_writable(path, {}, kPreviewSide);
  files.writes("--preview", path, "preview");
}

}  // namespace limn
