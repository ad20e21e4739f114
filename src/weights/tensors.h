// Every format's reader turns its file into a table of named arrays. From there on all formats are
// treated alike: the network is identified, shapes are checked, kernels are packed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "network/weights.h"

namespace limn {

// One array of a file.
struct Tensor {
  std::vector<std::uint64_t> shape;     // slowest axis first
  std::string type;                     // of the values, by the format's own name ("F32")
  std::function<Buffer<float>()> read;  // all values, last axis fastest; throws Error (file)
};
using TensorTable = std::map<std::string, Tensor>;

// The order in which a format stores a kernel's values, slowest axis first.
enum class KernelOrder {
  out_in_y_x,  // PyTorch, Caffe
  y_x_in_out,  // Keras, TensorFlow
  out_in_x_y,  // MatConvNet: MATLAB's y, x, in, out, whose first axis is the fastest
};

// What a format calls each convolution of a network ("block4_conv2"), in the table's order.
using NameLayers = std::vector<std::string> (*)(const NetworkTable& network);

// How a format names and stores a layer: its kernel is the tensor layer + kernel, its bias the
// tensor layer + bias.
struct TensorNaming {
  NameLayers layers;
  std::string_view kernel;  // ".weight"
  std::string_view bias;    // ".bias"
  KernelOrder order;
};

// "conv4_2" for each convolution: what Caffe, MatConvNet and others call them.
std::vector<std::string> caffe_names(const NetworkTable& network);

inline constexpr TensorNaming kPlainNaming = {caffe_names, ".weight", ".bias",
                                              KernelOrder::out_in_y_x};

// "block4_conv2" for each convolution: what Keras calls them.
std::vector<std::string> keras_names(const NetworkTable& network);

// "features.21" for each convolution: the modules of torchvision's list "features", where every
// ReLU and pooling counts as a module too.
std::vector<std::string> torchvision_names(const NetworkTable& network);
inline constexpr TensorNaming kTorchvisionNaming = {torchvision_names, ".weight", ".bias",
                                                    KernelOrder::out_in_y_x};

// What a file has instead of VGG's layers: "3 tensor(s), such as 'fc.weight' of 10 x 512".
std::string describe_tensors(const TensorTable& tensors);

// The weights in `tensors`, which may hold others too. Without `network` it is the one whose layers
// fit (checks.h). Convention and format are left to the caller. Throws Error (file): layers missing
// (`found` says what there is instead, if not these tensors), wrong shapes, values that are not
// finite or cannot be read.
//
// Shapes are checked before a tensor is read, so reading allocates memory only for real layers.
Weights weights_of(const std::string& path, const TensorTable& tensors, const TensorNaming& naming,
                   const NetworkTable* network = nullptr, const std::string& found = "");

}  // namespace limn
