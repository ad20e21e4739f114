#include "work/job_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"
#include "work/job_files.h"

namespace limn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr double kMebibyte = 1 << 20;
constexpr double kGibibyte = 1 << 30;

// A plan needs the pictures' headers; a texture's also decodes it.
constexpr double kPlanMemory = 4 * kGibibyte;
constexpr double kPlanSeconds = 120;

// What the plan predicts is off by up to a third where decoders differ; a preview and a sheet come
// to it.
constexpr double kMemoryFactor = 2;
// A plan keeps a tenth of its budget free (paint/plan.cc); a little more, and it fits again.
constexpr double kMargin = 1.15;
constexpr double kMemoryBesides = 512 * kMebibyte;
// Reserved, not used: libraries, stacks and the C library's arenas, one for each thread.
constexpr double kAddressesBesides = 2 * kGibibyte;
constexpr double kAddressesPerThread = 256 * kMebibyte;
// A state is about as large as what it keeps of memory.
constexpr double kFileBesides = kGibibyte;

constexpr double kBetweenLooks = 0.1;        // seconds
constexpr std::size_t kMostLog = 256 << 10;  // bytes
constexpr double kLittleDisk = 32 * kMebibyte;

// Address sanitizers reserve terabytes.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitsAddresses = false;
#else
constexpr bool kLimitsAddresses = true;
#endif

// Exit codes of limn's commands (commands/exit_code.h), which are part of its interface.
constexpr int kPainted = 0;
constexpr int kBadFile = 3;
constexpr int kTooLarge = 4;
constexpr int kStopped = 130;

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

std::string mebibytes(double bytes) { return fmt::format("{:.0f} MB", bytes / 1e6); }

}  // namespace

JobRun::JobRun(Assignment& assignment, const Files& files, MemoryBudget& memory,
               MemoryBudget& plans, const PainterTerms& terms, const WorkerCalls& worker)
    : assignment_(assignment),
      job_(assignment.job),
      files_(files),
      memory_(memory),
      plans_(plans),
      terms_(terms),
      worker_(worker),
      bytes_(job_.bytes) {}

std::optional<JobOutcome> JobRun::run() {
  JobOutcome outcome;
  try {
    outcome = attempt();
  } catch (const Error& error) {
    // A bad job stays bad; a disk or a machine in trouble does not.
    const bool its_own = error.kind() == ErrorKind::usage;
    outcome = {its_own ? Ending::refused : Ending::handed_back, without_paths(error.what()), false};
  } catch (const std::exception& error) {
    outcome = {Ending::handed_back, error.what(), false};
  }
  if (assignment_.lost) return {};
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(fs::path(folder_) / kScratchFolder, ignored);
  return outcome;
}

JobOutcome JobRun::attempt() {
  folder_ = fs::absolute(files_.folder_of_job(job_.id)).string();
  prepare_folder(files_, job_, terms_.painting);
  log(fmt::format("attempt {} by '{}'", job_.attempts, job_.worker));
  if (bytes_ <= 0) {
    if (std::optional<JobOutcome> early = plan()) return *early;
    worker_.planned(bytes_);
  }
  if (bytes_ > memory_.whole()) {
    return {Ending::refused,
            fmt::format("it needs about {} of memory, but the painters of '{}' have {}; choose a "
                        "smaller size",
                        mebibytes(bytes_), job_.worker, mebibytes(memory_.whole())),
            false};
  }
  const MemoryBudget::Share share = memory_.take(bytes_, [&] {
    if (job_.request.preview) worker_.make_room();
    return is_asked_to_stop();
  });
  if (!share) return {Ending::stopped, "", false};
  return paint();
}

bool JobRun::is_asked_to_stop() const {
  return assignment_.lost || assignment_.wish != Wish::go_on || assignment_.make_room ||
         worker_.draining();
}

// ------------------------------------------------------------------------------------ processes --

double JobRun::most_memory() const { return kMemoryFactor * bytes_ + kMemoryBesides; }

