// limn model: describes a weights file, or writes it in another format.
#include "commands/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "models/model_cache.h"
#include "network/weights.h"
#include "recipe/fields.h"
#include "request/command_files.h"
#include "show/console.h"
#include "show/progress.h"
#include "weights/known_files.h"
#include "weights/read.h"

namespace limn {
namespace {

// ---------------------------------------------------------------------------------------- info --

// What the command says about a weights file.
struct Description {
  Weights weights;
  std::uint64_t bytes = 0;
  std::string sha256;
  const KnownFile* known = nullptr;
};

Description describe(const std::optional<std::string>& file) {
  Description description;
  description.weights = read_found(file);
  if (!file) {
    description.bytes = builtin_file().size();
    description.sha256 = sha256_of_bytes(builtin_file());
    return description;
  }
  const std::string& path = *file;
  description.bytes = file_size(path, "weights file");
  description.sha256 = sha256_of_file(path, "weights file");
  description.known = known_file(description.sha256);
  // Some machines' OpenSSL does not compute MD5, so it is used only if it may identify the file.
  const bool size_known =
      std::ranges::count(known_files(), description.bytes, &KnownFile::bytes) > 0;
  if (!description.known && size_known)
    description.known = known_file_of_md5(md5_of_file(path, "weights file"));
  return description;
}

size_t parameters_of(const Convolution& convolution) {
  return convolution.kernel.values.size() + convolution.bias.size();
}

size_t parameters_of(const Weights& weights) {
  size_t parameters = 0;
  for (const Convolution& convolution : weights.convolutions)
    parameters += parameters_of(convolution);
  for (const Imitation& tap : weights.network->imitations) parameters += tap.R.size();
  return parameters;
}

size_t convolutions_of(const NetworkTable& network) {
  return static_cast<size_t>(std::ranges::count(network.rows, RowKind::convolution, &Row::kind));
}

// The convention's name, as in --weights-convention; "" if it has none.
std::string_view name_of(const InputConvention& convention) {
  constexpr InputConvention kNone = {false, 0, {0, 0, 0}, {0, 0, 0}};  // what Convention::file is
  for (const auto& [value, name] : kNames<Convention>) {
    if (input_convention(value, kNone) == convention) return name;
  }
  return "";
}

// "BGR in 0..255, minus (103.939, 116.779, 123.68)"
std::string words_for(const InputConvention& convention) {
  std::string text = fmt::format("{} in 0..{}", convention.bgr ? "BGR" : "RGB", convention.scale);
  const auto differs = [](const std::array<float, 3>& values, float neutral) {
    return values != std::array<float, 3>{neutral, neutral, neutral};
  };
  if (differs(convention.mean, 0))
    text += fmt::format(", minus ({})", fmt::join(convention.mean, ", "));
  if (differs(convention.deviation, 1))
    text += fmt::format(", divided by ({})", fmt::join(convention.deviation, ", "));
  return text;
}

// 1792 as "1,792".
std::string with_commas(size_t number) {
  std::string digits = std::to_string(number);
  for (size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, 1, ',');
  return digits;
}

// A student's description of its training; not an object unless it is JSON of a few levels.
nlohmann::ordered_json training_of(const Student& student) {
  constexpr int kMostLevels = 3;
  const auto keep = [](int depth, auto, auto&) { return depth <= kMostLevels; };
  return nlohmann::ordered_json::parse(student.provenance.training, keep,
                                       /*allow_exceptions=*/false);
}

// Text from a file, made safe to show: like printable(), but all of it.
std::string shown(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text.empty() ? "not stated" : text;
}

// "steps 2000, batch 16"
std::string words_for_training(const Student& student) {
  const nlohmann::ordered_json training = training_of(student);
  if (!training.is_object()) return shown(student.provenance.training);
  std::vector<std::string> words;
  for (const auto& [key, value] : training.items()) {
    if (value.is_primitive()) words.push_back(fmt::format("{} {}", key, value.dump()));
  }
  return shown(fmt::format("{}", fmt::join(words, ", ")));
}

std::string as_text(const Student& student) {
  std::vector<std::string> levels, taps;
  for (const std::vector<int>& level : widths_of(student.rows)) {
    levels.push_back(fmt::format("{}", fmt::join(level, " ")));
  }
  for (const Imitation& tap : student.imitations) {
    taps.push_back(fmt::format("{} by conv{}", tap.layer, student.rows[tap.row].id));
  }
  const Provenance& provenance = student.provenance;
  return fmt::format(
      "widths      {}\nimitates    {}: {}\ntraining    {}\nattribution {}\nlicence     {}\n",
      fmt::join(levels, " | "), shown(provenance.imitates), fmt::join(taps, ", "),
      words_for_training(student), shown(provenance.attribution), shown(provenance.license));
}

std::string as_text(const Description& description) {
  const Weights& weights = description.weights;
  const std::string_view convention = name_of(weights.convention);
  std::string text = fmt::format(
      "file        {}\nformat      {}\nnetwork     {}, {} of its {} convolutions\ninput       "
      "{}{}\n",
      weights.source, weights.format, weights.network->name, weights.convolutions.size(),
      convolutions_of(*weights.network), words_for(weights.convention),
      convention.empty() ? "" : fmt::format(" ({})", convention));
  if (weights.student) text += as_text(*weights.student);
  text += fmt::format(
      "bytes       {}\nSHA-256     {}\npublished   {}\n", description.bytes, description.sha256,
      description.known ? fmt::format("as {}: {}", description.known->name, description.known->what)
                        : "unknown: no published file that limn knows has this checksum");
  text += "\nlayer       out x in x kernel       parameters\n";
  for (const Convolution& convolution : weights.convolutions) {
    text += fmt::format("conv{:<8}{:<23}{:>11}\n", convolution.id,
                        fmt::format("{} x {} x 3 x 3", convolution.out(), convolution.in()),
                        with_commas(parameters_of(convolution)));
  }
  for (const Imitation& tap : weights.network->imitations) {
    const int width = weights.network->rows[tap.row].out;
    text += fmt::format("{:<12}{:<23}{:>11}\n", tap.layer + "'s R",
                        fmt::format("{} x {}", width, width), with_commas(tap.R.size()));
  }
  return text + fmt::format("{:<35}{:>11}\n", "all", with_commas(parameters_of(weights)));
}

// A float as readers expect it, 103.939, without the extra digits of a double.
double shortest(float value) { return std::stod(fmt::format("{}", value)); }

std::array<double, 3> shortest(const std::array<float, 3>& values) {
  return {shortest(values[0]), shortest(values[1]), shortest(values[2])};
}

nlohmann::ordered_json json_of(const InputConvention& convention) {
  const std::string_view name = name_of(convention);
  return {{"name", name.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(name)},
          {"channel_order", convention.bgr ? "bgr" : "rgb"},
          {"scale", shortest(convention.scale)},
          {"mean", shortest(convention.mean)},
          {"deviation", shortest(convention.deviation)}};
}

nlohmann::ordered_json json_of(const Student& student) {
  nlohmann::ordered_json training = training_of(student);
  if (!training.is_object()) training = student.provenance.training;
  nlohmann::ordered_json json = {{"widths", widths_of(student.rows)},
                                 {"imitates", student.provenance.imitates},
                                 {"taps", nlohmann::ordered_json::array()},
                                 {"training", training},
                                 {"attribution", student.provenance.attribution},
                                 {"license", student.provenance.license}};
  for (const Imitation& tap : student.imitations) {
    json["taps"].push_back({{"layer", tap.layer},
                            {"read_at", fmt::format("conv{}", student.rows[tap.row].id)},
                            {"channels", student.rows[tap.row].out},
                            {"teacher_channels", tap.channels}});
  }
  return json;
}

std::string as_json(const Description& description) {
  const Weights& weights = description.weights;
  nlohmann::ordered_json json = {
      {"file", weights.source},
      {"format", weights.format},
      {"network", weights.network->name},
      {"complete", weights.convolutions.size() == convolutions_of(*weights.network)},
      {"input", json_of(weights.convention)},
      {"bytes", description.bytes},
      {"sha256", description.sha256}};
  json["published"] = nullptr;
  if (description.known) {
    json["published"] = {{"name", description.known->name}, {"what", description.known->what}};
  }
  json["convolutions"] = nlohmann::ordered_json::array();
  for (const Convolution& convolution : weights.convolutions) {
    json["convolutions"].push_back({{"layer", "conv" + convolution.id},
                                    {"shape", {convolution.out(), convolution.in(), 3, 3}},
                                    {"parameters", parameters_of(convolution)}});
  }
  json["parameters"] = parameters_of(weights);
  if (weights.student) json["student"] = json_of(*weights.student);
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// ------------------------------------------------------------------------------------- convert --

Convention convention_named(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [value, known] : kNames<Convention>) {
    if (known == name) return value;
    names.emplace_back(known);
  }
  fail(ErrorKind::usage, "--weights-convention: '{}' is not one of {}{}", name,
       fmt::join(names, ", "), did_you_mean(name, names));
}

struct ConvertCommand {
  std::string input, output;
  Convention convention = Convention::file;
  bool half = false;

