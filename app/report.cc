#include "report.h"

#include <sys/resource.h>

#include "style/recipe_fields.h"

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
  return json;
}

nlohmann::ordered_json to_json(const Losses& losses) {
  return {{"content", losses.content},
          {"style", losses.style},
          {"total_variation", losses.total_variation},
          {"total", losses.total}};
}

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::finished:
      return "finished";
    case Outcome::converged:
      return "converged";
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
