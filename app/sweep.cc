// limn sweep
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "arguments.h"
#include "base/error.h"
#include "commands.h"
#include "console.h"
#include "exit_code.h"
#include "image/animation.h"
#include "image/contact_sheet.h"
#include "image/write.h"
#include "interrupt.h"
#include "outputs.h"
#include "progress.h"
#include "report.h"
#include "style/objective.h"
#include "style/sizes.h"
#include "vary.h"

namespace limn {
namespace {

constexpr const char* kDescription =
    "Paint a photo once for each value of one setting, all others fixed.\n\n"
    "The paintings stand on one labelled sheet, photo and painting first. What all of them "
    "compare\n"
    "with is measured once. The values are a list or a range:\n"
    "  --vary style.weight=0.1,1,10         these; any key of a recipe, or its flag's name\n"
    "  --vary style.weight=0.1..10x5        five in equal factors: 0.1 0.3162 1 3.162 10\n"
    "  --vary picture.noise_share=0..1+5    five in equal steps: 0 0.25 0.5 0.75 1\n"
    "  --vary 'content.layers=relu4_2;relu5_2:0.5'   lists of layers, with semicolons between\n"
    "The sheet is written again after each painting. Ctrl-C ends with what there is, and with "
    "code\n"
    "130.";

constexpr const char* kExamples =
    "Examples:\n"
    "  limn sweep photo.jpg painting.jpg --vary style.weight=1e-5..1e-3x5 -o sheet.png \\\n"
    "      --animation sweep.webp --report sweep.json --weights vgg19.h5\n"
    "  limn sweep photo.jpg painting.jpg --vary pooling=max,average -o sheet.png --weights "
    "vgg19.h5 "
    "\\\n"
    "      --size 384 --iterations 100\n\n"
    "Exit codes: as those of 'limn paint'.";

// Pictures of all recipes, in pixels.
struct Extent {
  int width = 0, height = 0;
};

Extent extent_of(const Image& photo, const Image& painting, std::span<const Recipe> recipes) {
  Extent extent;
  for (const Recipe& recipe : recipes) {
    const WorkingSizes sizes = working_sizes(photo, painting, recipe);
    extent.width = std::max(extent.width, sizes.width);
    extent.height = std::max(extent.height, sizes.height);
  }
  return extent;
}

// The recipe that reads the network's deepest layer: weights that serve it serve the others.
const Recipe& deepest(std::span<const Recipe> recipes) {
  return *std::ranges::max_element(recipes, {}, [](const Recipe& recipe) {
    return deepest_row(layers_in_use(network_named(recipe.network.name), recipe));
  });
}

// How long the rest takes, from what was done so far. An iteration's time is nearly proportional to
// the picture's pixels.
class Forecast {
 public:
  // iterations * pixels of each painting, in order.
  explicit Forecast(std::vector<double> work) : work_(std::move(work)) {}