ProcessRequest JobRun::process(std::vector<std::string> arguments, double bytes) const {
  ProcessRequest request;
  request.command = std::move(arguments);
  request.command.insert(request.command.begin(), terms_.program);
  request.folder = folder_;
  request.temporary = (fs::path(folder_) / kScratchFolder).string();
  SandboxLimits& limits = request.limits;
  if (kLimitsAddresses) {
    limits.address_space =
        bytes + kAddressesBesides + kAddressesPerThread * terms_.painting.threads;
  }
  limits.file_size = bytes + kFileBesides;
  limits.core_seconds = terms_.patience * terms_.painting.threads;
  limits.cores = terms_.cores;
  limits.readable = readable_by_painters(terms_.program);
  limits.readable.insert(limits.readable.end(), {"/etc/fonts", "/var/cache/fontconfig"});
  for (const JobInput& input : job_.request.inputs) {
    if (!input.file.empty())
      limits.readable.push_back(fs::absolute(files_.path_of(input.file)).string());
  }
  limits.writable = {folder_, "/dev/null"};
  return request;
}

// Whether to stop the process now, and why.
JobRun::Why JobRun::why_to_stop(const PaintingProcess& process, double most_memory, double silence,
                                double patience) const {
  if (assignment_.lost) return Why::lost;
  if (process.memory() > most_memory) return Why::memory;
  if (silence > 0 && since_line_() > silence) return Why::silent;
  if (patience > 0 && since_start_() > patience) return Why::slow;
  return Why::none;
}

// Until it ends. A painter that is asked to stop gets the grace time.
JobRun::Why JobRun::watch(PaintingProcess& process, double most_memory, double silence,
                          double patience) {
  since_line_ = since_start_ = Stopwatch();
  error_.clear();
  result_.clear();
  std::optional<Stopwatch> since_asked;
  Why killed = Why::none;
  while (process.wait(kBetweenLooks, [&](const std::string& line) { take_line(line); })) {
    if (killed != Why::none) continue;
    if (!since_asked && is_asked_to_stop()) {
      since_asked.emplace();
      process.interrupt();
    }
    killed = why_to_stop(process, most_memory, silence, patience);
    const bool late = since_asked && (*since_asked)() > terms_.grace;
    if (killed == Why::none && late) killed = Why::asked;
    if (killed != Why::none) process.kill();
  }
  return killed == Why::none && since_asked ? Why::asked : killed;
}

// One at a time: what it takes comes on top of the painters' memory.
std::optional<JobOutcome> JobRun::plan() {
  const MemoryBudget::Share turn = plans_.take(1, [&] { return is_asked_to_stop(); });
  if (!turn) return JobOutcome{Ending::stopped, "", false};
  const double most = std::min(kPlanMemory, std::max(memory_.whole(), kMemoryBesides));
  PaintingProcess process(this->process(arguments_to_plan(job_, terms_.painting), most));
  const Why why = watch(process, most, 0, kPlanSeconds);
  const PaintingProcess::End end = process.end();
  if (end.exit_code != kPainted || end.signal != 0) return outcome_of(end, why);
  const Json plan = Json::parse(process.output(), nullptr, false);
  const bool said = plan.is_object() && plan.contains("predicted_memory_bytes") &&
                    plan["predicted_memory_bytes"].is_number();
  if (!said) return JobOutcome{Ending::killed, "its plan could not be made", false};
  bytes_ = plan["predicted_memory_bytes"].get<double>();
  return {};
}

JobOutcome JobRun::paint_once(std::vector<std::string> arguments) {
  PaintingProcess process(this->process(std::move(arguments), most_memory()));
  const Why why = watch(process, most_memory(), terms_.silence, terms_.patience);
  exit_code_ = process.end().exit_code;
  return outcome_of(process.end(), why);
}

JobOutcome JobRun::paint() {
  const fs::path state = fs::path(folder_) / kStateFile;
  std::error_code ignored;
  if (keeps_state(job_.request.kind) && fs::exists(state, ignored)) {
    JobOutcome outcome = paint_once(arguments_to_resume(terms_.painting));
    const bool useless =
        outcome.ending == Ending::refused && exit_code_ != kTooLarge && !assignment_.lost;
    if (!useless) return outcome;
    // Of another version of limn, or damaged: the job is painted from its beginning. The state
    // stays beside the new one, should it have been limn that was wrong.
    log("it could not go on from its state, and begins anew");
    fs::rename(state, fs::path(folder_) / kBadStateFile, ignored);
    if (ignored) {
      return {Ending::handed_back, "its state cannot be put aside: " + ignored.message(), false};
    }
  }
  // As planned: another worker, whose painters have another share, may have done that.
  PaintingTerms terms = terms_.painting;
  if (terms.memory > 0) terms.memory = std::min(terms.memory, kMargin * bytes_);
  return paint_once(arguments_to_paint(job_, terms));
}

// --------------------------------------------------------------------------------- how it ended --

