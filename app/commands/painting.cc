#include "commands/painting.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <iterator>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "commands/exit_code.h"
#include "commands/report.h"
#include "commands/together.h"
#include "image/write.h"
#include "paint/estimate.h"
#include "ranks/launched.h"
#include "request/memory_flags.h"
#include "request/opened_inputs.h"
#include "request/outputs.h"
#include "request/painting_sizes.h"
#include "request/print_size.h"
#include "request/progress_flags.h"
#include "request/provenance.h"
#include "request/saved_pictures.h"
#include "show/console.h"
#include "show/forecast.h"
#include "show/interrupt.h"
#include "show/progress.h"
#include "show/unpainted.h"

namespace limn {
namespace {

// "; ended at 74: ..." for a painting that ended before all its iterations were done.
std::string early_end(const Painted& painted, const Recipe& recipe) {
  const int done = painted.history.empty() ? 0 : painted.history.back().iteration;
  if (done >= recipe.optimiser.iterations) return "";
  const char* why = "the loss had stopped falling";  // at some size, or the last
  if (painted.outcome == Outcome::stopped) why = "interrupted";
  if (painted.outcome == Outcome::out_of_time) why = "ran out of time";
  return fmt::format("; ended at {}: {}", done, why);
}

// The notes of a checkpoint.
constexpr const char* kRequestNote = "request";
constexpr const char* kInputsNote = "inputs";
constexpr const char* kFinishedNote = "finished";

std::string as_chosen(const std::string& chosen, const Plan& plan) {
  const std::string memory = bytes_text(static_cast<std::uint64_t>(plan.bytes));
  if (plan.budget.bytes == 0) return fmt::format("in {}, with about {} of memory", chosen, memory);
  return fmt::format("to save memory: {}; it takes about {}, and may take {}", chosen, memory,
                     bytes_text(static_cast<std::uint64_t>(plan.budget.bytes)));
}

std::string among_ranks(const LaunchedRanks& ranks, const Plan& plan) {
  const auto is_cut = [](const Level& level) { return level.tile != Size(); };
  if (std::ranges::none_of(plan.levels, is_cut)) {
    return fmt::format(
        "by {} ranks, which all evaluate the whole picture, for there are no tiles to share; "
        "choose "
        "--tile N",
        ranks.count());
  }
  const int threads = plan.recipe.picture.threads;
  return fmt::format("by {} ranks, with {} thread{} on this one", ranks.count(), threads,
                     threads == 1 ? "" : "s");
}

ResultFile result_file(const PaintRequest& request) {
  const bool pipe = is_standard_output(request.output);
  return {.path = request.output,
          .write = request.write,
          .saved_on_the_way = !pipe && request.recipe.output.save_every > 0,
          .previewed = request.show.preview.has_value()};
}

class Job {
 public:
  explicit Job(PaintingJob job)
      : job_(std::move(job)), request_(job_.request), saved_(request_.output, request_.recipe) {}

  int run() {
    if (ranks_) check_readable_by_all(request_);
    const std::span<const Recipe> recipes(&request_.recipe, 1);
    OpenedInputs opened(request_.names, recipes, {.max_pixels = request_.max_pixels});
    const Size result = opened.result(request_.recipe);
    check_output(request_.output, request_.write, std::max(result.height, result.width));
    const Model model =
        read_model(request_.weights, std::span(&request_.recipe, 1), request_.network_given);
    std::vector<Plan> plans =
        opened.plan(model, recipes, within_machine(request_.budget, ranks_), result_file(request_));
    Inputs inputs = std::move(opened).read(std::move(plans));
    Plan& plan = inputs.plans.front();
    painting_files_ = inputs.painting_files;
    if (!job_.recorded.empty()) check_same(job_.recorded, this->inputs(), job_.made_from_them);
    if (job_.adjust) job_.adjust(plan);
    if (ranks_) share_cores(*ranks_, plan);
    if (ranks_) share_tiles(*ranks_, plan);
    say_first(inputs, model, result);

    catch_interrupts();
    Forecast forecast(inputs.plans);
    if (ranks_) begin_together(*ranks_, request_, plan, job_.resumed);
    Run run = job_.resumed ? Run(model, std::move(inputs.pictures), plan, *job_.resumed, ranks_)
                           : Run(model, std::move(inputs.pictures), plan, ranks_);
    paint(run, forecast);
    if (request_.checkpoint) save_state(run, /*finished=*/!interrupted());
    const std::vector<LevelReached> reached = levels_reached(run);
    plan = run.plan();  // with the tiles and savings of a checkpoint
    const Painted painted = run.finish();
    if (ranks_) end_together(*ranks_);
    display_.finish();
    write_results(painted, reached, model, plan);
    return painted.outcome == Outcome::stopped ? kInterrupted : exit_code_;
  }