  int run() const {
    const std::optional<std::string> file = find_weights(input);
    check(file);
    Weights weights = read_found(file);
    weights.convention = input_convention(convention, weights.convention);
    write_safetensors(weights, output, half);
    say(fmt::format("{}: {}, {} convolutions, {}\n", output, weights.network->name,
                    weights.convolutions.size(), bytes_text(file_size(output, "weights file"))));
    return kSuccess;
  }

  // Finds what would fail before the weights are read, and never lets an input be overwritten.
  void check(const std::optional<std::string>& file) const {
    if (!output.ends_with(".safetensors")) {
      fail(ErrorKind::usage, "--output: '{}' should end in .safetensors, the format limn writes",
           output);
    }
    check_replaceable(output);
    if (!file) return;
    CommandFiles files;
    for (const std::string& read : files_of_weights(*file)) files.reads(read, "weights");
    files.writes("--output", output, "weights");
    files.check();
  }
};

}  // namespace

void add_model_info_command(CLI::App& model, int& exit_code) {
  CLI::App* command = model.add_subcommand("info", R"(Describe a weights file

Its format (detected from its first bytes, not its name), network, input convention, layers,
SHA-256, and whether it is a published file that limn knows. All values are read and checked.)");
  command->footer(R"(Examples:
  limn model info builtin
  limn model info vgg19.h5
  limn model info vgg19 --json)");
  const auto file = std::make_shared<std::string>();
  const auto json = std::make_shared<bool>(false);
  command->add_option("WEIGHTS", *file, "The file, builtin, or the name of a network in the cache")
      ->required()
      ->type_name("FILE|NETWORK");
  command->add_flag("--json", *json, "Print JSON");
  command->callback([=, &exit_code] {
    const Description description = describe(find_weights(*file));
    print(*json ? as_json(description) : as_text(description));
    exit_code = kSuccess;
  });
}

void add_model_convert_command(CLI::App& model, int& exit_code) {
  CLI::App* command = model.add_subcommand("convert", R"(Write weights of any format as .safetensors

VGG's layers get torchvision's names; values keep their bits, and the input convention is stored
too. With --half, values are rounded to half precision and take half the space.)");
  command->footer(R"(Examples:
  limn model convert vgg19.h5 -o vgg19.safetensors
  limn model convert vgg19 -o small.safetensors --half)");
  const auto convert = std::make_shared<ConvertCommand>();
  command
      ->add_option("WEIGHTS", convert->input,
                   "The file, builtin, or the name of a network in the cache")
      ->required()
      ->type_name("FILE|NETWORK");
  command->add_option("-o,--output", convert->output, "Output file; an existing one is replaced")
      ->type_name("FILE")
      ->required();
  command->add_flag("--half", convert->half, "Round to half precision");
  command
      ->add_option_function<std::string>(
          "--weights-convention",
          [convert](const std::string& name) { convert->convention = convention_named(name); },
          "The weights' input convention, if the file gives none or the wrong one [file]")
      ->type_name("file|caffe|caffe-rounded|matconvnet|torchvision");
  command->callback([=, &exit_code] { exit_code = convert->run(); });
}

void add_model_command(CLI::App& app, int& exit_code) {
  CLI::App* command =
      app.add_subcommand("model", R"(Inspect, convert, fetch and list trained weights.

They belong to the built-in network, or to VGG-19 or VGG-16.)");
  command->footer(R"(Examples:
  limn model fetch vgg19
  limn model list
  limn model info vgg19.h5
  limn model convert vgg19.h5 -o vgg19.safetensors --half)");
  command->require_subcommand(1);
  add_model_fetch_command(*command, exit_code);
  add_model_list_command(*command, exit_code);
  add_model_info_command(*command, exit_code);
  add_model_convert_command(*command, exit_code);
}

}  // namespace limn
