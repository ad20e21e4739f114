#include "commands/report.h"

#include <sys/resource.h>

#include "base/file.h"
#include "network/weights.h"
#include "recipe/fields.h"

namespace limn {
namespace {

template <typename T>
nlohmann::ordered_json json_value(const T& value) {
  if constexpr (std::is_enum_v<T>) {
    return name_of(value);
  } else {
    return value;
  }
}

nlohmann::ordered_json json_value(const std::vector<LayerWeight>& layers) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const LayerWeight& layer : layers) object[layer.layer] = layer.weight;
  return object;
}

}  // namespace

nlohmann::ordered_json to_json(const Recipe& recipe) {
  nlohmann::ordered_json json;
  visit_fields(recipe, [&](const Field& field, const auto& value) {
    const size_t dot = field.key.find('.');
    const std::string key(field.key);
    if (dot == std::string::npos) {
      json[key] = json_value(value);
    } else {
      json[key.substr(0, dot)][key.substr(dot + 1)] = json_value(value);
    }
  });
  for (const Stage& stage : recipe.stages) {
    json["stages"].push_back(
        {{"name", stage.name}, {"share", stage.share}, {"changes", stage.changes}});
  }
  return json;
}

std::string stage_name(const Recipe& recipe, int stage) {
  const bool named = stage >= 0 && stage < std::ssize(recipe.stages);
  return named ? recipe.stages[stage].name : "";
}

nlohmann::ordered_json to_json(const Losses& losses) {
  return {{"content", losses.content},
          {"style", losses.style},
          {"total_variation", losses.total_variation},
          {"total", losses.total}};
}

nlohmann::ordered_json to_json(const Saving& saving) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (saving.half_features) json["half_features"] = true;
  if (saving.half_history) json["half_history"] = true;
  if (saving.history > 0) json["history"] = saving.history;
  return json;
}

nlohmann::ordered_json to_json(const Painted& painted, const Plan& plan) {
  nlohmann::ordered_json json;
  json["recipe"] = to_json(plan.recipe);
  json["width"] = painted.picture.width;
  json["height"] = painted.picture.height;
  json["outcome"] = outcome_name(painted.outcome);
  if (painted.unchanged) json["unchanged"] = true;
  json["iteration"] = painted.iteration;
  json["best_iteration"] = painted.best_iteration;
  json["rejected_steps"] = painted.rejected_steps;
  json["seconds"] = painted.seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  json["predicted_memory_bytes"] = static_cast<std::int64_t>(plan.bytes);
  if (const Size& tile = plan.levels.back().tile; tile != Size()) {
    json["tile"] = {{"width", tile.width}, {"height", tile.height}};
  }
  if (const Saving& saving = plan.levels.back().saving; saving != Saving()) {
    json["saving"] = to_json(saving);
  }
  json["history"] = nlohmann::ordered_json::array();
  for (const IterationRecord& record : painted.history) {
    nlohmann::ordered_json entry = {{"iteration", record.iteration},
                                    {"seconds", record.seconds},
                                    {"width", record.width},
                                    {"height", record.height}};
    if (!plan.recipe.stages.empty()) entry["stage"] = stage_name(plan.recipe, record.stage);
    entry.update(to_json(record.losses));
    json["history"].push_back(std::move(entry));
  }
  return json;
}

nlohmann::ordered_json photo_of(const InputNames& inputs) {
  if (inputs.is_texture()) return nullptr;
  return inputs.photo;
}

nlohmann::ordered_json to_json(const InputNames& inputs, const std::string& output,
                               const Model& model) {
  nlohmann::ordered_json json = {{"limn", version()},
                                 {"instruction_set", instruction_set()},
                                 {"photo", photo_of(inputs)},
                                 {"paintings", inputs.paintings}};
  if (!inputs.content_masks.empty()) json["masks"]["content"] = inputs.content_masks;
  if (!inputs.style_masks.empty()) json["masks"]["style"] = inputs.style_masks;
  if (inputs.keep_mask) json["masks"]["keep"] = *inputs.keep_mask;
  if (inputs.hole) json["masks"]["hole"] = *inputs.hole;
  json["output"] = output;
  json["weights"] = model.weights().source;
  json["network"] = model.network();
  return json;
}

void write_report(const nlohmann::ordered_json& json, const std::string& path) {
  // File names may contain any bytes.
  constexpr auto kOddBytes = nlohmann::json::error_handler_t::replace;
  replace_file(path, json.dump(2, ' ', false, kOddBytes) + "\n");
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished:
      return "finished";
    case Outcome::converged:
      return "converged";
    case Outcome::out_of_time:
      return "out of time";
    case Outcome::stopped:
      return "stopped";
    case Outcome::failed:
      return "failed";
  }
  return "?";
}

std::int64_t peak_memory_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;  // Linux counts in KiB
}

}  // namespace limn