 private:
  // What is about to happen, and what a user might not expect of the inputs.
  void say_first(const Inputs& inputs, const Model& model, const Size& result) {
    const double dpi = request_.write.dpi;
    const std::string print = dpi > 0 ? fmt::format(", {},", print_text(result, dpi)) : "";
    first_lines_ = {fmt::format("painting {} x {} pixels{} with recipe '{}'{}", result.width,
                                result.height, print, request_.recipe.name, job_.note)};
    const std::string chosen = chosen_text(inputs.plans.front());
    if (!chosen.empty()) first_lines_.push_back(as_chosen(chosen, inputs.plans.front()));
    if (ranks_) first_lines_.push_back(among_ranks(*ranks_, inputs.plans.front()));
    std::ranges::copy(inputs.notes, std::back_inserter(first_lines_));
    std::ranges::move(notes_on_enlarging(inputs, *model.weights().network, inputs.plans.front()),
                      std::back_inserter(first_lines_));
  }

  void paint(Run& run, Forecast& forecast) {
    bool more = run.has_begun();
    int level = -1;
    while (more) {
      const Progress& now = run.now();
      for (const std::string& line : std::exchange(first_lines_, {})) display_.note(line);
      display_.show(now, forecast.standing(0, now));
      if (saved_.takes(now.iteration)) save_on_the_way(run);
      // At each change of size or stage, and then by the clock.
      const bool is_new_level = std::exchange(level, now.level) != now.level;
      if (is_new_level || since_saved_() >= request_.checkpoint_every) save_state(run, false);
      if (interrupted()) {
        run.stop();
        break;
      }
      more = run.step();
    }
  }

  // The digests of the inputs are computed once, when first needed.
  const std::vector<InputDigest>& inputs() {
    if (!inputs_) inputs_ = digests_of(request_, painting_files_);
    return *inputs_;
  }

  // A failed write on the way is worth a warning, but must not end the painting.
  template <typename Write>
  void try_to_write(const Write& write) {
    try {
      write();
    } catch (const Error& error) {
      display_.warn(fmt::format("{}; painting continues", error.what()));
      exit_code_ = kFileError;
    }
  }

  void save_state(Run& run, bool finished) {
    if (!request_.checkpoint) return;
    try_to_write([&] {
      Notes notes = {{kRequestNote, to_text(request_)}, {kInputsNote, to_text(inputs())}};
      if (finished) notes[kFinishedNote] = "yes";
      run.save(*request_.checkpoint, notes);
    });
    since_saved_ = Stopwatch();
  }

  void save_on_the_way(Run& run) {
    try_to_write([&] {
      const Progress& now = run.now();
      const std::string name = saved_.path(now.iteration);
      write_image(now.picture(), name, with_notes(levels_reached(run), /*on_the_way=*/true));
      display_.note(fmt::format("iteration {}/{}: {}, {}", now.iteration, now.iterations,
                                losses_text(now.losses), name));
    });
  }

  WriteOptions with_notes(const std::vector<LevelReached>& levels, bool on_the_way) {
    WriteOptions write = request_.write;
    if (request_.metadata) write.notes = provenance_notes(request_, inputs(), levels, on_the_way);
    return write;
  }

  void write_results(const Painted& painted, const std::vector<LevelReached>& reached,
                     const Model& model, const Plan& plan) {
    if (painted.outcome == Outcome::failed) {
      fail(ErrorKind::usage,
           "the loss of the first picture is not finite, so nothing was painted; choose smaller "
           "weights");
    }
    const bool written = !is_unpainted(painted);
    if (written) write_image(painted.picture, request_.output, with_notes(reached, false));
    if (written) display_.preview_result(painted.picture);
    if (request_.report) write_report(painted, plan, model);
    const auto why = [&] { return why_unchanged(painted, request_.recipe); };
    if (!written) {
      fail(ErrorKind::usage, "nothing was painted: {}; {}", why().cause, why().next_step);
    }
    if (job_.passing) return;
    const std::string name = output_name(request_.output);
    const int iterations = request_.recipe.optimiser.iterations;
    display_.result({request_.output, std::string(outcome_name(painted.outcome)), painted.iteration,
                     iterations, painted.seconds},
                    fmt::format("{}: iteration {} of {}, {:.1f} s{}", name, painted.iteration,
                                iterations, painted.seconds, early_end(painted, request_.recipe)));
    if (is_unchanged(painted)) {
      display_.note(
          fmt::format("{} is still the first picture: {}; {}", name, why().cause, why().next_step));
    }
    if (painted.outcome == Outcome::stopped && request_.checkpoint) {
      display_.note(fmt::format("run 'limn resume {}' to continue", *request_.checkpoint));
    }
  }

