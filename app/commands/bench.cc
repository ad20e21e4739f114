// limn bench
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "commands/commands.h"
#include "commands/exit_code.h"
#include "commands/report.h"
#include "kernels/kernels.h"
#include "models/model_cache.h"
#include "paint/memory.h"
#include "paint/objective.h"
#include "request/arguments.h"
#include "show/console.h"

namespace limn {
namespace {

constexpr const char* kBenchDescription =
    R"(Time one evaluation of the loss and its gradient, layer by layer.

Uses recipe 'gram' on a square picture of noise. VGG's weights are random unless --weights is
given: no file is needed, and the work does not depend on the values. Each number is the median
over the evaluations, not counting a first one to warm up. GFLOP are those of the direct method
(2 x 9 x in x out for each position of a convolution, 2 x C^2 for each product of a Gram layer), so
a method that needs fewer operations shows as more GFLOP/s. The built-in network's losses are
listed at the layers that it imitates.)";

constexpr const char* kBenchExamples =
    R"(Examples:
  limn bench
  limn bench --network builtin
  limn bench --size 1024 --threads 1)";

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Weights scaled to keep activations equally large from layer to layer (He et al., arXiv
// 1502.01852), so that no layer works on zeros or infinities.
Weights random_weights(const NetworkTable& network) {
  Weights weights;
  weights.network = &network;
  weights.convention = kCaffeConvention;
  weights.source = "random weights";
  Random random(1);
  for (const Row& row : network.rows) {
    if (row.kind != RowKind::convolution) continue;
    Convolution& convolution = weights.convolutions.emplace_back();
    convolution.id = row.id;
    convolution.kernel = {row.in, row.out, Buffer<float>(size_t{9} * row.in * row.out)};
    convolution.bias = Buffer<float>(row.out);
    const double range = std::sqrt(6.0 / (9 * row.in));
    for (float& value : convolution.kernel.values) {
      value = static_cast<float>(range * (2 * random.uniform() - 1));
    }
  }
  return weights;
}

Image noise(int size, std::uint64_t seed) {
  Image image;
  image.width = image.height = size;
  image.rgb.resize(3 * static_cast<size_t>(size) * size);
  Random random(seed);
  for (float& value : image.rgb) value = static_cast<float>(random.uniform());
  return image;
}

// One line of the table, with the seconds of each evaluation.
struct Line {
  std::string name;
  double gflop = 0;  // forward; backward takes as much
  std::vector<double> forward, backward;
};

// The lines for the network's rows and taps at one picture size, filled evaluation by evaluation.
class Table {
 public:
  Table(const Recipe& recipe, const NetworkTable& network) : recipe_(recipe), network_(network) {}

  void add(std::span<const Pass::RowSeconds> seconds, int size) {
    int side = size;
    std::string pending;  // rows that are computed together with the next
    double gflop = 0;
    size_t line = 0;
    for (size_t row = 0; row < seconds.size(); ++row) {
      const Row& r = network_.rows[row];
      const double positions = static_cast<double>(side) * side;
      if (r.kind == RowKind::pooling) {
        side = pooled_side(recipe_.network.pooling, side);
      } else {
        gflop += 2.0 * 9 * r.in * r.out * positions / 1e9;
      }
      const std::string name = r.kind == RowKind::pooling ? "pool" : "conv";
      pending += fmt::format("{}{}{}", pending.empty() ? "" : " ", name, r.id);
      if (seconds[row].forward > 0) {
        record(line++, pending, gflop, seconds[row].forward, seconds[row].backward);
        pending.clear();
        gflop = 0;
      }
      if (seconds[row].gram > 0 || seconds[row].gradient > 0) {
        const bool gram = seconds[row].gram > 0;  // content layers need no products
        const double product = gram ? 2.0 * r.out * r.out * positions / 1e9 : 0;
        const Imitation* imitation = imitation_at(network_, {static_cast<int>(row), Tap::output});
        record(line++, "  losses at " + (imitation ? imitation->layer : layer_name(r)), product,
               seconds[row].gram, seconds[row].gradient);
      }
    }
  }

  std::vector<Line> lines;

 private:
  void record(size_t line, const std::string& name, double gflop, double forward, double backward) {
    if (line == lines.size()) lines.push_back({name, gflop, {}, {}});
    lines[line].forward.push_back(forward);
    lines[line].backward.push_back(backward);
  }

  const Recipe& recipe_;
  const NetworkTable& network_;
};

struct BenchCommand {
  int size = 512;
  int evaluations = 5;
  int threads = 0;
  bool free_threads = false;
  bool json = false;
  std::string network_name = "vgg19";
  std::string weights_name;

  Weights weights() const {
    if (!weights_name.empty()) return read_found(find_weights(weights_name));
    check_network_name(network_name);
    if (network_name == kBuiltinName) return read_found({});
    return random_weights(network_named(network_name));
  }

  int run() const {
    Weights weights = this->weights();
    const NetworkTable& network = *weights.network;
    Recipe recipe = find_recipe("gram");
    recipe.network.name = network.name;
    recipe.picture.border = 0;  // one evaluation of exactly size x size pixels
    ThreadPool pool(threads, free_threads ? Pinning::none : Pinning::cores);
    drop_unread_layers(weights, {&recipe, 1});
    Objective objective(weights, recipe, noise(size, 1), noise(size, 2), pool);
    std::vector<float> x = objective.units().encode(noise(size, 3));
    std::vector<float> gradient(x.size());

    Table table(recipe, network);
    std::vector<double> seconds;
    for (int i = 0; i <= evaluations; ++i) {
      const auto start = std::chrono::steady_clock::now();
      objective.evaluate(x, gradient);
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      if (i == 0) continue;  // it touches its memory for the first time
      seconds.push_back(taken.count());
      table.add(objective.row_seconds(), size);
    }
    const WorkingSizes sizes = {{size, size}, {{size, size}}};
    const Result result = {table, seconds, network.name, pool.threads(),
                           predict_evaluation_bytes(weights, recipe, sizes, pool.threads())};
    print(json ? as_json(result) : as_text(result));
    return kSuccess;
  }

  struct Result {
    const Table& table;
    const std::vector<double>& seconds;
    std::string_view network;
    int threads;
    double predicted_bytes;
  };

  std::string as_text(const Result& result) const {
    const auto& [table, seconds, network, threads, predicted_bytes] = result;
    std::string text =
        fmt::format("{}, {} x {} pixels, {} threads, {}\n\n{:<28}{:>8}{:>12}{:>13}{:>10}\n",
                    network, size, size, threads, kernels::instruction_set(), "", "GFLOP",
                    "forward ms", "backward ms", "GFLOP/s");
    double gflop = 0;
    double accounted = 0;
    for (const Line& line : table.lines) {
      const double both = 2 * line.gflop;
      const double forward = median(line.forward);
      const double backward = median(line.backward);
      text += fmt::format("{:<28}{:>8.2f}{:>12.2f}{:>13.2f}{:>10.0f}\n", line.name, both,
                          1e3 * forward, 1e3 * backward, both / (forward + backward));
      gflop += both;
      accounted += forward + backward;
    }
    const double whole = median(seconds);
    text += fmt::format("{:<28}{:>8}{:>25.2f}\n", "everything else", "", 1e3 * (whole - accounted));
    text += fmt::format("{:<28}{:>8.2f}{:>25.2f}{:>10.0f}\n\n", "one evaluation", gflop,
                        1e3 * whole, gflop / whole);
    return text + fmt::format(
                      "least {:.4f} s, most {:.4f} s of {}; peak memory {:.0f} MB, predicted "
                      "{:.0f} MB\n",
                      *std::min_element(seconds.begin(), seconds.end()),
                      *std::max_element(seconds.begin(), seconds.end()), seconds.size(),
                      static_cast<double>(peak_memory_bytes()) / 1e6, predicted_bytes / 1e6);
  }

  std::string as_json(const Result& result) const {
    nlohmann::ordered_json object;
    object["network"] = result.network;
    object["size"] = size;
    object["threads"] = result.threads;
    object["instruction_set"] = kernels::instruction_set();
    for (const Line& line : result.table.lines) {
      object["layers"].push_back({{"name", line.name},
                                  {"gflop", 2 * line.gflop},
                                  {"forward_seconds", line.forward},
                                  {"backward_seconds", line.backward}});
    }
    object["seconds"] = result.seconds;
    object["peak_memory_bytes"] = peak_memory_bytes();
    object["predicted_memory_bytes"] = static_cast<std::int64_t>(result.predicted_bytes);
    return object.dump(2) + "\n";
  }
};

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("bench", kBenchDescription);
  command->footer(kBenchExamples);
  const auto bench = std::make_shared<BenchCommand>();
  command->add_option("--size", bench->size, "Side of the picture in pixels")
      ->check(CLI::Range(16, 16384))
      ->type_name("N")
      ->capture_default_str();
  CLI::Option* network =
      command->add_option("--network", bench->network_name, "The network to time")
          ->type_name("builtin|vgg16|vgg19")
          ->capture_default_str();
  command
      ->add_option("--weights", bench->weights_name,
                   "Time the network of these weights: a file, or a name in the cache")
      ->type_name("FILE|NETWORK")
      ->excludes(network);
  command->add_option("--evaluations", bench->evaluations, "Number of timed evaluations")
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--threads", bench->threads, "Threads; 0: one per core")
      ->check(CLI::Range(0, 1024))
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--no-pin", bench->free_threads, "Let the system move threads between cores");
  command->add_flag("--json", bench->json, "Print JSON");
  command->callback([bench, &exit_code] { exit_code = bench->run(); });
}

}  // namespace limn
