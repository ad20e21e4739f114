#include "caffe_writer.h"

namespace limn {

std::string wire_varint(std::uint64_t number) {
  std::string bytes;
  for (; number > 127; number >>= 7) bytes += static_cast<char>((number & 127) | 128);
  return bytes + static_cast<char>(number);
}

std::string wire_number(std::uint64_t field, std::uint64_t number) {
  return wire_varint(field << 3) + wire_varint(number);
}

std::string wire_bytes(std::uint64_t field, const std::string& bytes) {
  return wire_varint(field << 3 | 2) + wire_varint(bytes.size()) + bytes;
}

std::string wire_fixed32(std::uint64_t field, float value) {
  return wire_varint(field << 3 | 5) +
         std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string caffe_blob(CaffeVersion version, const std::vector<std::uint64_t>& shape,
                       std::span<const float> values) {
  const std::string data =
      wire_bytes(5, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  if (version == CaffeVersion::now) {
    std::string dimensions;
    for (const std::uint64_t dimension : shape) dimensions += wire_varint(dimension);
    return data + wire_bytes(7, wire_bytes(1, dimensions));
  }
  std::string dimensions;
  for (size_t i = 0; i < 4; ++i) {
    const size_t ones = 4 - shape.size();
    dimensions += wire_number(i + 1, i < ones ? 1 : shape[i - ones]);
  }
  return dimensions + data;
}

std::string caffe_layer(CaffeVersion version, const std::string& name,
                        const std::vector<std::string>& blobs) {
  const bool is_old = version == CaffeVersion::old;
  std::string layer =
      is_old ? wire_bytes(2, "data") + wire_bytes(3, name) + wire_bytes(4, name) + wire_number(5, 4)
             : wire_bytes(1, name) + wire_bytes(2, "Convolution");
  for (const std::string& blob : blobs) layer += wire_bytes(is_old ? 6 : 7, blob);
  return wire_bytes(is_old ? 2 : 100, layer);
}

std::string caffe_convolution(CaffeVersion version, const Convolution& convolution) {
  const auto in = static_cast<std::uint64_t>(convolution.in());
  const auto out = static_cast<std::uint64_t>(convolution.out());
  return caffe_layer(version, "conv" + convolution.id,
                     {caffe_blob(version, {out, in, 3, 3}, unpacked(convolution.kernel)),
                      caffe_blob(version, {out}, convolution.bias)});
}

std::string caffe_file(CaffeVersion version, const Weights& weights) {
  std::string file = wire_bytes(1, "VGG_ILSVRC_19_layers") + caffe_layer(version, "data", {});
  for (const Convolution& convolution : weights.convolutions) {
    file += caffe_convolution(version, convolution);
    file += caffe_layer(version, "relu" + convolution.id, {});
  }
  const std::vector<float> values(600);
  return file + caffe_layer(version, "fc6",
                            {caffe_blob(version, {20, 30}, values),
                             caffe_blob(version, {20}, std::span(values).first(20))});
}

}  // namespace limn
