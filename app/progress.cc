#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "console.h"

namespace limn {
namespace {

constexpr double kBarInterval = 0.1;  // seconds between redrawings
constexpr double kLineInterval = 10;  // seconds between lines where there is no terminal

int terminal_width() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// "2.1 it/s, 0:45 left": nothing before the first iteration is done.
std::string pace_text(const Progress& progress) {
  if (progress.iteration == 0 || progress.seconds <= 0) return "";
  const double rate = progress.iteration / progress.seconds;
  const double left = (progress.iterations - progress.iteration) / rate;
  return fmt::format("{:.2f} it/s, {} left", rate, clock_text(left));
}

}  // namespace

std::string losses_text(const Losses& losses) {
  std::string text = fmt::format("loss {:.4g} (content {:.4g}, style {:.4g}", losses.total,
                                 losses.content, losses.style);
  if (losses.total_variation != 0)
    text += fmt::format(", variation {:.4g}", losses.total_variation);
  return text + ")";
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::lround(std::clamp(seconds, 0.0, 1e9)));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

ProgressDisplay::Style ProgressDisplay::suitable_style(bool quiet) {
  if (quiet) return Style::none;
  return isatty(STDERR_FILENO) ? Style::bar : Style::lines;
}

void ProgressDisplay::show(const Progress& progress) {
  if (style_ == Style::none) return;
  const bool last = progress.iteration == progress.iterations;
  const double interval = style_ == Style::bar ? kBarInterval : kLineInterval;
  if (!last && last_shown_ >= 0 && progress.seconds - last_shown_ < interval) return;
  last_shown_ = progress.seconds;
  if (style_ == Style::bar) {
    show_bar(progress);
  } else {
    show_line(progress);
  }
}

void ProgressDisplay::show_bar(const Progress& progress) {
  constexpr int kCells = 24;
  const double done =
      progress.iterations > 0 ? static_cast<double>(progress.iteration) / progress.iterations : 1.0;
  const int filled = static_cast<int>(done * kCells);
  std::string line = fmt::format("[{:#<{}}{:-<{}}] {}/{}", "", filled, "", kCells - filled,
                                 progress.iteration, progress.iterations);
  const std::string pace = pace_text(progress);
  if (!pace.empty()) line += "  " + pace;
  line += "  " + losses_text(progress.losses);
  line.resize(std::min<size_t>(line.size(), terminal_width() - 1));
  say("\r\033[K" + line);
  bar_open_ = true;
}

void ProgressDisplay::show_line(const Progress& progress) {
  const std::string pace = pace_text(progress);
  say(fmt::format("iteration {}/{}: {}{}{}\n", progress.iteration, progress.iterations,
                  losses_text(progress.losses), pace.empty() ? "" : ", ", pace));
}

void ProgressDisplay::finish() {
  if (bar_open_) say("\n");
  bar_open_ = false;
}

void ProgressDisplay::note(const std::string& text) {
  if (style_ == Style::none) return;
  if (bar_open_) say("\r\033[K");
  bar_open_ = false;
  say(text + "\n");
}

}  // namespace limn