  void write_report(const Painted& painted, const Plan& plan, const Model& model) const {
    nlohmann::ordered_json json = to_json(request_.names, request_.output, model);
    if (is_unpainted(painted)) json["output"] = nullptr;
    json.update(to_json(painted, plan));
    ::limn::write_report(json, *request_.report);
  }

  PaintingJob job_;
  PaintRequest& request_;
  LaunchedRanks* const ranks_ = launched_ranks();  // or null
  const SavedPictures saved_;
  ProgressDisplay display_{request_.show};
  std::vector<std::string> first_lines_;
  std::vector<std::string> painting_files_;
  std::optional<std::vector<InputDigest>> inputs_;
  Stopwatch since_saved_;
  int exit_code_ = kSuccess;
};

}  // namespace

namespace {

// What came through a pipe cannot be read again.
void check_no_input_is_a_stream(const PaintRequest& request) {
  for (const InputFile& file : input_files(request.names)) {
    if (!is_stream(file.path)) continue;
    fail(ErrorKind::usage,
         "--checkpoint: the {} comes through a pipe, which cannot be read again; save it as a file "
         "first",
         file.role);
  }
}

}  // namespace

void check_unfinished(const std::string& checkpoint) {
  if (is_missing(checkpoint)) return;
  if (read_checkpoint(checkpoint).notes.contains(kFinishedNote)) return;
  fail(ErrorKind::usage,
       "--checkpoint: '{}' is of an unfinished painting; run 'limn resume {}' to continue it, or "
       "remove the file to start over",
       checkpoint, checkpoint);
}

void check_results(const PaintRequest& request, bool saves_on_the_way, CommandFiles& files) {
  check_write_flags(request.write);
  check_output(request.output, request.write, request.recipe.picture.size);
  if (request.report) check_report(*request.report);
  if (is_standard_output(request.output)) {
    if (saves_on_the_way) {
      fail(ErrorKind::usage,
           "--save-every: a pipe takes only one picture; name a file with --output");
    }
  } else {
    files.writes("--output", request.output, "picture");
  }
  if (request.report) files.writes("--report", *request.report, "report");
  if (request.checkpoint) {
    check_replaceable(*request.checkpoint);
    check_no_input_is_a_stream(request);
    files.writes("--checkpoint", *request.checkpoint, "checkpoint");
  }
  files.writes(SavedPictures(request.output, request.recipe));
  ProgressFlags::check(request.show, files);
  files.check();
}

PaintRequest request_of(const Checkpoint& checkpoint, const std::string& path) {
  const auto note = checkpoint.notes.find(kRequestNote);
  if (note == checkpoint.notes.end()) {
    fail(ErrorKind::file,
         "'{}' is a checkpoint of a program that uses limn's library; only that program can resume "
         "it",
         path);
  }
  PaintRequest request = parse_request(note->second, path);
  request.recipe = checkpoint.recipe;
  request.checkpoint = path;
  return request;
}

std::vector<InputDigest> inputs_of(const Checkpoint& checkpoint, const std::string& path) {
  const auto note = checkpoint.notes.find(kInputsNote);
  if (note == checkpoint.notes.end()) return {};
  return parse_inputs(note->second, path);
}

int carry_out(PaintingJob job) { return Job(std::move(job)).run(); }

// ---------------------------------------------------------------------------------------- plans --

namespace {

// `seconds` is none if they were not asked for.
nlohmann::ordered_json as_json(const PaintRequest& request, const Plan& plan, const Model& model,
                               std::optional<double> seconds, int threads) {
  nlohmann::ordered_json json = to_json(request.names, request.output, model);
  json["recipe"] = to_json(plan.recipe);
  json["sizes"] = nlohmann::ordered_json::array();
  const auto sides = [](const Size& size) {
    return nlohmann::ordered_json{{"width", size.width}, {"height", size.height}};
  };
  for (const Level& level : plan.levels) {
    nlohmann::ordered_json entry = sides(level.sizes.picture);
    entry["iterations"] = level.iterations;
    if (level.tile != Size()) entry["tile"] = sides(level.tile);
    if (level.saving != Saving()) entry["saving"] = to_json(level.saving);
    if (!plan.recipe.stages.empty()) entry["stage"] = stage_name(plan.recipe, level.stage);
    for (const Size& painting : level.sizes.paintings) {
      entry["paintings"].push_back(sides(painting));
    }
    json["sizes"].push_back(std::move(entry));
  }
  if (const double dpi = request.write.dpi; dpi > 0) {
    const Size& size = plan.sizes().picture;
    json["print"] = {
        {"dpi", dpi}, {"width_cm", cm_of(size.width, dpi)}, {"height_cm", cm_of(size.height, dpi)}};
  }
  json["iterations"] = plan.recipe.optimiser.iterations;
  json["threads"] = threads;
  if (plan.budget.ranks > 1) json["ranks"] = plan.budget.ranks;
  json["predicted_memory_bytes"] = static_cast<std::int64_t>(plan.bytes);
  if (seconds) json["predicted_seconds"] = *seconds;
  return json;
}

std::string as_text(const PaintRequest& request, const Plan& plan, const Model& model,
                    std::optional<double> seconds, int threads) {
  const bool in_stages = !plan.recipe.stages.empty();
  std::string text = fmt::format("{:<12}{}\n{:<12}{}\n\n{:>14}{:>14}   {}{}\n", "recipe",
                                 plan.recipe.name, "network", model.network(), "pixels",
                                 "iterations", in_stages ? "stage     " : "", "paintings at");
  for (const Level& level : plan.levels) {
    const auto sides = [](const Size& size) {
      return fmt::format("{} x {}", size.width, size.height);
    };
    std::string paintings;
    for (const Size& painting : level.sizes.paintings) {
      paintings += (paintings.empty() ? "" : ", ") + sides(painting);
    }
    const std::string stage =
        in_stages ? fmt::format("{:<10}", stage_name(plan.recipe, level.stage)) : "";
    text += fmt::format("{:>14}{:>14}   {}{}\n", sides(level.sizes.picture), level.iterations,
                        stage, paintings);
  }
  const Size& size = plan.sizes().picture;
  text += fmt::format("\n{:<12}{}, {} x {} pixels\n", "picture",
                      request.output.empty() ? "-" : request.output, size.width, size.height);
  if (request.write.dpi > 0) {
    text += fmt::format("{:<12}{}\n", "print", print_text(size, request.write.dpi));
  }
  const int ranks = plan.budget.ranks;
  text += fmt::format("{:<12}about {}{}\n", "memory",
                      bytes_text(static_cast<std::uint64_t>(plan.bytes)),
                      ranks > 1 ? fmt::format(" for each of {} ranks", ranks) : "");
  if (const std::string chosen = chosen_text(plan); !chosen.empty()) {
    text += fmt::format("{:<12}{}\n", "saved by", chosen);
  }
  if (!seconds) return text;
  return text + fmt::format("{:<12}about {} on {} thread{}\n", "time", clock_text(*seconds),
                            threads, threads == 1 ? "" : "s");
}

}  // namespace

void print_plan(PaintRequest request, const PlanFlags& flags) {
  const std::span<const Recipe> recipes(&request.recipe, 1);
  OpenedInputs opened(request.names, recipes, {.max_pixels = request.max_pixels});
  const Size result = opened.result(request.recipe);
  check_write_flags(request.write);
  if (!is_output_folder(request.output)) {
    check_format(request.output, request.write, std::max(result.height, result.width));
  }
  const Model model =
      read_model(request.weights, std::span(&request.recipe, 1), request.network_given);
  const LaunchedRanks* const ranks = launched_ranks();
  Plan plan =
      opened.plan(model, recipes, within_machine(request.budget, ranks), result_file(request))
          .front();
  if (ranks) share_cores(*ranks, plan);
  if (ranks) share_tiles(*ranks, plan);
  const int asked = plan.recipe.picture.threads;
  const int threads = asked == 0 ? available_cores() : asked;
  std::optional<double> seconds;
  if (!flags.untimed) seconds = estimated_seconds(model, plan);
  print(flags.json ? as_json(request, plan, model, seconds, threads).dump(2) + "\n"
                   : as_text(request, plan, model, seconds, threads));
}

}  // namespace limn
