#include "work/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "canvas/initial.h"
#include "request/inputs.h"
#include "work/job_files.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInputsFolder = "inputs";
constexpr const char* kRecipeFile = "recipe.toml";

// What a command is given: its arguments in their order, and the flags that name pictures.
struct CommandInputs {
  JobKind kind;
  std::vector<std::string_view> arguments, pictures, flags;
};

const CommandInputs& inputs_of(JobKind kind) {
  static const std::vector<std::string_view> masks = {"mask-content", "mask-style", "mask-keep"};
  static const std::array<CommandInputs, 5> known = {{
      {JobKind::paint, {"photo", "painting"}, masks, {"bits"}},
      {JobKind::texture, {"exemplar"}, {}, {"bits", "size", "shifts"}},
      {JobKind::inpaint, {"picture"}, {"hole", "from"}, {"bits"}},
      {JobKind::season, {"photo", "example"}, masks, {"bits"}},
      {JobKind::sweep, {"photo", "painting"}, masks, {"bits", "vary"}},
  }};
  return *std::ranges::find(known, kind, &CommandInputs::kind);
}

bool has(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// The bytes of the UTF-8 character that begins there; 0: none does.
size_t character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  size_t length = 0;
  if (first >= 0xC2 && first < 0xE0) length = 2;
  if (first >= 0xE0 && first < 0xF0) length = 3;
  if (first >= 0xF0 && first < 0xF5) length = 4;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = at + 1; i < at + length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// Brackets would name a frame, and quotes would end the name in messages.
bool is_harmless(unsigned char c) {
  constexpr std::string_view kOdd = "/\\'\"`[]<>|*?:";
  return c >= 0x20 && c != 0x7F && kOdd.find(static_cast<char>(c)) == kOdd.npos;
}

// "oil-2.jpg"
std::string numbered(const std::string& name, int number) {
  const fs::path path(name);
  return fmt::format("{}-{}{}", path.stem().string(), number, path.extension().string());
}

// The inputs' names in the folder, in their order; "none" for a mask that is left out.
std::vector<std::string> names_of(const std::vector<JobInput>& inputs) {
  std::vector<std::string> names;
  names.reserve(inputs.size());
  for (const JobInput& input : inputs) {
    const std::string wish = harmless_name(input.name);
    std::string name = wish;
    for (int number = 2; std::ranges::count(names, name) > 0; ++number) {
      name = numbered(wish, number);
    }
    names.push_back(input.file.empty() ? std::string(kNoMask) : name);
  }
  return names;
}

std::string path_in_folder(const JobInput& input, const std::string& name) {
  if (input.file.empty()) return name;
  return fmt::format("{}/{}", kInputsFolder, name);
}

void check_inputs(const Job& job) {
  const CommandInputs& command = inputs_of(job.request.kind);
  for (const JobInput& input : job.request.inputs) {
    const bool known = has(command.arguments, input.role) || has(command.pictures, input.role);
    const bool left_out = input.file.empty() && input.role.starts_with("mask-");
    if (known && (Files::is_id(input.file) || left_out)) continue;
    fail(ErrorKind::usage, "limn {} has no picture '{}'", name_of(job.request.kind),
         printable(input.role));
  }
  for (const auto& [flag, value] : job.request.flags) {
    if (has(command.flags, flag)) continue;
    fail(ErrorKind::usage, "limn {} has no flag '--{}' for jobs", name_of(job.request.kind),
         printable(flag));
  }
}

// What a sweep varies may be any setting but the one that names a file.
void check_varied(const std::string& value) {
  const std::string key = value.substr(0, value.find('='));
  if (key != "init" && key != "picture.init") return;
  fail(ErrorKind::usage, "--vary: a job cannot vary '{}', which may name files", printable(key));
}

// How the recipe is carried out is for this machine to say; which files are opened, for the job's
// inputs.
Recipe own_recipe(const std::string& toml, const PaintingTerms& terms) {
  Recipe recipe = parse_recipe(toml, "the job's recipe");
  if (names_picture(recipe.picture.init)) {
    fail(ErrorKind::usage, "the job's recipe begins with a file, '{}'; a job has no such input",
         printable(recipe.picture.init));
  }
  recipe.picture.threads = terms.threads;
  recipe.output.save_every = 0;
  return recipe;
}

// The command with its pictures, recipe and flags.
std::vector<std::string> what_to_paint(const Job& job) {
  check_inputs(job);
  const JobRequest& request = job.request;
  const CommandInputs& command = inputs_of(request.kind);
  const std::vector<std::string> names = names_of(request.inputs);
  std::vector<std::string> arguments = {name_of(request.kind)};
  for (const std::string_view role : command.arguments) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (request.inputs[i].role != role) continue;
      arguments.push_back(path_in_folder(request.inputs[i], names[i]));
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (!has(command.pictures, request.inputs[i].role)) continue;
    arguments.push_back("--" + request.inputs[i].role);
    arguments.push_back(path_in_folder(request.inputs[i], names[i]));
  }
  arguments.insert(arguments.end(), {"--recipe", fmt::format("./{}", kRecipeFile)});
  for (const auto& [flag, value] : request.flags) {
    if (flag == "vary") check_varied(value);
    if (flag != "bits") arguments.push_back(fmt::format("--{}={}", flag, value));
  }
  return arguments;
}

