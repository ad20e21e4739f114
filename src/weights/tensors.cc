#include "weights/tensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "weights/checks.h"

namespace limn {
namespace {

constexpr std::uint64_t kSide = 3;
constexpr int kTaps = 9;

// What messages call a tensor: ".weight" is the layer's weight, "_W" its W.
std::string_view part_name(std::string_view suffix) {
  const size_t letter = suffix.find_first_not_of("._/");
  return letter == std::string_view::npos ? suffix : suffix.substr(letter);
}

Buffer<float> read_part(const std::string& path, const TensorTable& tensors,
                        const std::string& layer, std::string_view suffix,
                        std::span<const std::uint64_t> expected) {
  const std::string_view part = part_name(suffix);
  const std::string name = layer + std::string(suffix);
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    fail(ErrorKind::file, "'{}': layer {} should have a {}, but there is no tensor '{}'", path,
         layer, part, name);
  }
  check_shape(path, layer, part, expected, found->second.shape);
  Buffer<float> values = found->second.read();
  size_t count = 1;  // does not overflow, for this is the network's own shape
  for (const std::uint64_t dimension : expected) count *= dimension;
  if (values.size() != count) {
    fail(ErrorKind::file, "'{}': layer {} should have a {} of {} values, but it has {}", path,
         layer, part, count, values.size());
  }
  check_finite(path, layer, part, values);
  return values;
}

// A kernel's shape, and by how many values each of its axes advances, as a file of this order has
// them.
struct KernelLayout {
  std::array<std::uint64_t, 4> shape;
  size_t out, in, y, x;
};

KernelLayout layout_of(KernelOrder order, size_t in, size_t out) {
  switch (order) {
    case KernelOrder::out_in_y_x:
      return {{out, in, kSide, kSide}, in * kTaps, kTaps, kSide, 1};
    case KernelOrder::out_in_x_y:
      return {{out, in, kSide, kSide}, in * kTaps, kTaps, 1, kSide};
    case KernelOrder::y_x_in_out:
      return {{kSide, kSide, in, out}, 1, out, kSide * in * out, in * out};
  }
  return {};
}

kernels::PackedKernel pack(const Buffer<float>& values, const KernelLayout& layout, int in,
                           int out) {
  kernels::PackedKernel kernel = {in, out, Buffer<float>(values.size())};
  for (int block = 0; block < out / kBlock; ++block) {
    for (int i = 0; i < in; ++i) {
      for (int tap = 0; tap < kTaps; ++tap) {
        const float* from = values.data() + static_cast<size_t>(block) * kBlock * layout.out +
                            i * layout.in + tap / 3 * layout.y + tap % 3 * layout.x;
        for (float& value : kernel_cell(kernel, block, i, tap)) {
          value = *from;
          from += layout.out;
        }
      }
    }
  }
  return kernel;
}

// What the file has instead of layers, for a message.
std::string first_names(const TensorTable& tensors) {
  if (tensors.empty()) return "no tensors at all";
  return fmt::format("{} tensor(s), the first '{}'", tensors.size(),
                     printable(tensors.begin()->first));
}

// IEEE 754 half precision: 1 bit of sign, 5 of exponent, 10 of fraction.
float from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t exponent = (half >> 10) & 31u;
  const std::uint32_t fraction = half & 1023u;
  if (exponent == 0) {  // zero and subnormals: fraction * 2^-24, exact in a float
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return sign ? -magnitude : magnitude;
  }
  // The exponent's bias grows from 15 to 127; 31, for infinity and NaN, becomes 255.
  const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

// A bfloat16 is the upper half of a float.
float from_bfloat(std::uint16_t half) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

// What C++ itself does: exact where a float can hold the number, otherwise the nearest.
constexpr auto kNearest = [](auto number) { return static_cast<float>(number); };

// The numbers that lie in `bytes` as Stored, each through `convert`.
template <typename Stored, typename Convert>
void convert_all(std::span<const std::byte> bytes, bool swapped, Buffer<float>& values,
                 Convert&& convert) {
  for (size_t i = 0; i < values.size(); ++i) {
    std::array<std::byte, sizeof(Stored)> number;
    std::memcpy(number.data(), bytes.data() + i * sizeof(Stored), sizeof(Stored));
    if (swapped) std::ranges::reverse(number);
    values[i] = convert(std::bit_cast<Stored>(number));
  }
}

}  // namespace

std::vector<std::string> caffe_names(const NetworkTable& network) {
  std::vector<std::string> names;
  for (const Row& row : network.rows) {
    if (row.kind == RowKind::convolution) names.push_back("conv" + std::string(row.id));
  }
  return names;
}

