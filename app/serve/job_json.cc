#include "serve/job_json.h"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>

namespace limn {
namespace {

std::string path_of_job(const Job& job) { return "/api/v1/jobs/" + job.id; }

// The recipe's name, which to_toml writes first: of a hundred jobs, parsing them takes longer than
// all else.
std::string recipe_name_of(const std::string& toml) {
  constexpr std::string_view kStart = "name = \"";
  if (!toml.starts_with(kStart)) return "";
  return toml.substr(kStart.size(), toml.find('"', kStart.size()) - kStart.size());
}

Json inputs_json(const Job& job) {
  Json inputs = Json::array();
  for (size_t i = 0; i < job.request.inputs.size(); ++i) {
    const JobInput& input = job.request.inputs[i];
    Json item = {{"role", input.role}, {"name", input.name}};
    if (!input.file.empty()) {
      item["upload"] = input.file;
      item["url"] = fmt::format("{}/inputs/{}", path_of_job(job), i);
    }
    inputs.push_back(std::move(item));
  }
  return inputs;
}

}  // namespace

Json time_json(Milliseconds time) {
  if (time == 0) return nullptr;
  const auto seconds = static_cast<std::time_t>(time / 1000);
  std::tm parts = {};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     time % 1000);
}

bool is_over(const Job& job) {
  return job.state != JobState::waiting && job.state != JobState::running;
}

bool has_result(const Job& job) {
  return job.state == JobState::done || (job.state == JobState::cancelled && job.interrupted);
}

std::string picture_name(const Job& job) {
  constexpr size_t kLongest = 100;
  std::string name;
  const auto add = [&](bool photos) {
    for (const JobInput& input : job.request.inputs) {
      const bool photo = input.role == "photo" || input.role == "picture";
      if (photo != photos || input.role.starts_with("mask") || input.role == "hole") continue;
      const std::string stem = std::filesystem::path(input.name).stem().string();
      if (name.size() + stem.size() < kLongest) name += (name.empty() ? "" : "-") + stem;
    }
  };
  add(true);  // first, whatever the order in which they were given
  add(false);
  return name.empty() ? "limn-" + job.id.substr(0, 8) : name;
}

Json summary_json(const Job& job) {
  Json json = {
      {"id", job.id},
      {"kind", name_of(job.request.kind)},
      {"state", name_of(job.state)},
      {"cancelling", job.state == JobState::running && job.wish == Wish::cancel},
      {"preview", job.request.preview},
      {"client", job.request.client},
      {"recipe", recipe_name_of(job.request.recipe)},
      {"reason", job.reason},
      {"attempts", job.attempts},
      {"created", time_json(job.created)},
      {"started", time_json(job.started)},
      {"ended", time_json(job.ended)},
      {"revision", job.revision},
      {"url", path_of_job(job)},
      {"result", has_result(job) ? Json(path_of_job(job) + "/result") : Json(nullptr)},
  };
  json["inputs"] = inputs_json(job);
  return json;
}

Json job_json(const Job& job) {
  Json json = summary_json(job);
  Json flags = Json::object();
  for (const auto& [name, value] : job.request.flags) flags[name] = value;
  json["flags"] = std::move(flags);
  json["worker"] = job.worker;
  json["memory"] = job.bytes;
  json["settings"] = recipe_json(parse_recipe(job.request.recipe, "recipe"));
  return json;
}

}  // namespace limn
