#include "commands/batch_flags.h"

#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "batch/crossing.h"
#include "batch/list.h"
#include "batch/sheet.h"
#include "image/label.h"
#include "image/write.h"
#include "request/command_files.h"
#include "request/inputs.h"
#include "request/outputs.h"

namespace limn {

void BatchFlags::add_inputs_to(CLI::App& command) {
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
      .add_option(
          "--list", list,
          "Paint what this table lists in place of PHOTO and --paintings: CSV or TOML, with "
          "a photo and a painting a line, and settings of its own")
      ->type_name("FILE");
}

void BatchFlags::add_outputs_to(CLI::App& command) {
  command
      .add_option("-o,--output", output,
                  "The folder of the results, which is made if it is not there")
      ->type_name("FOLDER")
      ->required();
  add_write_flags(command, write);
  command.add_flag("--again", again, "Paint all of them, those that are up to date too");
  command
      .add_option("--shard", shard,
                  "Paint the I'th of N parts of the batch, for N machines or jobs; sheet, gallery "
                  "and report are then the part's own, and say so in their names")
      ->type_name("I/N");
  command.add_option("--sheet", sheet, "Also write a contact sheet of the results")
      ->type_name("FILE");
  command.add_option("--html", html, "Also write a gallery of the results: one page for a browser")
      ->type_name("FILE.html");
  command.add_option("--report", report, "Write what became of each picture as JSON, failures too")
      ->type_name("FILE.json");
}

void BatchFlags::add_to(CLI::App& command) {
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

void BatchFlags::check() const {
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
  check_folder();
}

std::vector<BatchTask> BatchFlags::tasks() const {
  if (list) return read_list(*list);
  const std::vector<std::string> each_photo = pictures_named(photos, "photo");
  const std::vector<std::string> each_painting = pictures_named(paintings, "painting");
  return pairs ? paired(each_photo, each_painting) : crossed(each_photo, each_painting);
}

Recipe BatchFlags::recipe_of(const BatchTask& task) const {
  return arguments.recipe(task.recipe.value_or(arguments.recipe_name()), task.settings,
                          task.origin);
}

PaintRequest BatchFlags::request_of(const BatchTask& task, const Recipe& recipe) const {
  PaintRequest request;
  request.names.photo = task.photo;
  request.names.paintings = task.paintings;
  request.recipe = recipe;
  request.max_pixels = arguments.read_options().max_pixels;
  request.budget = memory.given();
  request.network_given = arguments.given("network.name");
  const std::string ending = write.format.empty() ? "png" : write.format;
  request.output = (std::filesystem::path(output) / (task.name + "." + ending)).string();
  request.write = write;
  request.write.dpi = arguments.dpi();
  return request;
}

std::vector<BatchItem> BatchFlags::items(std::span<const BatchTask> tasks) const {
  // Most tasks have the same recipe.
  std::map<std::pair<std::optional<std::string>, std::map<std::string, std::string>>, Recipe> known;
  std::vector<BatchItem> items;
  items.reserve(tasks.size());
  for (const BatchTask& task : tasks) {
    auto recipe = known.find({task.recipe, task.settings});
    if (recipe == known.end()) {
      recipe = known.emplace(std::pair(task.recipe, task.settings), recipe_of(task)).first;
    }
    BatchItem& item = items.emplace_back();
    item.origin = task.origin;
    item.request = request_of(task, recipe->second);
  }
  check_one_network(items);
  const std::optional<std::string> weights = arguments.weights_file(items.front().request.recipe);
  for (BatchItem& item : items) item.request.weights = weights;
  return items;
}

void BatchFlags::check_one_network(std::span<const BatchItem> items) const {
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
void BatchFlags::check_folder() const {
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

void BatchFlags::check_files(std::span<const BatchItem> items, const Shard& part) const {
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
    if (path) files.writes(flag, file_of(part, *path), role);
  };
  if (sheet) {
    check_labels();
    check_sheet(items);
    check_writable(file_of(part, *sheet));
  }
  if (html) check_replaceable(file_of(part, *html));
  if (report) check_report(file_of(part, *report));
  add("--sheet", sheet, "sheet");
  add("--html", html, "gallery");
  add("--report", report, "report");
  ProgressFlags::check(progress.options(), files);
  files.check();
}

}  // namespace limn
