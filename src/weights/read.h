// Reading and writing weights files. Each format is one file in this folder and reads into the
// common form of network/weights.h.
//
// A weights file is hostile until checked. Readers know the network's shapes before they allocate
// memory for a tensor, so memory stays bounded by the file's size, and every error names the file,
// the layer, what was expected and what was found.
//
// Convolutions come in the network's order from 1_1 on, without gaps; a file may end early. If a
// file's layers fit both networks (it ends before 3_4), it is taken for VGG-19.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/weights.h"

namespace limn {

// Reads a file in any known format, detected from its first bytes. Throws Error (file).
Weights read_weights(const std::string& path);

// The files that reading `path` opens: it and any others that it names, like the shards of a
// model.json. Throws Error (file).
std::vector<std::string> files_of_weights(const std::string& path);

// Keras HDF5: BGR minus mean. Layers "block4_conv2" (Keras applications) with the datasets either
// directly in the layer's group ("block4_conv2_W_1:0", "block4_conv2_b_1:0") or one group deeper
// ("block4_conv2/kernel:0", "block4_conv2/bias:0"), at the root or under "model_weights". The
// datasets' names do not matter: a layer's kernel is its only dataset with 4 dimensions, its bias
// the only one with 1. Floats of 16, 32 or 64 bits, in one piece or in chunks, packed with deflate
// ("gzip"), shuffle and Fletcher-32 or not at all. limn reads the format itself (hdf5_file.h); it
// opens nothing outside the file, whatever the file asks for.
Weights read_keras_h5(const std::string& path);

// NumPy's .npz, usually with Caffe's names ("conv4_2_W" [3][3][in][out], "conv4_2_b"), as
// vgg16_weights.npz has them: RGB in 0..255 minus mean. Floats of 16, 32 or 64 bits in either byte
// order.
Weights read_numpy_npz(const std::string& path);
// Whether the zip container at `path` has NumPy arrays. Throws Error (file).
bool holds_numpy_arrays(const std::string& path);

// NumPy's .npy with a pickled dict of arrays, like vgg19.npy: {'conv1_1': [kernel [3][3][in][out],
// bias], ...}. Nothing in it is executed. Caffe's weights: BGR in 0..255 minus mean, unless the
// first layer's values say otherwise. Numbers as in .npz.
Weights read_numpy_npy(const std::string& path);

// PyTorch's .pth: a state_dict, alone or anywhere in a checkpoint, in a zip container or in the
// stream format used before 1.6. Nothing in it is executed. Names are torchvision's
// ("features.21.weight") or plain ones ("conv4_2.weight"), with any prefix that enclosing models
// add (layer_names.h). Weights with plain names are Caffe's and want BGR minus mean, unless their
// values say otherwise. Torchvision's names may stand for weights that want another input:
// known_files.h recognises Caffe's. Floats of 16 bits (both kinds), 32 or 64.
Weights read_pytorch_pth(const std::string& path);

// Safetensors with torchvision's names ("features.21.weight", "features.21.bias") or others as in
// .pth, in F32, F16 or BF16. Network and input convention are those of the file's metadata (see
// write_safetensors); without it, the network is the one whose layers fit, and the convention is
// torchvision's unless the values are known to want another. A "builtin" network has plain names
// ("conv4_2.weight") and more metadata (student.h).
Weights read_safetensors(const std::string& path);
// The same from memory; `name` is the source.
Weights read_safetensors(const std::string& name, std::span<const std::byte> bytes);
inline constexpr std::string_view kSafetensorsFormat = ".safetensors";

// The network inside the library (models/builtin.safetensors): its file, and its weights.
std::span<const std::byte> builtin_file();
Weights read_builtin();

// MatConvNet's MAT-files (MATLAB 5.0, as save -v6 and -v7 write; -v7.3 is HDF5 and refused): RGB
// minus mean. Variable `layers`, a cell array of structs with `name` ("conv4_2") and either
// `weights`, a cell of filters and biases, or `filters` and `biases`. Nothing after the first fully
// connected layer is read.
Weights read_matconvnet(const std::string& path);

// Caffe's .caffemodel: BGR minus mean. Layers "conv4_2", old (`layers`, VGG's own) or new
// (`layer`), whose first blob is the kernel and second the bias, in floats or doubles.
// is_caffemodel says whether a file may be one, judging by its first bytes.
Weights read_caffemodel(const std::string& path);
bool is_caffemodel(std::string_view head);

// TensorFlow.js's model.json, or its weightsManifest alone, with its shards beside it: BGR minus
// mean, like the Keras model that it was made from. Weights "block4_conv2/kernel" and
// "block4_conv2/bias", also prefixed with the names of enclosing models ("vgg19/..."); float32, or
// quantized to float16, uint16 or uint8. Files outside its folder are not opened. is_tensorflow_js
// says whether a file may be one, as any JSON may.
Weights read_tensorflow_js(const std::string& path);
std::vector<std::string> shards_of_tensorflow_js(const std::string& path);
bool is_tensorflow_js(std::string_view head);

// Writes F32 safetensors, with torchvision's names or, for a student, plain ones; the metadata
// keeps network and input convention ("network": "vgg19", "channel_order": "bgr", "scale": "255",
// "mean": "103.939 116.779 123.68", "deviation": "1 1 1"), so that reading it back gives equal
// weights. The file is written beside `path` and renamed. Throws Error (file).
//
// With `half` the values are rounded to F16, in half the bytes; this also throws if one is too
// large for F16 (from 65520 on), before anything is written.
void write_safetensors(const Weights& weights, const std::string& path, bool half = false);

}  // namespace limn
