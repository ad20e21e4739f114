// limn jobs: the client of limn serve.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/lower_case.h"
#include "base/stopwatch.h"
#include "commands/commands.h"
#include "commands/data_folder.h"
#include "commands/exit_code.h"
#include "commands/http_client.h"
#include "commands/submission.h"
#include "jobs/job.h"
#include "request/outputs.h"
#include "serve/access.h"
#include "serve/settings.h"
#include "show/console.h"
#include "show/interrupt.h"
#include "show/progress.h"

namespace limn {
namespace {

constexpr const char* kJobsDescription =
    R"(Ask a job server (limn serve) for pictures, on this machine or another.

The server is the one of --server, or the one that runs on this machine with the data folder; the
token is that of --token, of the variable LIMN_TOKEN, or of the data folder.)";

constexpr const char* kJobsExamples =
    R"(Examples:
  limn jobs submit photo.jpg painting.jpg --set picture.size=512
  limn jobs submit photo.jpg painting.jpg --wait -o out.png
  limn jobs submit bricks.jpg --kind texture --size 1024 --wait -o wall.png
  limn jobs list
  limn jobs watch ID
  limn jobs fetch ID                         as PHOTO-PAINTING.png
  limn jobs fetch ID -o out.jpg
  limn jobs cancel ID
  LIMN_TOKEN=... limn jobs list --server https://paint.example.org)";

constexpr const char* kUsualAddress = "http://127.0.0.1:8080";

// Where the server is, and what it is asked for.
struct JobsCommand {
  std::string server;
  std::string token, data;
  std::string id;
  std::string output;
  std::string state;
  Submission submission;
  bool wait = false, json = false, quiet = false;
  int quality = 95;
  int bits = 0;

  void add_server(CLI::App& command);
  HttpClient client() const;
  int submit() const;
  int list() const;
  int watch(const HttpClient& client, const std::string& job) const;
  int act(const std::string& what) const;
  void check_output_name() const;
  void fetch(const HttpClient& client, const std::string& job) const;
  int remove() const;
};

void JobsCommand::add_server(CLI::App& command) {
  command
      .add_option(
          "--server", server,
          "The server's address [that of the data folder's, or " + std::string(kUsualAddress) + "]")
      ->type_name("URL");
  command.add_option("--token", token, "Its token [$LIMN_TOKEN, or that of the data folder]")
      ->type_name("TEXT");
  command.add_option("--data", data, "The data folder of this machine's server")
      ->type_name("FOLDER");
}

HttpClient JobsCommand::client() const {
  std::string used = token;
  const char* variable = std::getenv("LIMN_TOKEN");
  if (used.empty() && variable != nullptr) used = variable;
  if (used.empty()) {
    const std::string file = token_file(data_folder(data));
    if (is_missing(file)) {
      fail(ErrorKind::usage,
           "--token: none was given, LIMN_TOKEN is not set, and there is no '{}'; limn serve "
           "prints a link with its token",
           file);
    }
    used = read_text(file, "token", 1000);
    used.erase(used.find_last_not_of("\r\n") + 1);
  }
  if (!server.empty()) return {server, used, "--server", "is limn serve running there?"};
  const std::string folder = data_folder(data);
  const std::string file = printable(address_file(folder));
  const std::string address = kept_address(folder);
  const std::string start = "'limn serve' starts a server; --server names one that runs elsewhere";
  if (address.empty()) {
    return {kUsualAddress, used,
            fmt::format("the usual address: there is no '{}', so no server runs with that folder",
                        file),
            start};
  }
  return {address, used, fmt::format("from '{}'", file), start};
}

std::string path_of(const std::string& id) {
  if (!is_job_id(id)) {
    fail(ErrorKind::usage, "'{}' is no job's id; 'limn jobs list' shows them", printable(id));
  }
  return "/api/v1/jobs/" + id;
}

Json json_of(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) fail(ErrorKind::resources, "the server's answer is not JSON");
  return json;
}

std::string text_in(const Json& json, const char* key) {
  return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}

double number_in(const Json& json, const char* key, double otherwise) {
  return json.contains(key) && json[key].is_number() ? json[key].get<double>() : otherwise;
}

int JobsCommand::submit() const {
  check_output_name();
  const HttpClient server_of = client();
  const Json job =
      json_of(server_of.post_form("/api/v1/jobs", submission.parts(), submission.key()));
  const std::string job_id = text_in(job, "id");
  print(json ? job.dump() + "\n" : job_id + "\n");
  if (!wait) return kSuccess;
  catch_interrupts();
  const int code = watch(server_of, job_id);
  if (code == kSuccess && !output.empty()) fetch(server_of, job_id);
  return code;
}

