// Writes what parity/parity.py compares: where a run begins, its losses on the way, its end.
//
//   dump_run PHOTO PAINTING --weights FILE --recipe NAME|FILE [flags of the recipe] --out DIR
//       [--at N...]
//
// DIR/run.json       sizes, the recipe with all its flags, and "losses": one entry for the first
//                    point and one for each iteration after it
// DIR/photo.f32      the photo at the size it is worked on: float32, planes red, green, blue, 0..1
// DIR/painting.f32   the painting, likewise
// DIR/initial.f32    the optimiser's variable at the first point: planes red, green, blue, in the
//                    recipe's space
// DIR/gradient0.f32  the gradient of the total loss there, by the variable
// DIR/after_N.f32    the variable after N iterations, for each N of --at
// DIR/final.f32      the variable after the last iteration
//
// It takes the steps that limn::paint takes by a published system's recipe, but shows the variable
// itself, unclamped, and looks for no best picture. Of limn's own it knows neither the smaller
// sizes, nor bands and borders, nor measured weights. For developers: it uses the library's insides
// and is not installed.
#include <limn/limn.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "canvas/initial.h"
#include "canvas/sizes.h"
#include "commands/report.h"
#include "optimise/descent.h"
#include "optimise/optimiser.h"
#include "paint/objective.h"
#include "request/arguments.h"

namespace {

using namespace limn;

void write_floats(const std::string& path, std::span<const float> values) {
  replace_file(path, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
}

nlohmann::ordered_json size_of(const Image& picture) {
  return {{"width", picture.width}, {"height", picture.height}};
}

void dump(const PaintingArguments& arguments, const std::string& folder,
          const std::vector<int>& at) {
  Recipe recipe = arguments.recipe();
  const Model model = arguments.model(recipe);
  const Image whole_photo = read_image(arguments.photo());
  const Image whole_painting = read_image(arguments.painting());
  const WorkingSizes sizes = working_sizes(whole_photo, whole_painting, recipe);
  const Image photo = resized(whole_photo, sizes.picture.width, sizes.picture.height);
  const Image painting =
      resized(whole_painting, sizes.paintings[0].width, sizes.paintings[0].height);
  write_floats(folder + "/photo.f32", photo.rgb);
  write_floats(folder + "/painting.f32", painting.rgb);

  ThreadPool pool(recipe.picture.threads, recipe.picture.pinning);
  Objective objective(model.weights(), recipe, photo, painting, pool);
  std::optional<Image> given = initial_picture({}, recipe);
  if (given) given = resized(*given, photo.width, photo.height);
  const std::vector<float> initial =
      initial_variable(objective.units(), recipe, photo, std::move(given));
  std::vector<float> gradient(objective.size());
  objective.evaluate(initial, gradient);
  write_floats(folder + "/initial.f32", initial);
  write_floats(folder + "/gradient0.f32", gradient);

  const auto clip = [&](std::span<float> x) {
    objective.units().clip(x, objective.picture_size(), pool);
  };
  Descent descent([&](std::span<const float> x,
                      std::span<float> slope) { return objective.evaluate(x, slope); },
                  initial, make_optimiser(recipe, objective.size(), pool), pool,
                  recipe.optimiser.clip ? clip : std::function<void(std::span<float>)>());
  nlohmann::ordered_json run;
  run["photo"] = size_of(photo);
  run["painting"] = size_of(painting);
  run["recipe"] = to_json(recipe);
  run["losses"].push_back(to_json(descent.losses()));
  while (descent.iteration() < recipe.optimiser.iterations) {
    const Descent::Status status = descent.advance();
    if (status == Descent::Status::converged || status == Descent::Status::failed) break;
    run["losses"].push_back(to_json(descent.losses()));
    if (std::ranges::find(at, descent.iteration()) != at.end())
      write_floats(fmt::format("{}/after_{}.f32", folder, descent.iteration()), descent.x());
  }
  run["rejected_steps"] = descent.rejected_steps();
  replace_file(folder + "/run.json", run.dump(1));
  write_floats(folder + "/final.f32", descent.x());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Write a run's beginning, losses and end for parity/parity.py", "dump_run");
  PaintingArguments arguments;
  std::string folder;
  std::vector<int> at;
  arguments.add_to(app);
  app.add_option("--out", folder, "An existing folder")->required();
  app.add_option("--at", at, "Iterations after which the variable is written too");
  CLI11_PARSE(app, argc, argv);
  try {
    dump(arguments, folder, at);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "dump_run: {}\n", error.what());
    return 1;
  }
}