std::string JobRun::how_it_died(const PaintingProcess::End& end, Why why) const {
  switch (why) {
    case Why::memory:
      return fmt::format("its painter took more memory than expected, {}, and was ended",
                         mebibytes(most_memory()));
    case Why::silent:
      return fmt::format("its painter gave no sign of life for {:.0f} seconds, and was ended",
                         since_line_());
    case Why::slow:
      return fmt::format("its painter took longer than {:.0f} seconds, and was ended",
                         since_start_());
    case Why::none:
    case Why::asked:
    case Why::lost:
      break;
  }
  if (end.signal == SIGXCPU) return "its painter used up its time";
  if (end.signal == SIGXFSZ) return "its painter wrote a file that is too large";
  if (end.signal != 0) {
    return fmt::format("its painter was ended by signal {} ({})", end.signal,
                       strsignal(end.signal));
  }
  return fmt::format("its painter ended with code {}{}", end.exit_code,
                     error_.empty() ? "" : ": " + error_);
}

JobOutcome JobRun::outcome_of(const PaintingProcess::End& end, Why why) const {
  const bool has_picture = !result_.empty();
  if (end.signal == 0 && end.exit_code == kPainted) {
    clean_report();
    return {Ending::painted, "", true};
  }
  const bool asked_itself = end.signal == 0 && end.exit_code == kStopped;
  if (why == Why::asked || asked_itself) {
    clean_report();
    // Somebody else may have asked it: whoever ends all the processes of a service at once.
    const bool wished = assignment_.wish != Wish::go_on || assignment_.make_room;
    return {wished ? Ending::stopped : Ending::handed_back, "", has_picture};
  }
  if (end.signal == 0 && has_picture) {
    clean_report();  // a checkpoint could not be written, but the picture was
    return {Ending::painted, "", true};
  }
  if (end.signal == 0 && end.exit_code == kNotStarted) {
    return {Ending::handed_back, "its painter could not be started", false};
  }
  const bool file_or_resources = end.exit_code == kBadFile || end.exit_code == kTooLarge;
  if (end.signal == 0 && file_or_resources && says_disk_is_full(error_)) {
    return {Ending::handed_back, "the disk is full", false};
  }
  if (end.signal == 0 && end.exit_code == kBadFile &&
      static_cast<double>(files_.free_bytes()) < kLittleDisk) {
    return {Ending::handed_back, "the disk is full", false};
  }
  if (end.signal == 0 && end.exit_code >= 2 && end.exit_code <= kTooLarge) {
    return {Ending::refused, error_, false};
  }
  return {Ending::killed, how_it_died(end, why), has_picture};
}

// -------------------------------------------------------------------------------- what it says --

void JobRun::take_line(const std::string& line) {
  since_line_ = Stopwatch();
  if (assignment_.lost) return;
  const Json said = Json::parse(line, nullptr, false);
  const auto text = [&](const char* member) {
    return said.contains(member) && said[member].is_string() ? said[member].get<std::string>() : "";
  };
  if (!said.is_object()) return log(line);
  const std::string event = text("event");
  if (event == "progress") return keep_progress(line);
  if (event == "error") error_ = without_paths(text("message"));
  if (event == "result") result_ = text("outcome");
  log(fmt::format("{}: {}", event, without_paths(text("message"))));
}

// Not durable: a painter's next line replaces it.
void JobRun::keep_progress(const std::string& line) {
  replace_plain(folder_, kProgressFile, line + "\n");
}

void JobRun::log(const std::string& text) {
  append_plain((fs::path(folder_) / kLogFile).string(), text + "\n", kMostLog);
}

// Where this machine keeps its files is nobody's business.
std::string JobRun::without_paths(std::string text) const {
  for (const std::string& path :
       {folder_ + "/inputs/", folder_ + "/", fs::absolute(files_.folder()).string() + "/",
        files_.folder() + "/"}) {
    if (path.size() > 1) replace_all(text, path, "");
  }
  replace_all(text, "'inputs/", "'");
  return text;
}

// A report is worth no job: where it cannot be cleaned, it stays as it is.
void JobRun::clean_report() const {
  constexpr size_t kMostBytes = 64 << 20;
  std::optional<std::string> report =
      read_plain((fs::path(folder_) / kReportFile).string(), kMostBytes);
  if (!report) return;
  const size_t before = report->size();
  replace_all(*report, folder_ + "/", "");
  if (report->size() != before) replace_plain(folder_, kReportFile, *report);
}

}  // namespace limn
