// What the user sees while waiting: a bar on a terminal, otherwise a line now and then; what a
// program reads that shows it in its own way; and a preview of the picture.
#pragma once

#include <limn/limn.h>

#include <cstdint>
#include <optional>
#include <string>

#include "canvas/sizes.h"
#include "show/preview.h"

namespace limn {

// How progress is shown. json: an object a line, for programs.
enum class ProgressStyle { none, lines, bar, json };

// Throws Error (usage) if it is none of "none", "lines", "bar" and "json".
ProgressStyle parse_progress_style(const std::string& text);

// bar if standard error is a terminal, lines if not, none if `quiet`.
ProgressStyle suitable_progress_style(bool quiet);

// Where progress is shown: a single line of a terminal, redrawn, or successive lines.
class ProgressOutput {
 public:
  explicit ProgressOutput(ProgressStyle style) : style_(style) {}
  ~ProgressOutput() { finish(); }  // an error in mid-bar gets a line of its own
  ProgressOutput(const ProgressOutput&) = delete;
  ProgressOutput& operator=(const ProgressOutput&) = delete;

  ProgressStyle style() const { return style_; }

  // Whether to show progress now, `seconds` after the start; the first and last are always shown.
  bool due(double seconds, bool last);
  // Shows a bar filled to the fraction `done` (0..1), followed by the text.
  void draw_bar(double done, const std::string& text);
  // Shows the text on a line of its own.
  void print_line(const std::string& text);

  // Ends the bar's line; whatever follows starts on a new line.
  void finish();
  // A line that the bar does not overwrite; nothing for style `none`; {"event": "note"} for json.
  void note(const std::string& text);

 private:
  ProgressStyle style_;
  double last_shown_ = -1;
  bool bar_open_ = false;
};

// How far a painting has come, and its place among several.
struct Standing {
  Size result;               // of the final picture
  std::string stage;         // its name, if the recipe has several
  double done = 0;           // 0..1: the fraction of the painting's work
  double pace = 0;           // iterations per second at the current size; 0: not yet known
  double seconds_left = -1;  // until all paintings are done; negative: not yet known
  int number = 1;            // of the painting, from 1
  int count = 1;
};

struct ShowOptions {
  ProgressStyle style = ProgressStyle::lines;
  std::optional<PreviewOptions> preview;
};

// What came of a painting, for programs.
struct ResultLine {
  std::string output;  // the picture's file
  std::string outcome;
  int iteration = 0;  // of the picture
  int iterations = 0;
  double seconds = 0;
};

// Iterations, losses and the picture of a painting.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(const ShowOptions& options);

  // Shows this iteration, if it is time to.
  void show(const Progress& progress, const Standing& standing);
  void finish() { output_.finish(); }
  void note(const std::string& text) { output_.note(text); }
  // Something went wrong that does not end the painting: shown in every style.
  void warn(const std::string& text);
  // The end: a line of text for people, or the result for programs.
  void result(const ResultLine& result, const std::string& text);
  // The last preview is of this picture.
  void preview_result(const Image& picture);

 private:
  void warn_of_preview();

  ProgressOutput output_;
  std::optional<PreviewWriter> preview_;
};

// Bytes of a download. Those kept from an earlier one count as done, but not for the pace.
class DownloadDisplay {
 public:
  explicit DownloadDisplay(ProgressStyle style) : output_(style) {}

  // Shows, if it is time to, that `received` of `total` bytes (0: unknown) have arrived, including
  // `kept` bytes from before, after this many seconds.
  void show(std::uint64_t received, std::uint64_t total, std::uint64_t kept, double seconds);
  void finish() { output_.finish(); }
  void note(const std::string& text) { output_.note(text); }

 private:
  ProgressOutput output_;
  bool whole_ = false;
};

// "loss 1.2 (content 0.5, style 0.7)"
std::string losses_text(const Losses& losses);

// "1:05", "2:03:07"
std::string clock_text(double seconds);

// "80.1 MB", in millions of bytes; below 0.1 MB "512 bytes"
std::string bytes_text(std::uint64_t bytes);

}  // namespace limn
