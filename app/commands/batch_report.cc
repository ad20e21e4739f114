#include "commands/batch_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <span>

#include "commands/report.h"
#include "paint/estimate.h"
#include "show/console.h"

namespace limn {
namespace {

std::string paintings_text(const InputNames& names) {
  std::string text;
  for (const std::string& painting : names.paintings) {
    text += fmt::format("{}'{}'", text.empty() ? "" : " and ", painting);
  }
  return text;
}

std::string left_text(const BatchPlace& place) {
  if (place.number == place.count || place.seconds_left < 0) return "";
  return fmt::format("; {} left in all", clock_text(place.seconds_left));
}

// Plans of the same sizes and recipe take the same time, which is measured once.
double seconds_of(const Model& model, std::span<const Plan> plans) {
  std::map<std::string, double> known;
  double sum = 0;
  for (const Plan& plan : plans) {
    std::string key = to_toml(plan.recipe);
    for (const Level& level : plan.levels) {
      key += fmt::format(" {}x{}", level.sizes.picture.width, level.sizes.picture.height);
    }
    const auto found = known.find(key);
    sum += found != known.end() ? found->second
                                : known.emplace(key, estimated_seconds(model, plan)).first->second;
  }
  return sum;
}

}  // namespace

std::string_view state_name(ItemState state) {
  switch (state) {
    case ItemState::waiting:
      return "waiting";
    case ItemState::up_to_date:
      return "up to date";
    case ItemState::painted:
      return "painted";
    case ItemState::failed:
      return "failed";
  }
  return "?";
}

nlohmann::ordered_json to_json(const BatchItem& item) {
  nlohmann::ordered_json json = {{"photo", item.request.names.photo},
                                 {"paintings", item.request.names.paintings},
                                 {"output", item.request.output},
                                 {"state", state_name(item.state)}};
  if (item.size != Size()) {
    json["width"] = item.size.width;
    json["height"] = item.size.height;
  }
  if (item.state == ItemState::failed) json["error"] = trouble_text(item);
  if (item.state != ItemState::painted) return json;
  json["outcome"] = outcome_name(item.outcome);
  json["iteration"] = item.iteration;
  json["iterations"] = item.iterations;
  json["seconds"] = item.seconds;
  json["losses"] = to_json(item.losses);
  return json;
}

std::string_view outcome_of(const BatchRun& run, bool stopped) {
  if (stopped) return "stopped";
  return run.count(ItemState::failed) > 0 ? "some failed" : "finished";
}

nlohmann::ordered_json batch_report(const BatchRun& run, const Model& model,
                                    const std::string& folder, const Shard& shard, double seconds) {
  nlohmann::ordered_json json = {{"limn", version()},
                                 {"instruction_set", instruction_set()},
                                 {"weights", model.weights().source},
                                 {"network", model.network()},
                                 {"output", folder},
                                 {"shard", nullptr},
                                 {"seconds", seconds},
                                 {"peak_memory_bytes", peak_memory_bytes()},
                                 {"painted", run.count(ItemState::painted)},
                                 {"up_to_date", run.count(ItemState::up_to_date)},
                                 {"failed", run.count(ItemState::failed)},
                                 {"waiting", run.count(ItemState::waiting)},
                                 {"pictures", nlohmann::ordered_json::array()}};
  if (!shard.is_whole()) json["shard"] = {{"number", shard.number}, {"count", shard.count}};
  for (const BatchItem& item : run.items()) json["pictures"].push_back(to_json(item));
  return json;
}

void tell(ProgressDisplay& display, const BatchItem& item, const BatchPlace& place) {
  const bool failed = item.state == ItemState::failed;
  if (speaks_json()) {
    nlohmann::ordered_json object = {{"event", "picture"}};
    object.update(to_json(item));
    if (place.number > 0) {
      object["number"] = place.number;
      object["count"] = place.count;
    }
    object["seconds_left"] = nullptr;
    if (place.seconds_left >= 0) object["seconds_left"] = place.seconds_left;
    return say_object(object);
  }
  const InputNames& names = item.request.names;
  if (failed) {
    return display.warn(fmt::format("'{}' in the style of {}: {}", names.photo,
                                    paintings_text(names), trouble_text(item)));
  }
  display.note(fmt::format("{} of {}: {}: iteration {} of {}, {:.1f} s{}", place.number,
                           place.count, item.request.output, item.iteration, item.iterations,
                           item.seconds, left_text(place)));
}

void tell_end(ProgressDisplay& display, const BatchRun& run, const std::string& folder,
              bool stopped, double seconds) {
  std::string text = fmt::format("{}: {} painted", folder, run.count(ItemState::painted));
  const auto add = [&](ItemState state, const char* what) {
    if (const std::size_t count = run.count(state)) text += fmt::format(", {} {}", count, what);
  };
  add(ItemState::up_to_date, "up to date");
  add(ItemState::failed, "failed");
  add(ItemState::waiting, "not yet painted");
  text += fmt::format(", {:.1f} s", seconds);
  if (stopped) text += "; give the same command to go on";
  if (!speaks_json()) return display.note(text);
  say_object({{"event", "result"},
              {"output", folder},
              {"outcome", outcome_of(run, stopped)},
              {"painted", run.count(ItemState::painted)},
              {"up_to_date", run.count(ItemState::up_to_date)},
              {"failed", run.count(ItemState::failed)},
              {"waiting", run.count(ItemState::waiting)},
              {"seconds", seconds},
              {"message", text}});
}

void print_batch(const BatchRun& run, const Model& model, bool json, bool timed) {
  double bytes = 0;
  for (const Plan& plan : run.plans()) bytes = std::max(bytes, plan.bytes);
  std::optional<double> seconds;
  if (timed) seconds = seconds_of(model, run.plans());
  if (json) {
    nlohmann::ordered_json object = {{"limn", version()},
                                     {"waiting", run.count(ItemState::waiting)},
                                     {"up_to_date", run.count(ItemState::up_to_date)},
                                     {"failed", run.count(ItemState::failed)},
                                     {"predicted_memory_bytes", static_cast<std::int64_t>(bytes)}};
    if (seconds) object["predicted_seconds"] = *seconds;
    object["pictures"] = nlohmann::ordered_json::array();
    for (const BatchItem& item : run.items()) object["pictures"].push_back(to_json(item));
    return print(object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  }
  std::string text;
  for (const BatchItem& item : run.items()) {
    const bool waiting = item.state == ItemState::waiting;
    text +=
        fmt::format("{:<12}{}", waiting ? "to paint" : state_name(item.state), item.request.output);
    if (waiting) text += fmt::format(", {} x {} pixels", item.size.width, item.size.height);
    if (item.state == ItemState::failed) text += ": " + trouble_text(item);
    text += "\n";
  }
  text += fmt::format("\n{:<12}{}\n", "to paint", run.count(ItemState::waiting));
  text += fmt::format("{:<12}{}\n{:<12}{}\n", "up to date", run.count(ItemState::up_to_date),
                      "failed", run.count(ItemState::failed));
  text += fmt::format("{:<12}about {}\n", "memory", bytes_text(static_cast<std::uint64_t>(bytes)));
  if (seconds) text += fmt::format("{:<12}about {}\n", "time", clock_text(*seconds));
  print(text);
}

}  // namespace limn