int JobsCommand::list() const {
  const std::string filter = state.empty() ? "" : "&state=" + state;
  const HttpClient server_of = client();
  std::string text;
  for (std::string next = "0"; !next.empty();) {
    const Json page =
        json_of(server_of.get(fmt::format("/api/v1/jobs?limit=200&offset={}{}", next, filter)));
    for (const Json& job : page.value("jobs", Json::array())) {
      const std::string reason = text_in(job, "reason");
      text +=
          json ? job.dump() + "\n"
               : fmt::format("{}  {:<9}  {:<7}  {}  {}{}{}\n", text_in(job, "id"),
                             text_in(job, "state"), text_in(job, "kind"), text_in(job, "created"),
                             text_in(job, "recipe"), reason.empty() ? "" : "  ", printable(reason));
    }
    next = page.contains("next") && page["next"].is_number() ? page["next"].dump() : "";
  }
  if (text.empty() && !json) {
    say(state.empty() ? "limn: there are no jobs; 'limn jobs submit' sends one\n"
                      : "limn: there are no such jobs\n");
  }
  print(text);
  return kSuccess;
}

// "120/300 at 512 x 384  loss 1.2"
std::string progress_text(const Json& progress) {
  std::string text = fmt::format("{}/{}", number_in(progress, "iteration", 0),
                                 number_in(progress, "iterations", 0));
  const double width = number_in(progress, "width", 0);
  if (width > 0) text += fmt::format(" at {} x {}", width, number_in(progress, "height", 0));
  const double left = number_in(progress, "seconds_left", -1);
  if (left >= 0) text += fmt::format("  {} left", clock_text(left));
  return text;
}

int JobsCommand::watch(const HttpClient& client, const std::string& job) const {
  ProgressOutput progress(suitable_progress_style(quiet));
  std::string last, reason;
  const Stopwatch clock;
  const auto on_event = [&](const HttpClient::Event& event) {
    const Json data = Json::parse(event.data, nullptr, false);
    if (!data.is_object()) return true;
    if (event.name == "deleted") last = "deleted";
    if (event.name == "progress" && progress.due(clock(), false)) {
      const std::string text = progress_text(data);
      if (progress.style() == ProgressStyle::bar) {
        progress.draw_bar(number_in(data, "done", 0), text);
      } else {
        progress.print_line("iteration " + text);
      }
    }
    if (event.name != "state") return true;
    const std::string now = text_in(data, "state");
    reason = text_in(data, "reason");
    if (now != last) progress.note(fmt::format("{} {}", job, now));
    last = now;
    return last == "waiting" || last == "running";
  };
  client.follow(path_of(job) + "/events", on_event);
  progress.finish();
  if (interrupted()) return kInterrupted;
  if (last == "done") return kSuccess;
  fail(ErrorKind::resources, "the job is {}{}{}", last.empty() ? "over" : last,
       reason.empty() ? "" : ": ", reason);
}

int JobsCommand::act(const std::string& what) const {
  const Json job = json_of(client().post(fmt::format("{}/{}", path_of(id), what), "{}"));
  const bool cancelling = job.contains("cancelling") && job["cancelling"] == true;
  print(fmt::format("{} {}\n", id, cancelling ? "cancelling" : text_in(job, "state")));
  return kSuccess;
}

// Before anything is asked for: hours may pass until the picture is there.
void JobsCommand::check_output_name() const {
  if (output.empty()) return;
  if (is_standard_output(output)) fail(ErrorKind::usage, "--output: should be a file");
  if (!is_output_folder(output)) check_output(output, {});
}

// What the pictures are called, "photo-painting": a server says that, so nothing in it is trusted.
std::string name_from(const Json& job) {
  std::string base;
  std::string last_role;
  for (const Json& input : job.value("inputs", Json::array())) {
    const std::string role = text_in(input, "role");
    const bool named = role != last_role && !role.starts_with("mask") && role != "hole";
    last_role = role;
    std::string stem = std::filesystem::path(text_in(input, "name")).stem().string();
    for (char& c : stem) {
      const auto byte = static_cast<unsigned char>(c);
      if (std::isalnum(byte) == 0 && byte < 0x80 && c != '.' && c != '-') c = '_';
    }
    stem.erase(0, stem.find_first_not_of(".-"));
    constexpr size_t kLongest = 60;
    if (named && stem.size() <= kLongest) base += (base.empty() || stem.empty() ? "" : "-") + stem;
  }
  return base.empty() ? "limn-" + text_in(job, "id").substr(0, 8) : base;
}

