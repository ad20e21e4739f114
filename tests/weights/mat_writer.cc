#include "mat_writer.h"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>

namespace limn {
namespace {

constexpr std::uint32_t kInt8 = 1, kUint16 = 4, kInt32 = 5, kUint32 = 6, kSingle = 7, kMatrix = 14,
                        kCompressed = 15;
constexpr std::uint32_t kCellClass = 1, kStructClass = 2, kTextClass = 4, kSingleClass = 7;

}  // namespace

std::string MatWriter::word(std::uint32_t number) const {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(number >> 8 * i & 255);
  if (is_big_endian) std::ranges::reverse(bytes);
  return bytes;
}

std::string MatWriter::element(std::uint32_t type, const std::string& data) const {
  std::string bytes = word(type) + word(static_cast<std::uint32_t>(data.size())) + data;
  bytes.resize((bytes.size() + 7) / 8 * 8, '\0');
  return bytes;
}

std::string MatWriter::small_element(std::uint32_t type, const std::string& data) const {
  std::string bytes = word(static_cast<std::uint32_t>(data.size()) << 16 | type) + data;
  bytes.resize(8, '\0');
  return bytes;
}

std::string MatWriter::matrix(std::uint32_t flags, const std::vector<std::uint32_t>& dimensions,
                              const std::string& name, const std::string& contents) const {
  std::string sizes;
  for (const std::uint32_t dimension : dimensions) sizes += word(dimension);
  return element(kMatrix, element(kUint32, word(flags) + word(0)) + element(kInt32, sizes) +
                              (name.size() > 0 && name.size() <= 4 ? small_element(kInt8, name)
                                                                   : element(kInt8, name)) +
                              contents);
}

std::string MatWriter::singles(const std::vector<std::uint32_t>& dimensions,
                               std::span<const float> values) const {
  std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  for (size_t i = 0; is_big_endian && i < bytes.size(); i += 4)
    std::reverse(bytes.begin() + static_cast<long>(i), bytes.begin() + static_cast<long>(i) + 4);
  return matrix(kSingleClass, dimensions, "", element(kSingle, bytes));
}

std::string MatWriter::text(const std::string& text) const {
  std::string wide;  // MATLAB writes characters as numbers of 16 bits
  for (const char c : text) {
    if (is_big_endian) wide += '\0';
    wide += c;
    if (!is_big_endian) wide += '\0';
  }
  return matrix(kTextClass, {1, static_cast<std::uint32_t>(text.size())}, "",
                element(kUint16, wide));
}

std::string MatWriter::cell(const std::vector<std::uint32_t>& dimensions,
                            const std::vector<std::string>& matrices,
                            const std::string& name) const {
  std::string contents;
  for (const std::string& matrix : matrices) contents += matrix;
  return matrix(kCellClass, dimensions, name, contents);
}

std::string MatWriter::structure(const std::vector<std::uint32_t>& dimensions,
                                 const std::vector<std::string>& fields,
                                 const std::vector<std::string>& matrices,
                                 const std::string& name) const {
  constexpr std::uint32_t kLength = 16;  // of a field's name
  std::string names;
  for (const std::string& field : fields) names += field + std::string(kLength - field.size(), 0);
  std::string contents = small_element(kInt32, word(kLength)) + element(kInt8, names);
  for (const std::string& matrix : matrices) contents += matrix;
  return matrix(kStructClass, dimensions, name, contents);
}

std::string MatWriter::packed(const std::string& matrix, const MatWriter& writer) {
  uLongf bytes = compressBound(matrix.size());
  std::string packed(bytes, '\0');
  if (compress(reinterpret_cast<Bytef*>(packed.data()), &bytes,
               reinterpret_cast<const Bytef*>(matrix.data()), matrix.size()) != Z_OK)
    throw std::runtime_error("zlib cannot pack");
  packed.resize(bytes);
  return writer.word(kCompressed) + writer.word(static_cast<std::uint32_t>(bytes)) + packed;
}

std::string MatWriter::file(const std::string& variables) const {
  std::string header = "MATLAB 5.0 MAT-file, Platform: TEST";
  header.resize(124, ' ');
  header += is_big_endian ? std::string("\x01\x00MI", 4) : std::string("\x00\x01IM", 4);
  return header + variables;
}

std::vector<float> matlab_order(const Convolution& convolution) {
  const auto in = static_cast<size_t>(convolution.in());
  const auto out = static_cast<size_t>(convolution.out());
  const std::vector<float> kernel = unpacked(convolution.kernel);
  std::vector<float> values;
  for (size_t o = 0; o < out; ++o) {
    for (size_t i = 0; i < in; ++i) {
      for (size_t x = 0; x < 3; ++x) {
        for (size_t y = 0; y < 3; ++y) values.push_back(kernel[((o * in + i) * 3 + y) * 3 + x]);
      }
    }
  }
  return values;
}

std::string mat_layers(const MatWriter& writer, const Weights& weights, MatNesting nesting) {
  std::vector<std::string> layers;
  for (const Convolution& convolution : weights.convolutions) {
    const auto in = static_cast<std::uint32_t>(convolution.in());
    const auto out = static_cast<std::uint32_t>(convolution.out());
    const std::string name = writer.text("conv" + convolution.id);
    const std::string type = writer.text("conv");
    const std::string filters = writer.singles({3, 3, in, out}, matlab_order(convolution));
    const std::string biases = writer.singles({1, out}, convolution.bias);
    const std::string no_options = writer.cell({1, 1}, {writer.element(kMatrix, "")});
    layers.push_back(
        nesting == MatNesting::weights
            ? writer.structure({1, 1}, {"opts", "name", "type", "weights"},
                               {no_options, name, type, writer.cell({1, 2}, {filters, biases})})
            : writer.structure({1, 1}, {"filters", "biases", "type", "name"},
                               {filters, biases, type, name}));
    layers.push_back(writer.structure(
        {1, 1}, {"type", "name", "weights"},
        {writer.text("relu"), writer.text("relu" + convolution.id), writer.cell({0, 0}, {})}));
  }
  return writer.cell({1, static_cast<std::uint32_t>(layers.size())}, layers, "layers");
}

std::string mat_file(const Weights& weights, bool is_packed, MatNesting nesting,
                     const MatWriter& writer) {
  const std::string classes =
      writer.cell({1, 2}, {writer.text("tench"), writer.text("goldfish")}, "classes");
  const std::string layers = mat_layers(writer, weights, nesting);
  if (!is_packed) return writer.file(classes + layers);
  return writer.file(MatWriter::packed(classes, writer) + MatWriter::packed(layers, writer));
}

}  // namespace limn
