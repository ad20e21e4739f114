// What the user sees while something takes its time: a bar on a terminal, a line now and then
// elsewhere.
#pragma once

#include <limn/limn.h>

#include <cstdint>
#include <string>

#include "canvas/sizes.h"

namespace limn {

// How progress is shown.
enum class ProgressStyle { none, lines, bar };

// bar if standard error is a terminal, lines if not, none if `quiet`.
ProgressStyle suitable_progress_style(bool quiet);

// Where progress is shown: one line of a terminal that is drawn over, or lines that follow each
// other.
class ProgressOutput {
 public:
  explicit ProgressOutput(ProgressStyle style) : style_(style) {}
  ~ProgressOutput() { finish(); }  // an error in mid-bar gets a line of its own
  ProgressOutput(const ProgressOutput&) = delete;
  ProgressOutput& operator=(const ProgressOutput&) = delete;

  ProgressStyle style() const { return style_; }

  // Whether it is time to show the moment at `seconds`; the first and the last are always shown.
  bool due(double seconds, bool last);
  // Shows a bar of which the share `done` (0..1) is filled, and the text behind it.
  void draw_bar(double done, const std::string& text);
  // Shows the text on a line of its own.
  void print_line(const std::string& text);

  // Ends the bar's line; what follows starts on a line of its own.
  void finish();
  // A line that the bar does not overwrite; nothing in style `none`.
  void note(const std::string& text);

 private:
  ProgressStyle style_;
  double last_shown_ = -1;
  bool bar_open_ = false;
};

// Where a painting stands, and the paintings that it is one of.
struct Standing {
  Size result;               // of the picture in the end
  double done = 0;           // 0..1: the share of the painting's work
  double pace = 0;           // iterations in a second at the size at hand; 0 while nobody knows
  double seconds_left = -1;  // until all paintings are done; less than 0 while nobody knows
  int number = 1;            // of the painting, from 1
  int count = 1;
};

// Iterations and losses of a painting.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(ProgressStyle style) : output_(style) {}

  // Shows this moment, if it is time to.
  void show(const Progress& progress, const Standing& standing);
  void finish() { output_.finish(); }
  void note(const std::string& text) { output_.note(text); }

 private:
  ProgressOutput output_;
};

// Bytes of a download. Those that an earlier one left count as done, but not for the pace.
class DownloadDisplay {
 public:
  explicit DownloadDisplay(ProgressStyle style) : output_(style) {}

  // Shows that `received` of `total` bytes (0: not known) are there, `kept` of them from before,
  // after this many seconds; if it is time to.
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

// "80.1 MB", in millions of bytes; "512 bytes" below a tenth of it
std::string bytes_text(std::uint64_t bytes);

}  // namespace limn
