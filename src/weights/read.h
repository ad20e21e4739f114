// Reading and writing weights files. Each format is one file of this folder and reads into the one
// form of network/weights.h.
//
// A weights file is hostile until checked. Readers know the network's shapes before they take
// memory for a tensor, so memory stays bounded by the file's size, and every error names the file,
// the layer, what was expected and what was found.
#pragma once

#include <string>

#include "network/weights.h"

namespace limn {

// Reads a file of any known format, told apart by its first bytes. Throws Error (file).
Weights read_weights(const std::string& path);

// Keras HDF5: BGR minus mean. Layers "block4_conv2" (Keras applications) with the datasets either
// directly in the layer's group ("block4_conv2_W_1:0", "block4_conv2_b_1:0") or one group deeper
// ("block4_conv2/kernel:0", "block4_conv2/bias:0"), at the root or under "model_weights".
Weights read_keras_h5(const std::string& path);

// Safetensors with torchvision's names ("features.21.weight", "features.21.bias"), F32 or F16. The
// input convention is torchvision's unless the file's metadata says otherwise (see
// write_safetensors).
Weights read_safetensors(const std::string& path);

// Writes F32 safetensors with torchvision's names; the metadata keeps network and input convention,
// so that reading it back gives equal weights.
void write_safetensors(const Weights& weights, const std::string& path);

}  // namespace limn