  // Now that painting number `index` is at `share` (0..1) of its iterations; -1 at the start.
  double seconds_left(size_t index, double share) const {
    double done = share * work_[index];
    double left = (1 - share) * work_[index];
    for (size_t i = 0; i < work_.size(); ++i) {
      if (i < index) done += work_[i];
      if (i > index) left += work_[i];
    }
    return done > 0 ? seconds() * left / done : -1;
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::vector<double> work_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// A loss without its term's weight, so that paintings of different weights can be compared; null
// for a term that was left out.
nlohmann::ordered_json unweighted(double loss, double weight) {
  if (weight == 0) return nullptr;
  return loss / weight;
}

nlohmann::ordered_json unweighted(const Losses& losses, const Recipe& recipe) {
  return {{"content", unweighted(losses.content, recipe.content.weight)},
          {"style", unweighted(losses.style, recipe.style.weight)},
          {"total_variation", unweighted(losses.total_variation, recipe.total_variation.weight)}};
}

// A recipe without the setting that is varied.
nlohmann::ordered_json common_settings(const Recipe& recipe, const std::string& key) {
  nlohmann::ordered_json json = to_json(recipe);
  const size_t dot = key.find('.');
  json[key.substr(0, dot)].erase(key.substr(dot + 1));
  return json;
}

nlohmann::ordered_json value_of(const Recipe& recipe, const std::string& key) {
  const size_t dot = key.find('.');
  return to_json(recipe)[key.substr(0, dot)][key.substr(dot + 1)];
}

struct SweepCommand {
  PaintingArguments arguments;
  std::string vary;
  std::string output;
  std::optional<std::string> animation, report;
  bool quiet = false;
  WriteOptions write;

  void add_to(CLI::App& command);
  int run() const;
  void check(const Recipe& base, const Variation& variation) const;
};

// What a sweep has made so far.
class Results {
 public:
  Results(const SweepCommand& command, const Variation& variation, const Model& model)
      : command_(command), variation_(variation), model_(model) {}

  // Before the first painting.
  void begin(const Image& photo, const Image& painting) {
    const Extent extent = extent_of(photo, painting, variation_.recipes);
    const int cells = static_cast<int>(variation_.recipes.size()) + 2;
    layout_ = sheet_layout(cells, extent.width, extent.height);
    check_writable(command_.output, command_.write, longest_side(layout_));
    if (command_.animation) {
      check_animation_writable(*command_.animation, longest_side(single_cell(layout_)));
    }
    cells_.push_back({fitted(photo, layout_), "photo"});
    cells_.push_back({fitted(painting, layout_), "painting"});
  }

  void add(size_t index, Painted&& painted) {
    rows_.push_back(row(index, painted));
    painted_ += painted.outcome != Outcome::failed;
    stopped_ = painted.outcome == Outcome::stopped;
    cells_.push_back({fitted(std::move(painted.picture), layout_), label(index, painted)});
  }

  std::string label(size_t index) const {
    return fmt::format("{} {}", variation_.key, variation_.values[index]);
  }
  bool empty() const { return painted_ == 0; }
  bool stopped() const { return stopped_; }
  size_t size() const { return rows_.size(); }

  void write_sheet() const {
    write_image(contact_sheet(cells_, layout_), command_.output, command_.write);
  }

  void write_animation() const {
    const SheetLayout frame = single_cell(layout_);
    const std::span<const Cell> paintings = std::span(cells_).subspan(2);
    AnimationOptions options;
    options.quality = command_.write.quality;
    limn::write_animation(
        paintings.size(), [&](size_t i) { return contact_sheet(paintings.subspan(i, 1), frame); },
        *command_.animation, options);
  }

  void write_report(double seconds) const {
    nlohmann::ordered_json json = to_json(command_.arguments, command_.output, model_);
    json["vary"] = variation_.key;
    json["recipe"] = common_settings(variation_.recipes.front(), variation_.key);
    json["seconds"] = seconds;
    json["peak_memory_bytes"] = peak_memory_bytes();
    json["paintings"] = rows_;
    limn::write_report(json, *command_.report);
  }

 private:
  static int longest_side(const SheetLayout& layout) {
    return std::max(layout.width(), layout.height());
  }

  std::string label(size_t index, const Painted& painted) const {
    if (painted.outcome == Outcome::failed) return label(index) + " (failed: loss not finite)";
    if (painted.outcome != Outcome::stopped) return label(index);
    return fmt::format("{} (stopped at {} of {})", label(index), painted.history.size() - 1,
                       variation_.recipes[index].optimiser.iterations);
  }

  nlohmann::ordered_json row(size_t index, const Painted& painted) const {
    const Recipe& recipe = variation_.recipes[index];
    nlohmann::ordered_json row;
    row["value"] = value_of(recipe, variation_.key);
    row["outcome"] = outcome_name(painted.outcome);
    row["width"] = painted.picture.width;
    row["height"] = painted.picture.height;
    row["iterations"] = painted.history.empty() ? 0 : painted.history.size() - 1;
    row["iteration"] = painted.iteration;
    row["seconds"] = painted.seconds;
    row["losses"] = nullptr;
    row["unweighted"] = nullptr;
    if (painted.history.empty()) return row;
    // A last step that was taken back leaves no record: its picture is that of the record before.
    const size_t last = painted.history.size() - 1;
    const Losses& losses =
        painted.history[std::min<size_t>(last, static_cast<size_t>(painted.iteration))].losses;
    row["losses"] = to_json(losses);
    row["unweighted"] = unweighted(losses, recipe);
    return row;
  }

  const SweepCommand& command_;
  const Variation& variation_;
  const Model& model_;
  SheetLayout layout_;
  std::vector<Cell> cells_;  // photo, painting, and what was painted
  nlohmann::ordered_json rows_ = nlohmann::ordered_json::array();
  size_t painted_ = 0;  // without those that failed
  bool stopped_ = false;
};

void SweepCommand::add_to(CLI::App& command) {
  arguments.add_to(command);
  command.add_option("--vary", vary, "The setting that varies and its values: a list or a range")
      ->type_name("KEY=VALUES")
      ->required();
  command.add_option("-o,--output", output, "Where to write the sheet; its ending is its format")
      ->type_name("FILE")
      ->required();
  command
      .add_option("--animation", animation, "Also show one after the other: animated WebP or GIF")
      ->type_name("FILE");
  command.add_option("--report", report, "Write settings, seconds and losses of each as JSON")
      ->type_name("FILE.json");
  add_write_flags(command, write);
  command.add_flag("--quiet", quiet, "Show no progress");
}

// All that can be known to fail before pictures and weights are read.
void SweepCommand::check(const Recipe& base, const Variation& variation) const {
  if (arguments.given(variation.key)) {
    fail(ErrorKind::usage, "--vary: {} is varied, and given by a flag of its own too",
         variation.key);
  }
  if (arguments.given("output.save_every") && base.output.save_every > 0) {
    fail(ErrorKind::usage, "--save-every: a sweep saves no pictures on the way");
  }
  check_write_flags(write);
  check_labels();
  check_writable(output, write);
  std::vector<Written> written = {{"--output", output, "sheet"}};
  if (animation) {
    check_animation_writable(*animation);
    written.push_back({"--animation", *animation, "animation"});
  }
  if (report) {
    check_report(*report);
    written.push_back({"--report", *report, "report"});
  }
  check_kept(written, arguments, arguments.weights_file(base));
}

int SweepCommand::run() const {
  const Recipe base = arguments.recipe();
  const Variation variation = parse_variation(vary, base);
  check(base, variation);
  Image photo = read_image(arguments.photo());
  Image painting = read_image(arguments.painting());
  const Model model = arguments.model(deepest(variation.recipes));
  Results results(*this, variation, model);
  results.begin(photo, painting);

  std::vector<double> work;
  for (const Recipe& recipe : variation.recipes) {
    const WorkingSizes sizes = working_sizes(photo, painting, recipe);
    work.push_back(1.0 * sizes.width * sizes.height * std::max(1, recipe.optimiser.iterations));
  }
  const Forecast forecast(std::move(work));

  catch_interrupts();
  ProgressDisplay display(suitable_progress_style(quiet));
  const int count = static_cast<int>(variation.recipes.size());
  const auto on_progress = [&](size_t index, const Progress& progress) {
    const int number = static_cast<int>(index) + 1;
    if (progress.iteration == 0) {
      display.note(fmt::format("painting {} of {}, {} x {} pixels: {}", number, count,
                               progress.width, progress.height, results.label(index)));
    }
    const double share =
        progress.iterations > 0 ? 1.0 * progress.iteration / progress.iterations : 1;
    display.show(progress, {number, count, forecast.seconds_left(index, share)});
    return !interrupted();
  };
  // On the way a sheet that cannot be written is worth a warning, not the paintings to come.
  const auto on_done = [&](size_t index, Painted&& painted) {
    if (painted.outcome == Outcome::failed) {
      display.note(
          fmt::format("{}: the loss of the first picture is not finite", results.label(index)));
    }
    results.add(index, std::move(painted));
    if (results.empty() || results.stopped() || results.size() == variation.recipes.size()) return;
    try {
      results.write_sheet();
      if (report) results.write_report(forecast.seconds());
    } catch (const Error& error) {
      display.finish();
      say(fmt::format("limn: {}; painting goes on\n", error.what()));
    }
  };

  // What was painted before an error is not lost by it.
  std::exception_ptr trouble;
  try {
    sweep(model, std::move(photo), std::move(painting), variation.recipes, on_done, on_progress);
  } catch (...) {
    trouble = std::current_exception();
  }
  display.finish();
  if (results.empty()) {
    if (trouble) std::rethrow_exception(trouble);
    fail(ErrorKind::usage,
         "the loss of the first picture is finite for none of the values, so nothing was painted; "
         "choose smaller weights");
  }
  results.write_sheet();
  if (report) results.write_report(forecast.seconds());
  if (animation) results.write_animation();
  if (trouble) std::rethrow_exception(trouble);
  display.note(fmt::format("{}: {} of {} paintings, {:.1f} s", output, results.size(), count,
                           forecast.seconds()));
  return results.stopped() ? kInterrupted : kSuccess;
}

}  // namespace

void add_sweep_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("sweep", kDescription);
  command->footer(kExamples);
  const auto sweep = std::make_shared<SweepCommand>();
  sweep->add_to(*command);
  command->callback([sweep, &exit_code] { exit_code = sweep->run(); });
}

}  // namespace limn
