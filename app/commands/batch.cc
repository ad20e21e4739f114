// limn batch
#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/stopwatch.h"
#include "batch/crossing.h"
#include "batch/gallery.h"
#include "batch/list.h"
#include "batch/names.h"
#include "batch/run.h"
#include "batch/shard.h"
#include "batch/sheet.h"
#include "commands/batch_help.h"
#include "commands/batch_report.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/painting.h"
#include "commands/report.h"
#include "image/label.h"
#include "image/write.h"
#include "request/arguments.h"
#include "request/command_files.h"
#include "request/memory_flags.h"
#include "request/outputs.h"
#include "request/progress_flags.h"
#include "show/interrupt.h"

namespace limn {
namespace {

// Between two writings of a report that grows.
constexpr double kReportSeconds = 10;

struct BatchCommand {
  PaintingArguments arguments;
  std::vector<std::string> photos, paintings;
  bool pairs = false;
  std::optional<std::string> list;
  std::string output;
  std::optional<std::string> sheet, html, report;
  std::string shard_text;
  bool again = false;
  WriteOptions write;
  MemoryFlags memory;
  ProgressFlags progress;
  bool dry_run = false;
  PlanFlags plan;

  Shard shard;

  void add_to(CLI::App& command);
  void add_inputs_to(CLI::App& command);
  void add_outputs_to(CLI::App& command);
  int run();
  int carry_out(const Model& model, std::vector<BatchItem> items) const;