std::vector<std::string> keras_names(const NetworkTable& network) {
  std::vector<std::string> names;
  for (const Row& row : network.rows) {
    if (row.kind != RowKind::convolution) continue;
    const size_t underscore = row.id.find('_');  // "4_2" -> "block4_conv2"
    names.push_back(
        fmt::format("block{}_conv{}", row.id.substr(0, underscore), row.id.substr(underscore + 1)));
  }
  return names;
}

std::vector<std::string> torchvision_names(const NetworkTable& network) {
  std::vector<std::string> names;
  int module = 0;
  for (const Row& row : network.rows) {
    const bool convolution = row.kind == RowKind::convolution;
    if (convolution) names.push_back(fmt::format("features.{}", module));
    module += convolution ? 2 : 1;  // a convolution and its ReLU
  }
  return names;
}

Weights weights_of(const std::string& path, const TensorTable& tensors, const TensorNaming& naming,
                   const NetworkTable* network) {
  const HasLayer has_layer = [&](const std::string& layer) {
    return tensors.contains(layer + std::string(naming.kernel)) ||
           tensors.contains(layer + std::string(naming.bias));
  };
  Weights weights;
  weights.source = path;
  weights.network = network ? network : &fitting_network(naming.layers, has_layer);
  weights.convolutions = planned_convolutions(*weights.network);
  const std::vector<std::string> names = naming.layers(*weights.network);
  weights.convolutions.resize(count_layers(path, names, has_layer, first_names(tensors)));
  for (size_t i = 0; i < weights.convolutions.size(); ++i) {
    Convolution& convolution = weights.convolutions[i];
    const int in = convolution.in();
    const int out = convolution.out();
    const KernelLayout layout = layout_of(naming.order, in, out);
    convolution.kernel =
        pack(read_part(path, tensors, names[i], naming.kernel, layout.shape), layout, in, out);
    convolution.bias = read_part(path, tensors, names[i], naming.bias,
                                 std::array{static_cast<std::uint64_t>(out)});
  }
  return weights;
}

size_t bytes_of(NumberType type) {
  switch (type) {
    case NumberType::u8:
    case NumberType::i8:
      return 1;
    case NumberType::u16:
    case NumberType::i16:
    case NumberType::f16:
    case NumberType::bf16:
      return 2;
    case NumberType::u32:
    case NumberType::i32:
    case NumberType::f32:
      return 4;
    case NumberType::f64:
      return 8;
  }
  return 0;
}

Buffer<float> to_floats(std::span<const std::byte> bytes, NumberType type, bool big_endian) {
  const bool swapped = big_endian != (std::endian::native == std::endian::big);
  Buffer<float> values(bytes.size() / bytes_of(type));
  switch (type) {
    case NumberType::f16:
      convert_all<std::uint16_t>(bytes, swapped, values, from_half);
      break;
    case NumberType::bf16:
      convert_all<std::uint16_t>(bytes, swapped, values, from_bfloat);
      break;
    case NumberType::f32:
      convert_all<float>(bytes, swapped, values, kNearest);
      break;
    case NumberType::f64:
      convert_all<double>(bytes, swapped, values, kNearest);
      break;
    case NumberType::u8:
      convert_all<std::uint8_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::i8:
      convert_all<std::int8_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::u16:
      convert_all<std::uint16_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::i16:
      convert_all<std::int16_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::u32:
      convert_all<std::uint32_t>(bytes, swapped, values, kNearest);
      break;
    case NumberType::i32:
      convert_all<std::int32_t>(bytes, swapped, values, kNearest);
      break;
  }
  return values;
}

// A half has 11 significant bits, down to multiples of 2^-24.
std::uint16_t to_half(float value) {
  const auto sign = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16 & 0x8000u);
  const float size = std::abs(value);
  if (std::isnan(value)) return sign | 0x7e00u;
  if (size >= kHalfEnd) return sign | 0x7c00u;
  if (size < 0x1p-14f) {  // subnormal: 2^-24 is the last bit of the floats from 1/2 on
    return sign | static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(size + 0.5f) & 0xffffu);
  }
  // The lower 13 of a float's 23 bits of fraction go; half of their worth, less a tie that is even
  // already, carries into those that stay. The exponent's bias falls from 127 to 15.
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(size);
  const std::uint32_t rounded = bits + 0xfffu + (bits >> 13 & 1u);
  return sign | static_cast<std::uint16_t>((rounded >> 13) - (112u << 10));
}

}  // namespace limn