// In the format that the file's name ends with; without a name, as PNG under one that is not taken.
void JobsCommand::fetch(const HttpClient& client, const std::string& job) const {
  std::string file = output;
  std::optional<FreshName> fresh;
  if (output.empty() || is_output_folder(output)) {
    const std::string name = name_from(json_of(client.get(path_of(job))));
    file = fresh.emplace(name, output).path();
  }
  std::string ending = lower_case(std::filesystem::path(file).extension().string());
  ending.erase(0, 1);
  std::string query = fmt::format("?format={}&quality={}", ending, quality);
  if (bits != 0) query += fmt::format("&bits={}", bits);
  client.fetch(path_of(job) + "/result" + query, file);
  if (fresh) print(file + "\n");
}

int JobsCommand::remove() const {
  client().remove(path_of(id));
  return kSuccess;
}

CLI::App* add_verb(CLI::App& jobs, const std::shared_ptr<JobsCommand>& given, const char* name,
                   const char* description, bool with_id) {
  CLI::App* verb = jobs.add_subcommand(name, description);
  if (with_id) verb->add_option("ID", given->id, "The job")->required();
  given->add_server(*verb);
  return verb;
}

void add_output(CLI::App& verb, JobsCommand& given, const std::string& otherwise) {
  verb.add_option("-o,--output", given.output,
                  "Where to write the picture: its ending gives the format" + otherwise)
      ->type_name("FILE|FOLDER");
  verb.add_option("--quality", given.quality, "Of JPEG and WebP, 1 to 100 [95]")->type_name("N");
}

}  // namespace

void add_jobs_command(CLI::App& app, int& exit_code) {
  CLI::App* jobs = app.add_subcommand("jobs", kJobsDescription);
  jobs->footer(kJobsExamples);
  jobs->require_subcommand(1);
  const auto given = std::make_shared<JobsCommand>();

  CLI::App* submit = add_verb(*jobs, given, "submit", "Send a job, and print its id", false);
  given->submission.add_to(*submit);
  add_output(*submit, *given, "");
  submit->add_flag("--wait", given->wait, "Wait until it is over, showing its progress");
  submit->add_flag("--json", given->json, "Print the job as JSON");
  submit->add_flag("--quiet", given->quiet, "Show no progress");
  submit->callback([given, &exit_code] {
    if (!given->output.empty() && !given->wait) {
      fail(ErrorKind::usage, "--output: needs --wait; 'limn jobs fetch' gets the picture later");
    }
    exit_code = given->submit();
  });

  CLI::App* list = add_verb(*jobs, given, "list", "List jobs, the newest first", false);
  list->add_option("--state", given->state, "Only these; several with commas")
      ->type_name("waiting|running|done|failed|cancelled,...");
  list->add_flag("--json", given->json, "One JSON object a line");
  list->callback([given, &exit_code] { exit_code = given->list(); });

  CLI::App* watch = add_verb(*jobs, given, "watch", "Show a job's progress until it is over", true);
  watch->add_flag("--quiet", given->quiet, "Show no progress");
  watch->callback([given, &exit_code] {
    catch_interrupts();
    exit_code = given->watch(given->client(), given->id);
  });

  CLI::App* fetch = add_verb(*jobs, given, "fetch", "Get a job's picture", true);
  add_output(*fetch, *given, " [PHOTO-PAINTING.png]");
  fetch->add_option("--bits", given->bits, "Per channel, for PNG and TIFF [as painted]")
      ->type_name("8|16");
  fetch->callback([given, &exit_code] {
    given->check_output_name();
    given->fetch(given->client(), given->id);
    exit_code = kSuccess;
  });

  for (const auto& [name, description] :
       {std::pair("cancel", "Cancel a job; what a running one has painted so far is kept"),
        std::pair("retry", "Let a job that is over wait again")}) {
    add_verb(*jobs, given, name, description, true)
        ->callback([given, &exit_code, what = std::string(name)] { exit_code = given->act(what); });
  }
  add_verb(*jobs, given, "delete", "Delete a job that is not running, and its picture", true)
      ->callback([given, &exit_code] { exit_code = given->remove(); });
}

}  // namespace limn
