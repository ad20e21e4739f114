// Safetensors files: VGG's with torchvision's names, students' with plain ones.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "containers/file_bytes.h"
#include "containers/numbers.h"
#include "containers/safetensors_file.h"
#include "weights/checks.h"
#include "weights/known_files.h"
#include "weights/layer_names.h"
#include "weights/read.h"
#include "weights/student.h"
#include "weights/tensors.h"

namespace limn {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie");

// The values of a tensor, which must lie within the data.
Buffer<float> read_tensor(SafetensorsFile& file, const std::string& name,
                          const SafetensorsTensor& tensor) {
  const std::optional<NumberType> type = tensor.dtype == "F32"    ? NumberType::f32
                                         : tensor.dtype == "F16"  ? NumberType::f16
                                         : tensor.dtype == "BF16" ? NumberType::bf16
                                                                  : std::optional<NumberType>();
  if (!type) {
    fail(ErrorKind::file, "'{}': tensor '{}' should be F32, F16 or BF16, but it is {}", file.path(),
         name, printable(tensor.dtype));
  }
  std::uint64_t bytes = bytes_of(*type);  // does not overflow: only real layers are read
  for (const std::uint64_t dimension : tensor.shape) bytes *= dimension;
  if (tensor.end - tensor.begin != bytes) {
    fail(ErrorKind::file, "'{}': tensor '{}' should have {} bytes, but it has {}", file.path(),
         name, bytes, tensor.end - tensor.begin);
  }
  std::vector<std::byte> data(bytes);
  file.bytes.read(file.data_begin + tensor.begin, data);
  return to_floats(data, *type);
}

// The file's tensors; those of types other than floats can be listed, but not read.
TensorTable tensors_of(const std::shared_ptr<SafetensorsFile>& file) {
  TensorTable tensors;
  for (const auto& [name, entry] : file->header.tensors) {
    tensors[name] = {entry.shape, entry.dtype, [file, name = name, &entry = entry] {
                       return read_tensor(*file, name, entry);
                     }};
  }
  return tensors;
}

// ------------------------------------------------------------------------------------ metadata --

// Keys of the metadata that describe the weights.
constexpr const char* kNetworkKey = "network";
constexpr const char* kOrderKey = "channel_order";  // "rgb" or "bgr"
constexpr const char* kScaleKey = "scale";          // one number
constexpr const char* kMeanKey = "mean";            // three, in the order of channel_order
constexpr const char* kDeviationKey = "deviation";  // likewise

// The `N` numbers in the metadata's `key`, separated by spaces.
template <size_t N>
std::array<float, N> numbers_of(const SafetensorsFile& file, const std::string& key) {
  const std::string& text = file.header.metadata.at(key);
  std::array<float, N> numbers = {};
  const char* next = text.data();
  const char* const end = next + text.size();
  bool good = true;
  for (float& number : numbers) {
    while (next != end && *next == ' ') ++next;
    const auto [after, error] = std::from_chars(next, end, number);
    good = good && error == std::errc() && std::isfinite(number);
    next = after;
  }
  if (!good || next != end) {
    fail(ErrorKind::file, "'{}': the metadata's '{}' should be {} finite number(s), but it is '{}'",
         file.path(), key, N, printable(text));
  }
  return numbers;
}

std::optional<InputConvention> given_convention(const SafetensorsFile& file) {
  const std::array<std::string, 4> keys = {kOrderKey, kScaleKey, kMeanKey, kDeviationKey};
  const auto given = [&](const std::string& key) { return file.header.metadata.contains(key); };
  if (std::ranges::none_of(keys, given)) return std::nullopt;
  for (const std::string& key : keys) {
    if (given(key)) continue;
    // Half a convention would be a guess, and a wrong one silently paints wrong pictures.
    fail(ErrorKind::file, "'{}': the metadata should have all of {} or none, but '{}' is missing",
         file.path(), fmt::join(keys, ", "), key);
  }
  const std::string& order = file.header.metadata.at(kOrderKey);
  if (order != "rgb" && order != "bgr") {
    fail(ErrorKind::file, "'{}': the metadata's '{}' should be rgb or bgr, but it is '{}'",
         file.path(), kOrderKey, printable(order));
  }
  const InputConvention convention = {order == "bgr", numbers_of<1>(file, kScaleKey)[0],
                                      numbers_of<3>(file, kMeanKey),
                                      numbers_of<3>(file, kDeviationKey)};
  const auto positive = [](float number) { return number > 0; };
  if (!positive(convention.scale) || !std::ranges::all_of(convention.deviation, positive)) {
    fail(ErrorKind::file, "'{}': the metadata's '{}' and '{}' should be above 0, but they are not",
         file.path(), kScaleKey, kDeviationKey);
  }
  return convention;
}

// Without metadata only the values can show that weights were Caffe's.
InputConvention convention_of(const SafetensorsFile& file, const Weights& weights) {
  if (const std::optional<InputConvention> given = given_convention(file)) return *given;
  return convention_of_values(weights).value_or(kTorchvisionConvention);
}

bool is_student(const SafetensorsFile& file) {
  const auto found = file.header.metadata.find(kNetworkKey);
  return found != file.header.metadata.end() && found->second == kBuiltinName;
}

// The network that the metadata names, if it names one.
const NetworkTable* given_network(const SafetensorsFile& file) {
  const auto found = file.header.metadata.find(kNetworkKey);
  if (found == file.header.metadata.end()) return nullptr;
  if (const NetworkTable* network = find_network(found->second)) return network;
  const std::array<std::string, 3> known = {std::string(kVgg16.name), std::string(kVgg19.name),
                                            std::string(kBuiltinName)};
  fail(ErrorKind::file, "'{}': the metadata's '{}' should be {}, {} or {}, but it is '{}'{}",
       file.path(), kNetworkKey, known[0], known[1], known[2], printable(found->second),
       did_you_mean(found->second, known));
}

// ------------------------------------------------------------------------------------- writing --

// A tensor to write: what messages call it, its name and shape, and a function that gives its
// values in the file's order.
struct Written {
  std::string what;
  std::string name;
  std::vector<int> shape;
  std::function<std::vector<float>()> values;