  void check_flags() const;
  std::vector<BatchTask> tasks() const;
  std::vector<BatchItem> items(std::span<const BatchTask> tasks) const;
  Recipe recipe_of(const BatchTask& task) const;
  void check_one_network(std::span<const BatchItem> items) const;
  void check_folder() const;
  void check_files(std::span<const BatchItem> items) const;
  void write_overviews(const BatchRun& run) const;
};

void BatchCommand::add_inputs_to(CLI::App& command) {
  command
      .add_option("PHOTO", photos, "Photos to paint: files, and folders, of which every picture is")
      ->type_name("FILE|FOLDER");
  command
      .add_option("--paintings", paintings,
                  "Paintings whose styles to use: files, and folders, of which every picture is a "
                  "style of its own. Each photo is painted in each style")
      ->type_name("FILE|FOLDER");
  command.add_flag("--pairs", pairs,
                   "Paint the first photo in the first style, the second in the second, and so on");
  command
      .add_option("--list", list,
                  "Paint what this table lists in place of PHOTO and --paintings: CSV or TOML, with "
                  "a photo and a painting a line, and settings of its own")
      ->type_name("FILE");
}

void BatchCommand::add_outputs_to(CLI::App& command) {
  command
      .add_option("-o,--output", output,
                  "The folder of the results, which is made if it is not there")
      ->type_name("FOLDER")
      ->required();
  add_write_flags(command, write);
  command.add_flag("--again", again, "Paint all of them, those that are up to date too");
  command
      .add_option("--shard", shard_text,
                  "Paint the I'th of N parts of the batch, for N machines or jobs; sheet, gallery "
                  "and report are then the part's own, and say so in their names")
      ->type_name("I/N");
  command.add_option("--sheet", sheet, "Also write a contact sheet of the results")
      ->type_name("FILE");
  command.add_option("--html", html, "Also write a gallery of the results: one page for a browser")
      ->type_name("FILE.html");
  command
      .add_option("--report", report, "Write what became of each picture as JSON, failures too")
      ->type_name("FILE.json");
}

void BatchCommand::add_to(CLI::App& command) {
  add_inputs_to(command);
  add_outputs_to(command);
  arguments.add_settings_to(command);
  memory.add_to(command);
  CLI::Option* dry = command.add_flag(
      "--dry-run", dry_run, "Only print what would be painted: each picture, memory, time");
  command.add_flag("--json", plan.json, "Print it as JSON")->needs(dry);
  command.add_flag("--untimed", plan.untimed, "Leave out the time, which takes seconds to measure")
      ->needs(dry);
  progress.add_to(command);
}

void BatchCommand::check_flags() const {
  check_write_flags(write);
  if (list && (!photos.empty() || !paintings.empty() || pairs)) {
    fail(ErrorKind::usage,
         "--list: names the photos and paintings itself; leave out PHOTO, --paintings and --pairs");
  }
  if (!list && photos.empty()) {
    fail(ErrorKind::usage, "PHOTO: no photo was given; name files or folders, or use --list FILE");
  }
  if (!list && paintings.empty()) {
    fail(ErrorKind::usage, "--paintings: no painting was given; name files or folders");
  }
  if (arguments.given("output.save_every")) {
    fail(ErrorKind::usage, "--save-every: a batch does not save intermediate pictures");
  }
  const std::string ending = write.format.empty() ? "png" : write.format;
  if (!again && !keeps_notes("picture." + ending, write)) {
    fail(ErrorKind::usage,
         "--format: a file in the format '{}' cannot say how it was painted, so that all would be "
         "painted anew each time; choose png, jpg, webp or tif, or add --again",
         ending);
  }
}

std::vector<BatchTask> BatchCommand::tasks() const {
  if (list) return read_list(*list);
  const std::vector<std::string> each_photo = pictures_named(photos, "photo");
  const std::vector<std::string> each_painting = pictures_named(paintings, "painting");
  return pairs ? paired(each_photo, each_painting) : crossed(each_photo, each_painting);
}

Recipe BatchCommand::recipe_of(const BatchTask& task) const {
  return arguments.recipe(task.recipe.value_or(arguments.recipe_name()), task.settings,
                          task.origin);
}

std::vector<BatchItem> BatchCommand::items(std::span<const BatchTask> tasks) const {
  // Most tasks have the same recipe.
  std::map<std::pair<std::optional<std::string>, std::map<std::string, std::string>>, Recipe> known;
  const std::string ending = write.format.empty() ? "png" : write.format;
  std::vector<BatchItem> items;
  items.reserve(tasks.size());
  for (const BatchTask& task : tasks) {
    BatchItem& item = items.emplace_back();
    item.origin = task.origin;
    PaintRequest& request = item.request;
    request.names.photo = task.photo;
    request.names.paintings = task.paintings;
    auto recipe = known.find({task.recipe, task.settings});
    if (recipe == known.end()) {
      recipe = known.emplace(std::pair(task.recipe, task.settings), recipe_of(task)).first;
    }
    request.recipe = recipe->second;
    request.max_pixels = arguments.read_options().max_pixels;
    request.budget = memory.given();
    request.network_given = arguments.given("network.name");
    request.output = (std::filesystem::path(output) / (task.name + "." + ending)).string();
    request.write = write;
    request.write.dpi = arguments.dpi();
  }
  check_one_network(items);
  const std::optional<std::string> weights = arguments.weights_file(items.front().request.recipe);
  for (BatchItem& item : items) item.request.weights = weights;
  return items;
}

void BatchCommand::check_one_network(std::span<const BatchItem> items) const {
  const std::string& network = items.front().request.recipe.network.name;
  for (const BatchItem& item : items) {
    if (item.request.recipe.network.name == network) continue;
    fail(ErrorKind::usage,
         "{}: recipe '{}' is for the network {}, but those before it are for {}; a batch reads one "
         "network, so paint them apart",
         item.origin, item.request.recipe.name, item.request.recipe.network.name, network);
  }
}

// Results among the photos would be photos the next time.
void BatchCommand::check_folder() const {
  if (output.empty()) fail(ErrorKind::usage, "--output: needs the name of a folder");
  if (!is_missing(output) && !is_folder(output)) {
    fail(ErrorKind::file, "--output: '{}' is a file, but results go into a folder", output);
  }
  const std::optional<FileIdentity> folder = identity_of(output);
  for (const std::vector<std::string>* names : {&photos, &paintings}) {
    for (const std::string& name : *names) {
      if (!is_folder(name) || !folder || identity_of(name) != folder) continue;
      fail(ErrorKind::usage,
           "--output: '{}' is also where pictures are taken from, so that results would be painted "
           "the next time; choose another folder, one inside it for instance",
           output);
    }
  }
}

void BatchCommand::check_files(std::span<const BatchItem> items) const {
  CommandFiles files;
  if (list) files.reads(*list, "list");
  arguments.add_recipe_file(files);
  std::vector<Recipe> recipes;
  recipes.reserve(items.size());
  std::map<std::string, std::string_view> inputs;  // each once, with its role
  for (const BatchItem& item : items) {
    for (const InputFile& file : input_files(item.request.names)) inputs[file.path] = file.role;
    recipes.push_back(item.request.recipe);
  }
  for (const auto& [path, role] : inputs) files.reads_picture(path, std::string(role));
  arguments.add_inputs_of(recipes, files);
  for (const BatchItem& item : items) files.writes("--output", item.request.output, "picture");
  const auto add = [&](const char* flag, const std::optional<std::string>& path, const char* role) {
    if (path) files.writes(flag, file_of(shard, *path), role);
  };
  if (sheet) {
    check_labels();
    check_sheet(items);
    check_writable(file_of(shard, *sheet));
  }
  if (html) check_replaceable(file_of(shard, *html));
  if (report) check_report(file_of(shard, *report));
  add("--sheet", sheet, "sheet");
  add("--html", html, "gallery");
  add("--report", report, "report");
  ProgressFlags::check(progress.options(), files);
  files.check();
}

void BatchCommand::write_overviews(const BatchRun& run) const {
  const bool any = run.count(ItemState::painted) + run.count(ItemState::up_to_date) > 0;
  if (sheet && any) write_image(batch_sheet(run.items()), file_of(shard, *sheet));
  if (!html) return;
  std::error_code ignored;
  const std::filesystem::path folder = std::filesystem::absolute(output, ignored).lexically_normal();
  const std::string title =
      (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  const std::string path = file_of(shard, *html);
  replace_file(path, gallery_page(run.items(), title, path));
}

int BatchCommand::carry_out(const Model& model, std::vector<BatchItem> items) const {
  const Stopwatch clock;
  BatchRun run(model, std::move(items));
  run.look(again);
  if (dry_run) {
    print_batch(run, model, plan.json, !plan.untimed);
    return kSuccess;
  }
  const ShowOptions show = progress.options();
  ProgressDisplay display(show);
  const std::string seed = arguments.drawn_seed_note();
  display.note(fmt::format("{} to paint, {} up to date{}", run.count(ItemState::waiting),
                           run.count(ItemState::up_to_date), seed));
  for (const BatchItem& item : run.items()) {
    if (item.state == ItemState::failed) tell(display, item, 0, run.items().size(), -1);
  }
  Stopwatch since_report;
  const auto write_report = [&] {
    if (!report) return;
    limn::write_report(batch_report(run, model, output, shard, clock()), file_of(shard, *report));
    since_report = Stopwatch();
  };
  run.paint(display, show.style,
            [&](const BatchItem& item, std::size_t number, std::size_t count, double left) {
              tell(display, item, number, count, left);
              if (since_report() > kReportSeconds) write_report();
            });
  display.finish();
  write_report();
  write_overviews(run);
  const bool stopped = interrupted() && run.count(ItemState::waiting) > 0;
  tell_end(display, run, output, stopped, clock());
  if (stopped) return kInterrupted;
  return run.count(ItemState::failed) > 0 ? kSomeFailed : kSuccess;
}

int BatchCommand::run() {
  check_flags();
  check_folder();
  if (!shard_text.empty()) shard = parse_shard(shard_text);
  std::vector<BatchTask> all = tasks();
  give_names(all);
  const ShardTasks part = tasks_of(shard, all.size());
  const std::span<const BatchTask> mine = std::span(all).subspan(part.begin, part.end - part.begin);
  if (mine.empty()) {
    ProgressDisplay(progress.options())
        .note(fmt::format("there are {} pictures: none for shard {} of {}", all.size(),
                          shard.number, shard.count));
    return kSuccess;
  }
  std::vector<BatchItem> items = this->items(mine);
  check_files(items);
  std::vector<Recipe> recipes;
  recipes.reserve(items.size());
  for (BatchItem& item : items) recipes.push_back(std::move(item.request.recipe));
  const Model model = arguments.model(recipes);
  for (size_t i = 0; i < items.size(); ++i) items[i].request.recipe = std::move(recipes[i]);
  if (!dry_run) make_folder(output);
  catch_interrupts();
  return carry_out(model, std::move(items));
}

}  // namespace

void add_batch_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("batch", kBatchDescription);
  command->footer(kBatchExamples);
  const auto batch = std::make_shared<BatchCommand>();
  batch->add_to(*command);
  command->callback([batch, &exit_code] { exit_code = batch->run(); });
}

}  // namespace limn
