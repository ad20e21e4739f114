// NumPy's .npz: a zip container with an array (.npy) in each entry. VGG-16 circulates as
// vgg16_weights.npz, made from Caffe's weights for TensorFlow: "conv4_2_W" [3][3][in][out] and
// "conv4_2_b", with its first layer changed to take RGB. For other files the values of the first
// layer decide.
#include <algorithm>
#include <memory>
#include <optional>

#include "base/error.h"
#include "containers/npy_header.h"
#include "containers/numbers.h"
#include "containers/strided.h"
#include "containers/zip_file.h"
#include "weights/known_files.h"
#include "weights/layer_names.h"
#include "weights/read.h"
#include "weights/tensors.h"

namespace limn {
namespace {

constexpr std::string_view kEnding = ".npy";

constexpr TensorNaming kNaming = {caffe_names, "_W", "_b", KernelOrder::y_x_in_out};

bool is_array(const ZipEntry& entry) { return entry.name.ends_with(kEnding); }

std::string name_of(const ZipEntry& entry) {
  return entry.name.substr(0, entry.name.size() - kEnding.size());
}

// The entry's first bytes, or all of them if it has fewer.
std::string read_front(const ZipFile& file, const ZipEntry& entry, std::uint64_t bytes) {
  std::string front(std::min(bytes, entry.size), '\0');
  file.read(entry, 0, std::as_writable_bytes(std::span(front)));
  return front;
}

NpyHeader header_of(const ZipFile& file, const ZipEntry& entry) {
  const std::string name = printable(name_of(entry));
  const std::string prefix = read_front(file, entry, kNpyPrefixBytes);
  const std::uint64_t bytes = npy_header_bytes(file.path(), name, prefix);
  if (bytes > entry.size) {
    fail(ErrorKind::file,
         "'{}': its array '{}' should have a header of {} bytes, but has {} in all", file.path(),
         name, bytes, entry.size);
  }
  return parse_npy_header(file.path(), name, read_front(file, entry, bytes));
}

// The values of an array that has a real layer's shape.
Buffer<float> read_array(const ZipFile& file, const ZipEntry& entry, const NpyHeader& header) {
  const std::optional<NpyFloats> type = npy_floats(header.descr);
  if (!type) {
    fail(ErrorKind::file,
         "'{}': array '{}' should hold floats ('<f4', '<f2', '<f8'), but it holds '{}'",
         file.path(), printable(name_of(entry)), printable(header.descr));
  }
  std::uint64_t bytes = bytes_of(type->type);
  for (const std::uint64_t dimension : header.shape) bytes *= dimension;
  if (entry.size - header.bytes != bytes) {
    fail(ErrorKind::file, "'{}': array '{}' should have {} bytes, but it has {}", file.path(),
         printable(name_of(entry)), bytes, entry.size - header.bytes);
  }
  std::vector<std::byte> data(entry.size);  // with the header: the checksum covers a whole entry
  file.read(entry, 0, data);
  Buffer<float> values =
      to_floats(std::span(data).subspan(header.bytes), type->type, type->big_endian);
  if (!header.fortran_order) return values;
  return in_c_order(values, header.shape, fortran_strides(header.shape));
}

}  // namespace

bool holds_numpy_arrays(const std::string& path) {
  return std::ranges::any_of(ZipFile(path).entries(), is_array);
}

Weights read_numpy_npz(const std::string& path) {
  const auto file = std::make_shared<const ZipFile>(path);
  TensorTable tensors;
  for (const ZipEntry& entry : file->entries()) {
    if (!is_array(entry)) continue;
    const NpyHeader header = header_of(*file, entry);
    tensors[name_of(entry)] = {header.shape, header.descr,
                               [file, &entry, header] { return read_array(*file, entry, header); }};
  }
  const FoundLayers found = find_layers(path, tensors, kNaming);
  Weights weights =
      weights_of(path, found.tensors, found.naming, nullptr, describe_tensors(tensors));
  const bool is_torchvision = found.naming.layers == torchvision_names;
  weights.convention = convention_of_values(weights).value_or(
      is_torchvision ? kTorchvisionConvention : kMatConvNetConvention);
  return weights;
}

}  // namespace limn
