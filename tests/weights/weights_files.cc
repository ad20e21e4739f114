#include "weights_files.h"

#include <fmt/format.h>
#include <limn/limn.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/same_bits.h"
#include "weights/checks.h"
#include "weights/read.h"

namespace limn {

TemporaryFolder::TemporaryFolder() : folder_(testing::TempDir() + "/limn-weights-XXXXXX") {
  if (!mkdtemp(folder_.data())) throw std::runtime_error("cannot create a folder " + folder_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Weights sample_weights(const NetworkTable& network, size_t layers) {
  Weights weights;
  weights.network = &network;
  weights.convention = kCaffeConvention;
  weights.convolutions = planned_convolutions(network);
  weights.convolutions.resize(layers);
  int next = 0;
  const auto next_value = [&next] { return static_cast<float>(next++ % 4001 - 2000) / 512.0f; };
  for (Convolution& convolution : weights.convolutions) {
    std::vector<float> kernel(static_cast<size_t>(convolution.in() * convolution.out() * 9));
    for (float& value : kernel) value = next_value();
    convolution.kernel = packed(kernel, convolution.in(), convolution.out());
    convolution.bias = Buffer<float>(static_cast<size_t>(convolution.out()));
    for (float& value : convolution.bias) value = next_value();
  }
  return weights;
}

testing::AssertionResult says(const std::string& message, std::string_view part) {
  if (message.find(part) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "the message is: " << message << "\nand lacks: " << part;
}

std::string refusal(const std::string& path) {
  try {
    read_weights(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file) << error.what();
    EXPECT_TRUE(says(error.what(), "'" + path + "'"));
    return error.what();
  }
  ADD_FAILURE() << path << " was read, but should have been refused";
  return "";
}

testing::AssertionResult same_layers(const Weights& a, const Weights& b) {
  if (a.network->name != b.network->name) return testing::AssertionFailure() << "networks differ";
  if (a.convolutions.size() != b.convolutions.size())
    return testing::AssertionFailure() << "numbers of layers differ";
  for (size_t i = 0; i < a.convolutions.size(); ++i) {
    const Convolution& x = a.convolutions[i];
    const Convolution& y = b.convolutions[i];
    if (x.id != y.id || x.in() != y.in() || x.out() != y.out())
      return testing::AssertionFailure() << "layers " << x.id << " and " << y.id << " differ";
    if (!same_bits(x.kernel.values, y.kernel.values))
      return testing::AssertionFailure() << "kernels of layer " << x.id << " differ";
    if (!same_bits(x.bias, y.bias))
      return testing::AssertionFailure() << "biases of layer " << x.id << " differ";
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult well_formed(const Weights& weights) {
  if (weights.network != &kVgg16 && weights.network != &kVgg19 &&
      (!weights.student || weights.network != &weights.student->table))
    return testing::AssertionFailure() << "no known network";
  const std::vector<Convolution> planned = planned_convolutions(*weights.network);
  if (weights.convolutions.empty() || weights.convolutions.size() > planned.size())
    return testing::AssertionFailure() << weights.convolutions.size() << " layers";
  for (size_t i = 0; i < weights.convolutions.size(); ++i) {
    const Convolution& layer = weights.convolutions[i];
    if (layer.id != planned[i].id || layer.in() != planned[i].in() ||
        layer.out() != planned[i].out() ||
        layer.kernel.values.size() != static_cast<size_t>(layer.in() * layer.out() * 9) ||
        layer.bias.size() != static_cast<size_t>(layer.out()))
      return testing::AssertionFailure() << "layer " << i << " has another shape";
    for (const Buffer<float>* values : {&layer.kernel.values, &layer.bias}) {
      for (const float value : *values) {
        if (!std::isfinite(value)) return testing::AssertionFailure() << "a value is " << value;
      }
    }
  }
  return testing::AssertionSuccess();
}

double status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return 1024 * std::stod(line.substr(key.size() + 1));
  }
  return 0;
}

std::string file_bytes(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

void write_bytes(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
}

void write_raw_safetensors(const std::string& path, const std::string& header,
                           const std::string& data) {
  std::string bytes;
  for (size_t i = 0; i < 8; ++i) bytes += static_cast<char>(header.size() >> (8 * i) & 255);
  write_bytes(path, bytes + header + data);
}

Hdf5Handle create_hdf5(const std::string& path, Hdf5Age age) {
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS));
  if (age == Hdf5Age::newest)
    H5Pset_libver_bounds(access.id(), H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  return Hdf5Handle(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()));
}

Hdf5Handle create_group(const Hdf5Handle& parent, const std::string& name) {
  return Hdf5Handle(H5Gcreate2(parent.id(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
}

void write_dataset(const Hdf5Handle& group, const std::string& name,
                   const std::vector<hsize_t>& shape, std::span<const float> values,
                   hid_t file_type, hid_t creation, const std::vector<hsize_t>& most_shape) {
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(),
                                          most_shape.empty() ? nullptr : most_shape.data()));
  const Hdf5Handle dataset(H5Dcreate2(group.id(), name.c_str(), file_type, space.id(), H5P_DEFAULT,
                                      creation, H5P_DEFAULT));
  if (H5Dwrite(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    throw std::runtime_error("cannot write dataset " + name);
}

Hdf5Handle half_type(H5T_order_t order) {
  Hdf5Handle half(H5Tcopy(H5T_IEEE_F32LE));
  H5Tset_fields(half.id(), 15, 10, 5, 0, 10);  // sign, exponent's place and bits, fraction's
  H5Tset_size(half.id(), 2);
  H5Tset_ebias(half.id(), 15);
  H5Tset_order(half.id(), order);
  return half;
}

std::vector<float> keras_order(const Convolution& convolution) {
  const auto in = static_cast<size_t>(convolution.in());
  const auto out = static_cast<size_t>(convolution.out());
  const std::vector<float> kernel = unpacked(convolution.kernel);
  std::vector<float> keras;
  for (size_t y = 0; y < 3; ++y) {
    for (size_t x = 0; x < 3; ++x) {
      for (size_t i = 0; i < in; ++i) {
        for (size_t o = 0; o < out; ++o) keras.push_back(kernel[((o * in + i) * 3 + y) * 3 + x]);
      }
    }
  }
  return keras;
}

void write_keras_layer(const Hdf5Handle& parent, const Convolution& convolution, KerasLayout layout,
                       hid_t file_type) {
  const std::string name =
      fmt::format("block{}_conv{}", convolution.id.substr(0, 1), convolution.id.substr(2));
  const auto in = static_cast<hsize_t>(convolution.in());
  const auto out = static_cast<hsize_t>(convolution.out());
  Hdf5Handle group = create_group(parent, name);
  if (layout == KerasLayout::nested) group = create_group(group, name);
  const bool direct = layout == KerasLayout::direct;
  write_dataset(group, direct ? name + "_W_1:0" : "kernel:0", {3, 3, in, out},
                keras_order(convolution), file_type);
  write_dataset(group, direct ? name + "_b_1:0" : "bias:0", {out}, convolution.bias, file_type);
}

void write_keras_h5(const std::string& path, const Weights& weights, KerasLayout layout,
                    Hdf5Age age) {
  const Hdf5Handle file = create_hdf5(path, age);
  for (const Convolution& convolution : weights.convolutions)
    write_keras_layer(file, convolution, layout);
}

}  // namespace limn
