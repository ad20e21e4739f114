// limn evaluate
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/report.h"
#include "request/arguments.h"
#include "request/command_files.h"
#include "request/opened_inputs.h"
#include "show/console.h"

namespace limn {
namespace {

constexpr const char* kEvaluateDescription =
    R"(Print the losses of PICTURE as a painting of PHOTO in the style of PAINTING.

The losses have their weights applied. The gradient is that of the total loss with respect to the
picture, in 0..1 RGB. Without --size, the working size is PICTURE's own, and the others are resized
to it.)";

constexpr const char* kEvaluateExamples =
    R"(Examples:
  limn evaluate photo.jpg painting.jpg out.png
  limn evaluate photo.jpg painting.jpg out.png --weights vgg19.h5 --json)";

std::string as_json(const Evaluation& evaluation) {
  nlohmann::ordered_json object = to_json(evaluation.losses);
  object["gradient_norm"] = evaluation.gradient_norm;
  object["width"] = evaluation.width;
  object["height"] = evaluation.height;
  return object.dump(2) + "\n";
}

std::string as_text(const Evaluation& evaluation) {
  const Losses& losses = evaluation.losses;
  return fmt::format(
      "content          {:.9g}\nstyle            {:.9g}\ntotal variation  {:.9g}\n"
      "total            {:.9g}\ngradient norm    {:.9g}\nsize             {} x {}\n",
      losses.content, losses.style, losses.total_variation, losses.total, evaluation.gradient_norm,
      evaluation.width, evaluation.height);
}

struct EvaluateCommand {
  PaintingArguments arguments;
  std::string picture;
  bool json = false;

  int run() const {
    CommandFiles files;
    arguments.add_inputs(files);
    files.reads_picture(picture, "picture");
    Recipe recipe = arguments.recipe();
    if (!arguments.given("picture.size")) recipe.picture.size = 0;
    ReadOptions options = arguments.read_options();
    options.note = [](const std::string& note) { say(note + "\n"); };
    std::vector<std::string> transparent;
    const auto read = [&](const std::string& file) {
      Image image = read_image(file, options);
      check_visible(image, file);
      if (!image.alpha.empty()) transparent.push_back(file);
      return image;
    };
    const Image photo = read(arguments.photo());
    const Image painting = read(arguments.painting());
    const Image evaluated = read(picture);
    if (!transparent.empty()) say(note_on_transparency(transparent) + "\n");
    const Model model = arguments.model(recipe);
    const Evaluation evaluation = evaluate(model, photo, painting, evaluated, recipe);
    if (!std::isfinite(evaluation.losses.total)) {
      fail(ErrorKind::usage, "the losses of '{}' are not finite; choose smaller weights", picture);
    }
    print(json ? as_json(evaluation) : as_text(evaluation));
    return kSuccess;
  }
};

}  // namespace

void add_evaluate_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("evaluate", kEvaluateDescription);
  command->footer(kEvaluateExamples);
  const auto evaluate = std::make_shared<EvaluateCommand>();
  evaluate->arguments.add_to(*command, PaintingArguments::Settings::of_losses,
                             PaintingArguments::Styles::one);
  command->add_option("PICTURE", evaluate->picture, "The picture to evaluate")
      ->required()
      ->type_name("FILE");
  command->add_flag("--json", evaluate->json, "Print JSON");
  command->callback([evaluate, &exit_code] { exit_code = evaluate->run(); });
}

}  // namespace limn