  size_t count() const {
    size_t count = 1;
    for (const int side : shape) count *= static_cast<size_t>(side);
    return count;
  }
};

std::vector<float> listed(std::span<const float> values) { return {values.begin(), values.end()}; }

// All tensors that these weights are written as, in the file's order.
std::vector<Written> tensors_of(const Weights& weights) {
  const TensorNaming& naming = weights.student ? kPlainNaming : kTorchvisionNaming;
  const std::vector<std::string> names = naming.layers(*weights.network);
  std::vector<Written> tensors;
  for (size_t i = 0; i < weights.convolutions.size(); ++i) {
    const Convolution& convolution = weights.convolutions[i];
    const std::string what = "layer conv" + convolution.id;
    tensors.push_back({what,
                       names[i] + std::string(naming.kernel),
                       {convolution.out(), convolution.in(), 3, 3},
                       [&kernel = convolution.kernel] { return unpacked(kernel); }});
    tensors.push_back({what,
                       names[i] + std::string(naming.bias),
                       {convolution.out()},
                       [&bias = convolution.bias] { return listed(bias); }});
  }
  for (const Imitation& tap : weights.network->imitations) {
    const int width = weights.network->rows[tap.row].out;
    tensors.push_back(
        {"the map of " + tap.layer, tap_tensor(tap.layer), {width, width}, [&R = tap.R] {
           return listed(R);
         }});
  }
  return tensors;
}

// Half precision would turn values beyond its range into infinities, which no reader accepts.
void check_fits_half(std::span<const Written> tensors, const Weights& weights,
                     const std::string& path) {
  for (const Written& tensor : tensors) {
    const std::vector<float> values = tensor.values();
    const auto beyond =
        std::ranges::find_if(values, [](float value) { return !(std::abs(value) < kHalfEnd); });
    if (beyond == values.end()) continue;
    fail(ErrorKind::file,
         "cannot write '{}' in half precision: {} of '{}' has the value {}, but the largest half "
         "is 65504; write it in single precision",
         path, tensor.what, weights.source, *beyond);
  }
}

std::vector<std::pair<std::string, std::string>> metadata_of(const Weights& weights) {
  const InputConvention& convention = weights.convention;
  // fmt writes the fewest digits that read back as the same float.
  std::vector<std::pair<std::string, std::string>> metadata = {
      {"format", "pt"},  // which PyTorch's readers ask for
      {std::string(kNetworkKey), std::string(weights.network->name)},
      {std::string(kOrderKey), convention.bgr ? "bgr" : "rgb"},
      {std::string(kScaleKey), fmt::format("{}", convention.scale)},
      {std::string(kMeanKey), fmt::format("{}", fmt::join(convention.mean, " "))},
      {std::string(kDeviationKey), fmt::format("{}", fmt::join(convention.deviation, " "))}};
  if (weights.student) {
    for (const auto& [key, text] : student_metadata(*weights.student)) {
      metadata.emplace_back(key, text);
    }
  }
  return metadata;
}

}  // namespace

namespace {

Weights read(FileBytes bytes) {
  const auto file = std::make_shared<SafetensorsFile>(open_safetensors(std::move(bytes)));
  const TensorTable tensors = tensors_of(file);
  Weights weights;
  if (is_student(*file)) {
    const auto student = read_student(file->path(), tensors, file->header.metadata);
    weights = weights_of(file->path(), tensors, kPlainNaming, &student->table);
    weights.student = student;
    check_reaches_taps(file->path(), weights);
  } else {
    const FoundLayers found = find_layers(file->path(), tensors, kTorchvisionNaming);
    weights = weights_of(file->path(), found.tensors, found.naming, given_network(*file),
                         describe_tensors(tensors));
  }
  weights.convention = convention_of(*file, weights);
  return weights;
}

}  // namespace

Weights read_safetensors(const std::string& path) { return read(FileBytes(path)); }

Weights read_safetensors(const std::string& name, std::span<const std::byte> bytes) {
  Weights weights = read(FileBytes(name, bytes));
  weights.format = kSafetensorsFormat;
  return weights;
}

void write_safetensors(const Weights& weights, const std::string& path, bool half) {
  const std::vector<Written> tensors = tensors_of(weights);
  if (half) check_fits_half(tensors, weights, path);
  std::vector<TensorToWrite> to_write;
  for (const Written& tensor : tensors) {
    const auto write = [&tensor, half](const ByteSink& sink) {
      const std::vector<float> values = tensor.values();
      if (!half) return sink(std::as_bytes(std::span(values)));
      std::vector<std::uint16_t> halves(values.size());
      std::ranges::transform(values, halves.begin(), to_half);
      sink(std::as_bytes(std::span(halves)));
    };
    to_write.push_back({tensor.name,
                        half ? "F16" : "F32",
                        {tensor.shape.begin(), tensor.shape.end()},
                        tensor.count() * bytes_of(half ? NumberType::f16 : NumberType::f32),
                        write});
  }
  write_safetensors_file(path, metadata_of(weights), to_write);
}

}  // namespace limn
