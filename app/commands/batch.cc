// limn batch
#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <utility>

#include "base/file.h"
#include "base/folder.h"
#include "base/stopwatch.h"
#include "batch/gallery.h"
#include "batch/names.h"
#include "batch/run.h"
#include "batch/sheet.h"
#include "commands/batch_flags.h"
#include "commands/batch_help.h"
#include "commands/batch_report.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/report.h"
#include "show/interrupt.h"

namespace limn {
namespace {

// Between two writings of a report that grows.
constexpr double kReportSeconds = 10;

class BatchCommand {
 public:
  explicit BatchCommand(const BatchFlags& flags)
      : flags_(flags), shard_(flags.shard.empty() ? Shard() : parse_shard(flags.shard)) {}

  int run() const;

 private:
  std::vector<BatchTask> own_tasks() const;
  int carry_out(const Model& model, std::vector<BatchItem> items) const;
  void write_report(const BatchRun& run, const Model& model, double seconds) const;
  void write_overviews(const BatchRun& run) const;

  const BatchFlags& flags_;
  const Shard shard_;
};

// Those of the shard. All get their names first, which are the same whatever the shard.
std::vector<BatchTask> BatchCommand::own_tasks() const {
  std::vector<BatchTask> tasks = flags_.tasks();
  give_names(tasks);
  const auto [begin, end] = tasks_of(shard_, tasks.size());
  if (begin == end) {
    ProgressDisplay(flags_.progress.options())
        .note(fmt::format("there are {} pictures: none for shard {} of {}", tasks.size(),
                          shard_.number, shard_.count));
  }
  return {std::make_move_iterator(tasks.begin() + static_cast<std::ptrdiff_t>(begin)),
          std::make_move_iterator(tasks.begin() + static_cast<std::ptrdiff_t>(end))};
}

// The folder of the results, which is made. It is removed again if nothing comes into it, unless
// other shards may be about to.
class ResultFolder {
 public:
  ResultFolder(const std::string& path, const Shard& shard)
      : path_(path), is_new_(shard.is_whole() && is_missing(path)) {
    make_folder(path);
  }
  ~ResultFolder() {
    std::error_code ignored;
    if (is_new_) std::filesystem::remove(path_, ignored);  // only if it is empty
  }
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;

 private:
  const std::string path_;
  const bool is_new_;
};

// The weights, for the recipes of all of them, which learn what network it is.
Model read_model(const PaintingArguments& arguments, std::span<BatchItem> items) {
  std::vector<Recipe> recipes;
  recipes.reserve(items.size());
  for (const BatchItem& item : items) recipes.push_back(item.request.recipe);
  Model model = arguments.model(recipes);
  for (size_t i = 0; i < items.size(); ++i) items[i].request.recipe = std::move(recipes[i]);
  return model;
}

// "prints" for prints/
std::string title_of_folder(const std::string& path) {
  std::error_code ignored;  // the current directory may have been removed
  const std::filesystem::path whole = std::filesystem::absolute(path, ignored).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

void BatchCommand::write_report(const BatchRun& run, const Model& model, double seconds) const {
  if (!flags_.report) return;
  limn::write_report(batch_report(run, model, flags_.output, shard_, seconds),
                     file_of(shard_, *flags_.report));
}

void BatchCommand::write_overviews(const BatchRun& run) const {
  const bool any = run.count(ItemState::painted) + run.count(ItemState::up_to_date) > 0;
  if (flags_.sheet && any) write_image(batch_sheet(run.items()), file_of(shard_, *flags_.sheet));
  if (!flags_.html) return;
  const std::string path = file_of(shard_, *flags_.html);
  replace_file(path, gallery_page(run.items(), title_of_folder(flags_.output), path));
}

int BatchCommand::carry_out(const Model& model, std::vector<BatchItem> items) const {
  const Stopwatch clock;
  BatchRun run(model, std::move(items));
  run.look(flags_.again);
  if (flags_.dry_run) {
    print_batch(run, model, flags_.plan.json, !flags_.plan.untimed);
    return kSuccess;
  }
  const ShowOptions show = flags_.progress.options();
  ProgressDisplay display(show);
  display.note(fmt::format("{} to paint, {} up to date{}", run.count(ItemState::waiting),
                           run.count(ItemState::up_to_date), flags_.arguments.drawn_seed_note()));
  for (const BatchItem& item : run.items()) {
    if (item.state == ItemState::failed) tell(display, item, {});
  }
  Stopwatch since_report;
  run.paint(display, show.style, [&](const BatchItem& item, const BatchPlace& place) {
    tell(display, item, place);
    if (since_report() < kReportSeconds) return;
    write_report(run, model, clock());
    since_report = Stopwatch();
  });
  display.finish();
  write_report(run, model, clock());
  write_overviews(run);
  const bool stopped = interrupted() && run.count(ItemState::waiting) > 0;
  tell_end(display, run, flags_.output, stopped, clock());
  if (stopped) return kInterrupted;
  return run.count(ItemState::failed) > 0 ? kSomeFailed : kSuccess;
}

int BatchCommand::run() const {
  const std::vector<BatchTask> tasks = own_tasks();
  if (tasks.empty()) return kSuccess;
  std::vector<BatchItem> items = flags_.items(tasks);
  const ResultFolder folder(flags_.output, shard_);
  flags_.check_files(items, shard_);
  const Model model = read_model(flags_.arguments, items);
  catch_interrupts();
  return carry_out(model, std::move(items));
}

}  // namespace

void add_batch_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("batch", kBatchDescription);
  command->footer(kBatchExamples);
  const auto flags = std::make_shared<BatchFlags>();
  flags->add_to(*command);
  command->callback([flags, &exit_code] {
    flags->check();
    exit_code = BatchCommand(*flags).run();
  });
}

}  // namespace limn
