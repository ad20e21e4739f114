#include "show/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "show/console.h"

namespace limn {
namespace {

constexpr int kCells = 24;            // of a bar
constexpr double kBarInterval = 0.1;  // seconds between redrawings
constexpr double kObjectInterval = 0.1;
constexpr double kLineInterval = 10;  // seconds between lines if there is no terminal

int terminal_width() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// "2.1 it/s, 0:45 left", or as much of it as is known.
std::string pace_text(const Standing& standing) {
  std::string text;
  if (standing.pace > 0) text = fmt::format("{:.2f} it/s", standing.pace);
  if (standing.seconds_left < 0) return text;
  return fmt::format("{}{}{} left{}", text, text.empty() ? "" : ", ",
                     clock_text(standing.seconds_left), standing.count > 1 ? " in all" : "");
}

// "painting 2/3, " if there are several.
std::string number_text(const Standing& standing) {
  if (standing.count == 1) return "";
  return fmt::format("painting {}/{}, ", standing.number, standing.count);
}

// " (finish) at 256 x 192": the stage, if there are several, and the size, if it is not the
// result's.
std::string place_text(const Progress& progress, const Standing& standing) {
  const Size& result = standing.result;
  std::string text = standing.stage.empty() ? "" : fmt::format(" ({})", standing.stage);
  if (progress.width == result.width && progress.height == result.height) return text;
  return text + fmt::format(" at {} x {}", progress.width, progress.height);
}

nlohmann::ordered_json as_object(const Progress& progress, const Standing& standing) {
  nlohmann::ordered_json losses = {{"total", progress.losses.total},
                                   {"content", progress.losses.content},
                                   {"style", progress.losses.style},
                                   {"total_variation", progress.losses.total_variation}};
  nlohmann::ordered_json object = {{"event", "progress"},
                                   {"iteration", progress.iteration},
                                   {"iterations", progress.iterations},
                                   {"stage", standing.stage},
                                   {"width", progress.width},
                                   {"height", progress.height},
                                   {"losses", std::move(losses)},
                                   {"done", standing.done},
                                   {"seconds", progress.seconds}};
  object["seconds_left"] = nullptr;
  if (standing.seconds_left >= 0) object["seconds_left"] = standing.seconds_left;
  if (standing.count > 1) {
    object["painting"] = standing.number;
    object["paintings"] = standing.count;
  }
  return object;
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

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 100'000) return fmt::format("{} bytes", bytes);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

// ----------------------------------------------------------------------------------- the output --

ProgressStyle parse_progress_style(const std::string& text) {
  if (text == "none") return ProgressStyle::none;
  if (text == "lines") return ProgressStyle::lines;
  if (text == "bar") return ProgressStyle::bar;
  if (text == "json") return ProgressStyle::json;
  fail(ErrorKind::usage, "--progress: '{}' is not one of bar, lines, json, none", text);
}

ProgressStyle suitable_progress_style(bool quiet) {
  if (quiet) return ProgressStyle::none;
  return isatty(STDERR_FILENO) ? ProgressStyle::bar : ProgressStyle::lines;
}

bool ProgressOutput::due(double seconds, bool last) {
  if (style_ == ProgressStyle::none) return false;
  double interval = kLineInterval;
  if (style_ == ProgressStyle::bar) interval = kBarInterval;
  if (style_ == ProgressStyle::json) interval = kObjectInterval;
  if (!last && last_shown_ >= 0 && seconds - last_shown_ < interval) return false;
  last_shown_ = seconds;
  return true;
}

void ProgressOutput::draw_bar(double done, const std::string& text) {
  const int filled = static_cast<int>(std::clamp(done, 0.0, 1.0) * kCells);
  std::string line = fmt::format("[{:#<{}}{:-<{}}] {}", "", filled, "", kCells - filled, text);
  line.resize(std::min<size_t>(line.size(), terminal_width() - 1));
  say("\r\033[K" + line);
  bar_open_ = true;
}

void ProgressOutput::print_line(const std::string& text) { say(text + "\n"); }

void ProgressOutput::finish() {
  if (bar_open_) say("\n");
  bar_open_ = false;
}

void ProgressOutput::note(const std::string& text) {
  if (style_ == ProgressStyle::none) return;
  if (style_ == ProgressStyle::json) return say_object({{"event", "note"}, {"message", text}});
  if (bar_open_) say("\r\033[K");
  bar_open_ = false;
  print_line(text);
}

// ----------------------------------------------------------------------------- what is shown --

ProgressDisplay::ProgressDisplay(const ShowOptions& options) : output_(options.style) {
  if (options.preview) preview_.emplace(*options.preview);
}

void ProgressDisplay::warn(const std::string& text) {
  finish();
  limn::warn(text);
}

void ProgressDisplay::warn_of_preview() {
  if (const std::optional<std::string> why = preview_->trouble()) {
    warn(*why + "; painting continues without a preview");
  }
}

void ProgressDisplay::preview_result(const Image& picture) {
  if (!preview_) return;
  preview_->finish(picture);
  warn_of_preview();
}

void ProgressDisplay::result(const ResultLine& result, const std::string& text) {
  if (output_.style() != ProgressStyle::json) return note(text);
  say_object({{"event", "result"},
              {"output", result.output},
              {"outcome", result.outcome},
              {"iteration", result.iteration},
              {"iterations", result.iterations},
              {"seconds", result.seconds},
              {"message", text}});
}

void ProgressDisplay::show(const Progress& progress, const Standing& standing) {
  if (preview_) {
    preview_->offer(progress.picture);
    warn_of_preview();
  }
  const bool end = progress.iteration == 0 || progress.iteration == progress.iterations;
  if (!output_.due(progress.seconds, end)) return;
  if (output_.style() == ProgressStyle::json) return say_object(as_object(progress, standing));
  const std::string number = number_text(standing);
  const std::string count = fmt::format("{}/{}{}", progress.iteration, progress.iterations,
                                        place_text(progress, standing));
  const std::string pace = pace_text(standing);
  const std::string losses = losses_text(progress.losses);
  if (output_.style() == ProgressStyle::bar) {
    output_.draw_bar(standing.done, fmt::format("{}{}{}{}  {}", number, count,
                                                pace.empty() ? "" : "  ", pace, losses));
  } else {
    output_.print_line(fmt::format("{}iteration {}: {}{}{}", number, count, losses,
                                   pace.empty() ? "" : ", ", pace));
  }
}

void DownloadDisplay::show(std::uint64_t received, std::uint64_t total, std::uint64_t kept,
                           double seconds) {
  const bool was_whole = whole_;
  whole_ = received == total;
  if (whole_ && was_whole) return;  // the end is shown only once
  if (!output_.due(seconds, whole_)) return;
  const double rate = seconds > 0 ? static_cast<double>(received - kept) / seconds : 0;
  std::string text = bytes_text(received);
  if (total > 0) text += " of " + bytes_text(total);
  if (rate > 0) text += fmt::format("  {:.1f} MB/s", rate / 1e6);
  if (rate > 0 && total > received) {
    text += fmt::format(", {} left", clock_text(static_cast<double>(total - received) / rate));
  }
  if (output_.style() == ProgressStyle::bar) {
    const double done =
        total > 0 ? static_cast<double>(received) / static_cast<double>(total) : 0.0;
    output_.draw_bar(done, text);
  } else {
    output_.print_line(text);
  }
}

}  // namespace limn
