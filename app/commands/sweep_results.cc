#include "commands/sweep_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "canvas/sizes.h"
#include "commands/report.h"
#include "image/animation.h"
#include "image/write.h"
#include "recipe/stages.h"

namespace limn {
namespace {

// The largest height and width of all recipes' pictures.
Size extent_of(std::span<const Plan> plans) {
  Size extent;
  for (const Plan& plan : plans) {
    const Size& size = plan.sizes().picture;
    extent.width = std::max(extent.width, size.width);
    extent.height = std::max(extent.height, size.height);
  }
  return extent;
}

int longest_side(const SheetLayout& layout) { return std::max(layout.width(), layout.height()); }

// A loss without its term's weight, so that paintings of different weights can be compared; null
// for a term that was left out.
nlohmann::ordered_json unweighted(double loss, double weight) {
  if (weight == 0) return nullptr;
  return loss / weight;
}

nlohmann::ordered_json unweighted(const Losses& losses, const Recipe& whole) {
  const Recipe recipe = stages_of(whole).back();
  if (recipe.balance.kind == Balance::measured) return nullptr;  // weights are not the recipe's
  return {{"content", unweighted(losses.content, recipe.content.weight)},
          {"style", unweighted(losses.style, recipe.style.weight)},
          {"total_variation", unweighted(losses.total_variation, recipe.total_variation.weight)}};
}

int iterations_done(const Painted& painted) {
  return painted.history.empty() ? 0 : painted.history.back().iteration;
}

// A recipe without the setting that is varied.
nlohmann::ordered_json common_settings(const Recipe& recipe, const std::string& key) {
  nlohmann::ordered_json json = to_json(recipe);
  const size_t dot = key.find('.');
  json[key.substr(0, dot)].erase(key.substr(dot + 1));
  return json;
}

nlohmann::ordered_json value_of(const Recipe& recipe, const std::string& key) {
  const size_t dot = key.find('.');
  return to_json(recipe)[key.substr(0, dot)][key.substr(dot + 1)];
}

}  // namespace

SweepResults::SweepResults(const PaintingArguments& arguments, const SweepOutputs& outputs,
                           const Variation& variation, const Model& model, const Inputs& inputs)
    : arguments_(arguments), outputs_(outputs), variation_(variation), model_(model) {
  const Pictures& pictures = inputs.pictures;
  const Size extent = extent_of(inputs.plans);
  const int most_styles = kMostCells - kMostValues - 1;
  const int styles = std::min<int>(most_styles, pictures.styles.size());
  inputs_ = 1 + styles;
  const int cells = static_cast<int>(variation.recipes.size()) + inputs_;
  layout_ = sheet_layout(cells, extent.width, extent.height);
  check_writable(outputs.sheet, outputs.write, longest_side(layout_));
  if (outputs.animation) {
    check_animation_writable(*outputs.animation, longest_side(single_cell(layout_)));
  }
  cells_.push_back({fitted(pictures.photo, layout_), "photo"});
  for (int i = 0; i < styles; ++i) {
    const std::string number = styles > 1 ? fmt::format(" {}", i + 1) : "";
    cells_.push_back({fitted(pictures.styles[i].paintings.front(), layout_), "painting" + number});
  }
}

void SweepResults::add(size_t index, const Painted& painted) {
  rows_.push_back(row(index, painted));
  painted_ += painted.outcome != Outcome::failed && !is_unpainted(painted);
  if (is_unpainted(painted) && !first_unpainted_) {
    first_unpainted_ = {index, why_unchanged(painted, variation_.recipes[index])};
  }
  stopped_ = painted.outcome == Outcome::stopped;
  cells_.push_back({fitted(painted.picture, layout_), label(index, painted)});
}

std::string SweepResults::label(size_t index) const {
  return fmt::format("{} {}", variation_.key, variation_.values[index]);
}

std::string SweepResults::label(size_t index, const Painted& painted) const {
  if (painted.outcome == Outcome::failed) return label(index) + " (failed: loss not finite)";
  if (is_unpainted(painted)) return label(index) + " (not painted)";
  if (painted.outcome != Outcome::stopped) return label(index);
  return fmt::format("{} (stopped at {} of {})", label(index), iterations_done(painted),
                     variation_.recipes[index].optimiser.iterations);
}

nlohmann::ordered_json SweepResults::row(size_t index, const Painted& painted) const {
  const Recipe& recipe = variation_.recipes[index];
  nlohmann::ordered_json row;
  row["value"] = value_of(recipe, variation_.key);
  row["outcome"] = outcome_name(painted.outcome);
  if (painted.unchanged) row["unchanged"] = true;
  row["width"] = painted.picture.width;
  row["height"] = painted.picture.height;
  row["iterations"] = iterations_done(painted);
  row["iteration"] = painted.iteration;
  row["seconds"] = painted.seconds;
  row["losses"] = nullptr;
  row["unweighted"] = nullptr;
  if (painted.history.empty()) return row;
  // A last step that was undone leaves no record: the picture is that of the record before.
  const auto of_picture = std::ranges::find_if(
      painted.history.rbegin(), painted.history.rend(),
      [&](const IterationRecord& record) { return record.iteration <= painted.iteration; });
  const Losses& losses = of_picture->losses;
  row["losses"] = to_json(losses);
  row["unweighted"] = unweighted(losses, recipe);
  return row;
}

void SweepResults::write_sheet_and_report(double seconds) const {
  write_image(contact_sheet(cells_, layout_), outputs_.sheet, outputs_.write);
  if (!outputs_.report) return;
  nlohmann::ordered_json json = to_json(arguments_.names(), outputs_.sheet, model_);
  json["vary"] = variation_.key;
  json["recipe"] = common_settings(variation_.recipes.front(), variation_.key);
  json["seconds"] = seconds;
  json["peak_memory_bytes"] = peak_memory_bytes();
  json["painted"] = rows_;
  write_report(json, *outputs_.report);
}

void SweepResults::write_animation() const {
  if (!outputs_.animation) return;
  const SheetLayout frame = single_cell(layout_);
  const std::span<const Cell> paintings = std::span(cells_).subspan(inputs_);
  AnimationOptions options;
  options.quality = outputs_.write.quality;
  limn::write_animation(
      paintings.size(), [&](size_t i) { return contact_sheet(paintings.subspan(i, 1), frame); },
      *outputs_.animation, options);
}

}  // namespace limn
