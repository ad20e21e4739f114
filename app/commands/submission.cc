#include "commands/submission.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "jobs/job.h"
#include "recipe/fields.h"
#include "request/arguments.h"
#include "serve/settings.h"

namespace limn {
namespace {

// A setting as the command line has it, where it belongs in JSON.
void set_in_json(Json& settings, const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    fail(ErrorKind::usage, "--set: '{}' is not KEY=VALUE, as style.weight=2", printable(text));
  }
  const std::string key = text.substr(0, equals);
  Recipe scratch;
  set_field(scratch, key, text.substr(equals + 1), "--set");
  const size_t dot = key.find('.');
  const Json all = recipe_json(scratch);
  if (dot == std::string::npos) {
    settings[key] = all[key];
  } else {
    const std::string section = key.substr(0, dot), name = key.substr(dot + 1);
    settings[section][name] = all[section][name];
  }
}

bool is_builtin(const std::string& recipe) {
  const std::vector<std::string> names = recipe_names();
  return std::ranges::find(names, recipe) != names.end();
}

}  // namespace

void Submission::add_to(CLI::App& command) {
  command
      .add_option(
          "PICTURE", pictures_,
          "PHOTO PAINTING..., as of limn paint and sweep; PHOTO EXAMPLE of season; EXEMPLAR "
          "of texture; PICTURE [FROM] of inpaint")
      ->type_name("FILE")
      ->required();
  command.add_option("--kind", kind_, "What is asked for [paint]")
      ->type_name("paint|texture|inpaint|season|sweep");
  command.add_option("--recipe", recipe_, "A recipe: a name, a file, or a picture painted with it")
      ->type_name("RECIPE|FILE");
  command.add_option("--set", sets_, "A setting of the recipe: style.weight=2. Repeat for more")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  for (const char* role : {"mask-content", "mask-style", "mask-keep", "hole"}) {
    command
        .add_option_function<std::vector<std::string>>(
            fmt::format("--{}", role),
            [this, role](const std::vector<std::string>& files) {
              for (const std::string& file : files) others_.emplace_back(role, file);
            },
            fmt::format("As of limn {}", role == std::string("hole") ? "inpaint" : "paint"))
        ->type_name("FILE")
        ->allow_extra_args(false);
  }
  struct Flag {
    const char *name, *type, *help;
  };
  for (const auto& [flag, type, help] :
       {Flag{"vary", "KEY=VALUES", "What a sweep varies, as of limn sweep"},
        Flag{"size", "N|WxH", "Of a texture: pixels a side"},
        Flag{"shifts", "auto|none|N,...", "Of a texture, as of limn texture"},
        Flag{"bits", "8|16", "Of the picture, per channel"}}) {
    command
        .add_option_function<std::string>(
            fmt::format("--{}", flag),
            [this, name = std::string(flag)](const std::string& value) {
              flags_.emplace_back(name, value);
            },
            help)
        ->type_name(type);
  }
  command.add_flag("--preview", preview_, "Goes before jobs that are not previews");
  command.add_option("--client", client_, "Whom the server's quota counts for")->type_name("NAME");
  command
      .add_option("--key", key_, "Sent twice with the same key, it is one job [drawn at random]")
      ->type_name("TEXT");
}

std::string Submission::key() const { return key_.empty() ? new_job_id() : key_; }

void Submission::add_pictures(std::vector<HttpClient::FormPart>& parts) const {
  const JobKind kind = parse_job_kind(kind_);
  const auto role = [&](size_t i) -> std::string {
    switch (kind) {
      case JobKind::texture:
        return "exemplar";
      case JobKind::inpaint:
        return i == 0 ? "picture" : "from";
      case JobKind::season:
        return i == 0 ? "photo" : "example";
      default:
        return i == 0 ? "photo" : "painting";
    }
  };
  const auto add = [&](const std::string& name, const std::string& file) {
    const bool none = file == "none" && name.starts_with("mask-");
    if (!none) file_size(file, name);  // throws, naming it, before anything is sent
    parts.push_back({name, file, !none});
  };
  for (size_t i = 0; i < pictures_.size(); ++i) add(role(i), pictures_[i]);
  for (const auto& [name, file] : others_) add(name, file);
}

std::string Submission::settings() const {
  Json settings = Json::object();
  if (!recipe_.empty() && !is_builtin(recipe_)) settings = recipe_json(find_recipe(recipe_));
  for (const std::string& text : sets_) set_in_json(settings, text);
  return settings.dump();
}

std::vector<HttpClient::FormPart> Submission::parts() const {
  std::vector<HttpClient::FormPart> parts = {{"kind", kind_}, {"settings", settings()}};
  if (is_builtin(recipe_)) parts.push_back({"recipe", recipe_});
  if (preview_) parts.push_back({"preview", "true"});
  if (!client_.empty()) parts.push_back({"client", client_});
  if (!flags_.empty()) {
    Json flags = Json::object();
    for (const auto& [name, value] : flags_) flags[name] = value;
    parts.push_back({"flags", flags.dump()});
  }
  add_pictures(parts);
  return parts;
}

}  // namespace limn
