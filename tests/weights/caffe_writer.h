// Caffe's files written field by field, as sound or as unsound as a test wants them.
#pragma once

#include <cstdint>
#include <string>

#include "network/weights.h"

namespace limn {

// A varint, and fields with it, with a length and bytes, with four bytes.
std::string wire_varint(std::uint64_t number);
std::string wire_number(std::uint64_t field, std::uint64_t number);
std::string wire_bytes(std::uint64_t field, const std::string& bytes);
std::string wire_fixed32(std::uint64_t field, float value);

enum class CaffeVersion {
  old,  // `layers`, with blobs of num, channels, height, width
  now,  // `layer`, with blobs of any shape
};

// A blob with this shape (in old blobs filled up with 1 in front) and data.
std::string caffe_blob(CaffeVersion version, const std::vector<std::uint64_t>& shape,
                       std::span<const float> values);

// A field of NetParameter: a layer with blobs, each the bytes of one.
std::string caffe_layer(CaffeVersion version, const std::string& name,
                        const std::vector<std::string>& blobs);

// The layer of a convolution.
std::string caffe_convolution(CaffeVersion version, const Convolution& convolution);

// A whole file: name, a data layer, convolutions, ReLUs, and a fully connected layer.
std::string caffe_file(CaffeVersion version, const Weights& weights);

}  // namespace limn
