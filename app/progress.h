// What the user sees while a picture is painted: a bar on a terminal, a line now and then
// elsewhere.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

// "loss 1.2 (content 0.5, style 0.7)"
std::string losses_text(const Losses& losses);

class ProgressDisplay {
 public:
  enum class Style { none, lines, bar };

  // bar if standard error is a terminal, lines if not, none if `quiet`.
  static Style suitable_style(bool quiet);

  explicit ProgressDisplay(Style style) : style_(style) {}
  ~ProgressDisplay() { finish(); }  // an error in mid-bar gets a line of its own

  // Shows this moment, if it is time to.
  void show(const Progress& progress);
  // Ends the bar's line; what follows starts on a line of its own.
  void finish();
  // A line that the bar does not overwrite.
  void note(const std::string& text);

 private:
  void show_bar(const Progress& progress);
  void show_line(const Progress& progress);

  Style style_;
  double last_shown_ = -1;
  bool bar_open_ = false;
};

// "1:05", "2:03:07"
std::string clock_text(double seconds);

}  // namespace limn
