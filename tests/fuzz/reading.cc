#include "fuzz/reading.h"

#include <limn/limn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "weights/read.h"

namespace limn {
namespace {

[[noreturn]] void misbehaved(const FuzzedReader& reader, const std::string& how) {
  std::fprintf(stderr, "%s: %s\n", std::string(reader.name).c_str(), how.c_str());
  std::abort();
}

// A folder for the process, in memory where there is one.
class Scratch {
 public:
  Scratch() {
    const bool in_memory = std::filesystem::is_directory("/dev/shm");
    folder_ = std::string(in_memory ? "/dev/shm" : "/tmp") + "/limn-fuzz-XXXXXX";
    if (mkdtemp(folder_.data()) == nullptr) std::abort();
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string write(const std::string& name, std::string_view bytes) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary).write(bytes.data(), std::ssize(bytes));
    return path;
  }

 private:
  std::string folder_;
};

// Reads weights, which must then be whole.
template <Weights (*Read)(const std::string&)>
void read_weights(const FuzzedReader& reader, const std::string& path) {
  const Weights weights = Read(path);
  if (weights.network == nullptr || weights.convolutions.empty()) {
    misbehaved(reader, "weights without layers");
  }
  for (const Convolution& convolution : weights.convolutions) {
    const auto whole = static_cast<size_t>(9) * convolution.in() * convolution.out();
    if (convolution.kernel.values.size() != whole ||
        convolution.bias.size() != static_cast<size_t>(convolution.out())) {
      misbehaved(reader, "a layer of the wrong size");
    }
    for (const float value : convolution.kernel.values) {
      if (!std::isfinite(value)) misbehaved(reader, "a value that is not finite");
    }
  }
}

// What the checkpoints of the corpus are of.
struct SmallPainting {
  SmallPainting() {
    recipe.optimiser.iterations = 6;
    recipe.optimiser.history = 2;
    recipe.picture.size = 0;
    recipe.picture.threads = 1;
    pictures = single_style(waves(20, 17, 3), waves(18, 21, 5));
  }

  static Image waves(int width, int height, int length) {
    Image image;
    image.width = width;
    image.height = height;
    for (int i = 0; i < 3 * width * height; ++i) {
      image.rgb.push_back(static_cast<float>(i % length) / static_cast<float>(length));
    }
    return image;
  }

  const Model model = Model::builtin();
  Recipe recipe;
  Pictures pictures;
  Plan plan() const { return make_plan(model, sizes_of(pictures), recipe); }
};

// Goes on from a checkpoint to the end.
void resume(const FuzzedReader& reader, const std::string& path) {
  static const SmallPainting painting;
  read_checkpoint(path);
  Run run(painting.model, painting.pictures, painting.plan(), path);
  for (int steps = 0; run.step(); ++steps) {
    if (steps > painting.recipe.optimiser.iterations) misbehaved(reader, "a run without an end");
  }
  run.finish();
}

constexpr FuzzedReader kReaders[] = {
    {"caffemodel", read_weights<read_caffemodel>},
    {"checkpoint", resume},
    {"keras_h5", read_weights<read_keras_h5>},
    {"matconvnet", read_weights<read_matconvnet>},
    {"numpy_npy", read_weights<read_numpy_npy>},
    {"numpy_npz", read_weights<read_numpy_npz>},
    {"pytorch_pth", read_weights<read_pytorch_pth>},
    {"safetensors", read_weights<read_safetensors>},
    {"tensorflow_js", read_weights<read_tensorflow_js>},
};

}  // namespace

std::span<const FuzzedReader> fuzzed_readers() { return kReaders; }

void read_or_abort(const FuzzedReader& reader, std::string_view bytes) {
  static const Scratch scratch;
  // A format of several files gets the bytes behind the first 0 as its second one.
  const bool two_files = reader.name == "tensorflow_js";
  const std::string_view first = two_files ? bytes.substr(0, bytes.find('\0')) : bytes;
  const std::string path = scratch.write(two_files ? "model.json" : "weights", first);
  if (two_files) scratch.write("shard.bin", bytes.substr(std::min(bytes.size(), first.size() + 1)));
  try {
    reader.read(reader, path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::file) misbehaved(reader, error.what());
    if (std::string_view(error.what()).find(path) == std::string_view::npos) {
      misbehaved(reader, std::string("an error that does not name the file: ") + error.what());
    }
  }
}

void write_checkpoint_of_corpus(const std::string& path, int steps) {
  const SmallPainting painting;
  Run run(painting.model, painting.pictures, painting.plan());
  for (int i = 0; i < steps; ++i) run.step();
  run.save(path, {{"request", "{}"}});
}

}  // namespace limn
