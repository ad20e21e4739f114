#include "pth_files.h"

#include <fmt/format.h>
#include <zip.h>

#include <stdexcept>

#include "containers/numbers.h"
#include "weights/tensors.h"
#include "weights_files.h"

namespace limn {
namespace {

std::string little_endian(std::uint64_t number, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) text += static_cast<char>(number >> (8 * i) & 255);
  return text;
}

std::string bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

const std::string kNoArguments = ")";

}  // namespace

std::string made_file(const std::string& name) {
  return LIMN_SOURCE_DIR "/tests/weights/files/" + name;
}

void write_zip(const std::string& path, const std::vector<ZipPart>& parts) {
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  if (!archive) throw std::runtime_error("cannot make " + path);
  for (const ZipPart& part : parts) {
    zip_source_t* source = zip_source_buffer(archive, part.bytes.data(), part.bytes.size(), 0);
    const zip_int64_t index = zip_file_add(archive, part.name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) throw std::runtime_error("cannot add " + part.name);
    const auto place = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(archive, place, part.deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 9);
    if (part.encrypted) zip_file_set_encryption(archive, place, ZIP_EM_AES_256, "secret");
  }
  if (zip_close(archive) != 0) throw std::runtime_error("cannot write " + path);
}

std::string npy_header(std::string_view dictionary, char version) {
  return "\x93NUMPY" + std::string{version, '\0'} +
         little_endian(dictionary.size(), version == 1 ? 2 : 4) + std::string(dictionary);
}

void write_npz(const std::string& path, const Weights& weights) {
  std::vector<ZipPart> parts;
  for (const Convolution& layer : weights.convolutions) {
    const std::string name = "conv" + layer.id;
    parts.push_back({name + "_W.npy",
                     npy_header(fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': "
                                            "(3, 3, {}, {}), }}\n",
                                            layer.in(), layer.out())) +
                         bytes_of(keras_order(layer))});
    parts.push_back(
        {name + "_b.npy",
         npy_header(fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}\n",
                                layer.out())) +
             bytes_of(layer.bias)});
  }
  write_zip(path, parts);
}

std::string pickled(std::int64_t number) {
  return fmt::format("J{}", little_endian(static_cast<std::uint64_t>(number), 4));
}

std::string pickled_long(std::uint64_t number) { return "\x8a\x08" + little_endian(number, 8); }

std::string pickled(std::string_view text) {
  return fmt::format("X{}{}", little_endian(text.size(), 4), text);
}

std::string pickled_global(std::string_view module, std::string_view name) {
  return fmt::format("c{}\n{}\n", module, name);
}

std::string pickled_tuple(const std::vector<std::string>& items) {
  std::string text = "(";
  for (const std::string& item : items) text += item;
  return text + "t";
}

std::string PickledTensor::text() const {
  const std::string storage = pickled_tuple({pickled("storage"), pickled_global("torch", type),
                                             pickled(key), pickled("cpu"), count}) +
                              "Q";
  const std::string hooks = pickled_global("collections", "OrderedDict") + kNoArguments + "R";
  return pickled_global("torch._utils", "_rebuild_tensor_v2") +
         pickled_tuple(
             {storage, offset, pickled_tuple(shape), pickled_tuple(strides), "\x89", hooks}) +
         "R";
}

PickledTensor sound_tensor(const std::string& key, const std::vector<int>& shape) {
  PickledTensor tensor;
  tensor.key = key;
  int stride = 1;
  for (size_t axis = shape.size(); axis-- > 0;) {
    tensor.shape.insert(tensor.shape.begin(), pickled(shape[axis]));
    tensor.strides.insert(tensor.strides.begin(), pickled(stride));
    stride *= shape[axis];
  }
  tensor.count = pickled(stride);
  return tensor;
}

std::string pickled_dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string text = "\x80\x02}(";
  for (const auto& [name, value] : items) text += pickled(name) + value;
  return text + "u.";
}

void write_pth_zip(const std::string& path, const std::string& pickle, const Storages& storages) {
  std::vector<ZipPart> parts = {{"archive/data.pkl", pickle}};
  for (const auto& [key, bytes] : storages) parts.push_back({"archive/data/" + key, bytes});
  parts.push_back({"archive/version", "3\n"});
  write_zip(path, parts);
}

void write_pth_stream(const std::string& path, const std::string& pickle, const Storages& storages,
                      std::uint64_t number_bytes) {
  using namespace std::string_literals;
  std::string file =
      "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03."s +
      pickled_dict({{"protocol_version", pickled(1001)}, {"little_endian", "\x88"}}) + pickle +
      "\x80\x02](";
  for (const auto& [key, bytes] : storages) file += pickled(key);
  file += "e.";
  for (const auto& [key, bytes] : storages)
    file += little_endian(bytes.size() / number_bytes, 8) + bytes;
  write_bytes(path, file);
}

std::string pickle_of(const Weights& weights) {
  const std::vector<std::string> names = torchvision_names(*weights.network);
  std::vector<std::pair<std::string, std::string>> items;
  for (size_t i = 0; i < weights.convolutions.size(); ++i) {
    const Convolution& layer = weights.convolutions[i];
    items.emplace_back(
        names[i] + ".weight",
        sound_tensor(fmt::format("{}", 2 * i), {layer.out(), layer.in(), 3, 3}).text());
    items.emplace_back(names[i] + ".bias",
                       sound_tensor(fmt::format("{}", 2 * i + 1), {layer.out()}).text());
  }
  return pickled_dict(items);
}

Storages storages_of(const Weights& weights) {
  Storages storages;
  for (const Convolution& layer : weights.convolutions) {
    storages.emplace_back(fmt::format("{}", storages.size()), bytes_of(unpacked(layer.kernel)));
    storages.emplace_back(fmt::format("{}", storages.size()), bytes_of(layer.bias));
  }
  return storages;
}

}  // namespace limn
