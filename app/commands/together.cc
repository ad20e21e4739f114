#include "commands/together.h"

#include <csignal>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ranks.h"
#include "request/inputs.h"
#include "request/opened_inputs.h"
#include "request/provenance.h"

namespace limn {
namespace {

using Json = nlohmann::ordered_json;

// From rank 0 to all others; returns it.
std::string pass_on(LaunchedRanks& ranks, std::string text) {
  const std::uint64_t length = agreed(ranks, static_cast<std::uint64_t>(text.size()));
  text.resize(length);
  broadcast(ranks, std::span(text), 0);
  return text;
}

Json levels_of(const Plan& plan) {
  Json levels = Json::array();
  for (const Level& level : plan.levels) {
    const Saving& saving = level.saving;
    levels.push_back({{"iterations", level.iterations},
                      {"tile", {level.tile.height, level.tile.width}},
                      {"half_features", saving.half_features},
                      {"half_history", saving.half_history},
                      {"history", saving.history},
                      {"cost", level.cost}});
  }
  return levels;
}

void set_levels(Plan& plan, const Json& levels) {
  if (levels.size() != plan.levels.size()) {
    fail(ErrorKind::resources,
         "rank 0 would paint at {} sizes, this rank at {}; give both the same files", levels.size(),
         plan.levels.size());
  }
  for (size_t i = 0; i < levels.size(); ++i) {
    const Json& from = levels[i];
    Level& level = plan.levels[i];
    from.at("iterations").get_to(level.iterations);
    level.tile = {from.at("tile")[0].get<int>(), from.at("tile")[1].get<int>()};
    level.saving = {from.at("half_features").get<bool>(), from.at("half_history").get<bool>(),
                    from.at("history").get<int>()};
    from.at("cost").get_to(level.cost);
  }
}

void take_part(LaunchedRanks& ranks, const std::string& text) {
  const Json json = Json::parse(text);
  PaintRequest request = parse_request(json.at("request").get<std::string>(), "rank 0");
  request.recipe = parse_recipe(json.at("recipe").get<std::string>(), "rank 0");
  const std::span<Recipe> recipes(&request.recipe, 1);
  OpenedInputs opened(request.names, recipes, {.max_pixels = request.max_pixels});
  const Model model = read_model(request.weights, recipes);
  std::vector<Plan> plans = opened.plan(model, recipes);
  Inputs inputs = std::move(opened).read(std::move(plans));
  Plan& plan = inputs.plans.front();
  set_levels(plan, json.at("levels"));
  share_cores(ranks, plan);
  Run run = json.at("checkpoint").is_null() ? Run(model, std::move(inputs.pictures), plan, &ranks)
                                            : Run(model, std::move(inputs.pictures), plan,
                                                  json.at("checkpoint").get<std::string>(), &ranks);
  run.follow();
}

}  // namespace

void share_cores(const LaunchedRanks& ranks, Plan& plan) {
  if (plan.recipe.picture.threads == 0) plan.recipe.picture.threads = ranks.cores();
}

void share_tiles(const LaunchedRanks& ranks, Plan& plan) {
  for (Level& level : plan.levels) {
    if (level.tile != Size()) level.cost /= ranks.count();
  }
}

void check_readable_by_all(const PaintRequest& request) {
  for (const InputFile& file : input_files(request.names)) {
    if (!is_stream(file.path)) continue;
    fail(ErrorKind::usage,
         "the {} comes through a pipe, which only one of several ranks can read; save it as a file "
         "first",
         file.role);
  }
}

void begin_together(LaunchedRanks& ranks, const PaintRequest& request, const Plan& plan,
                    const std::optional<std::string>& checkpoint) {
  Json json;
  json["request"] = to_text(request);
  json["recipe"] = to_toml(request.recipe);
  json["levels"] = levels_of(plan);
  json["checkpoint"] = checkpoint ? Json(*checkpoint) : Json();
  ranks.set_busy(true);
  pass_on(ranks, json.dump());
}

void end_together(LaunchedRanks& ranks) { ranks.set_busy(false); }
void dismiss(LaunchedRanks& ranks) { pass_on(ranks, ""); }

void follow(LaunchedRanks& ranks) {
  // Rank 0 saves what there is, and says when it is done.
  for (const int signal : {SIGINT, SIGTERM}) std::signal(signal, SIG_IGN);
  for (;;) {
    ranks.set_busy(false);
    const std::string text = pass_on(ranks, "");
    if (text.empty()) return;
    ranks.set_busy(true);
    take_part(ranks, text);
  }
}

}  // namespace limn