// Sixteen bits, of which every format and depth can be made later; a sheet is to be looked at.
std::string bits_of(const Job& job) {
  for (const auto& [flag, value] : job.request.flags) {
    if (flag == "bits") return value;
  }
  return job.request.kind == JobKind::sweep ? "8" : "16";
}

void add_results(std::vector<std::string>& arguments) {
  arguments.insert(arguments.end(), {"-o", kResultFile, "--report", kReportFile, "--progress",
                                     "json", "--preview", kPreviewFile});
}

// A sheet has no budget: the same tiles would have to fit all of its pictures.
void add_memory(const Job& job, const PaintingTerms& terms, std::vector<std::string>& arguments) {
  if (terms.memory <= 0 || job.request.kind == JobKind::sweep) return;
  arguments.push_back(fmt::format("--memory={:.0f}", terms.memory));
}

// What limn writes is hidden until it is whole.
void remove_hidden_files(const fs::path& folder) {
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    std::error_code each;
    if (entry->path().filename().string().starts_with('.')) fs::remove(entry->path(), each);
  }
}

}  // namespace

bool keeps_state(JobKind kind) { return kind != JobKind::sweep; }

std::string harmless_name(const std::string& name) {
  constexpr size_t kLongest = 100;  // bytes
  std::string harmless;
  const std::string_view all = std::string_view(name).substr(name.find_last_of("/\\") + 1);
  for (size_t at = 0; at < all.size();) {
    const size_t length = character_at(all, at);
    const bool fine =
        length > 1 || (length == 1 && is_harmless(static_cast<unsigned char>(all[at])));
    if (harmless.size() + std::max<size_t>(1, length) > kLongest) break;
    harmless += fine ? std::string(all.substr(at, length)) : "_";
    at += std::max<size_t>(1, length);
  }
  harmless.erase(0, harmless.find_first_not_of(". "));
  return harmless.empty() || harmless == kNoMask ? "picture" : harmless;
}

void prepare_folder(const Files& files, const Job& job, const PaintingTerms& terms) {
  check_inputs(job);
  const Recipe recipe = own_recipe(job.request.recipe, terms);
  const fs::path folder = files.folder_of_job(job.id);
  const fs::path inputs = folder / kInputsFolder;
  std::error_code error;
  fs::remove_all(inputs, error);
  fs::remove_all(folder / kScratchFolder, error);
  fs::create_directory(inputs, error);
  if (!error) fs::create_directory(folder / kScratchFolder, error);
  remove_hidden_files(folder);
  const std::vector<std::string> names = names_of(job.request.inputs);
  for (size_t i = 0; i < names.size() && !error; ++i) {
    const JobInput& input = job.request.inputs[i];
    if (input.file.empty()) continue;
    if (!files.hold(input.file)) {
      fail(ErrorKind::usage, "the {} '{}' is no longer here", input.role, printable(input.name));
    }
    const fs::path file = files.path_of(input.file);
    const fs::path target = fs::path("../../../") / file.lexically_relative(files.folder());
    fs::create_symlink(target, inputs / names[i], error);
  }
  const auto failed = [&](const std::string& cause) {
    fail(ErrorKind::resources, "cannot write to the job's folder '{}': {}", folder.string(), cause);
  };
  if (error) failed(error.message());
  const int not_kept = replace_plain(folder.string(), kRecipeFile, to_toml(recipe));
  if (not_kept != 0) failed(std::strerror(not_kept));
}

std::vector<std::string> arguments_to_paint(const Job& job, const PaintingTerms& terms) {
  std::vector<std::string> arguments = what_to_paint(job);
  arguments.push_back(fmt::format("--bits={}", bits_of(job)));
  add_memory(job, terms, arguments);
  add_results(arguments);
  if (keeps_state(job.request.kind)) {
    arguments.insert(arguments.end(), {"--checkpoint", kStateFile, "--checkpoint-every",
                                       fmt::format("{}", terms.checkpoint)});
  }
  return arguments;
}

std::vector<std::string> arguments_to_resume(const PaintingTerms& terms) {
  std::vector<std::string> arguments = {"resume",
                                        kStateFile,
                                        "--threads",
                                        fmt::format("{}", terms.threads),
                                        "--checkpoint-every",
                                        fmt::format("{}", terms.checkpoint)};
  add_results(arguments);
  return arguments;
}

std::vector<std::string> arguments_to_plan(const Job& job, const PaintingTerms& terms) {
  std::vector<std::string> arguments = what_to_paint(job);
  add_memory(job, terms, arguments);
  if (job.request.kind == JobKind::sweep) arguments.insert(arguments.end(), {"-o", kResultFile});
  arguments.insert(arguments.end(), {"--dry-run", "--json", "--untimed", "--progress", "json"});
  return arguments;
}

}  // namespace limn
