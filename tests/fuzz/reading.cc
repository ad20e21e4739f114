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

constexpr FuzzedReader kReaders[] = {
    {"caffemodel", read_caffemodel},   {"keras_h5", read_keras_h5},
    {"matconvnet", read_matconvnet},   {"numpy_npy", read_numpy_npy},
    {"numpy_npz", read_numpy_npz},     {"pytorch_pth", read_pytorch_pth},
    {"safetensors", read_safetensors}, {"tensorflow_js", read_tensorflow_js},
};

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

void check(const FuzzedReader& reader, const Weights& weights) {
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
    check(reader, reader.read(path));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::file) misbehaved(reader, error.what());
    if (std::string_view(error.what()).find(path) == std::string_view::npos) {
      misbehaved(reader, std::string("an error that does not name the file: ") + error.what());
    }
  }
}

}  // namespace limn
