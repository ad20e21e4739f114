// Caffe's weights: a NetParameter message of Protocol Buffers. These fields matter here:
//
//   NetParameter      1 name, 2 layers (until 2014), 100 layer (since)
//   of layers (V1)    4 name, 6 blobs
//   of layer          1 name, 7 blobs
//   BlobProto         1..4 num, channels, height, width (until 2014), 7 shape (since),
//                     5 data (floats), 8 double_data
//   BlobShape         1 dim
//
// A convolution's first blob is its kernel, out x in x 3 x 3; its second is the bias.
#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "containers/file_bytes.h"
#include "containers/numbers.h"
#include "containers/protobuf_wire.h"
#include "weights/checks.h"
#include "weights/read.h"
#include "weights/tensors.h"

namespace limn {
namespace {

// The numbers of the fields with a layer's name and blobs.
struct LayerFields {
  std::uint64_t layer;  // in NetParameter
  std::uint64_t name;
  std::uint64_t blobs;
};
constexpr LayerFields kOldLayer = {2, 4, 6};
constexpr LayerFields kLayer = {100, 1, 7};

// Numbers that lie side by side, or each after the one-byte tag of its field.
struct Run {
  std::uint64_t begin;  // place in the file
  std::uint64_t count;
  std::uint64_t stride;  // bytes from one to the next
};

struct Blob {
  std::vector<std::uint64_t> shape;
  NumberType type = NumberType::f32;
  std::vector<Run> runs;
};

// Adds the data in `field`: numbers in a row, or a single one.
void add_data(const std::string& path, const WireField& field, NumberType type, Blob& blob) {
  constexpr size_t kMostRuns = 1000;  // Caffe writes one
  const std::uint64_t width = bytes_of(type);
  if (blob.runs.empty()) blob.type = type;
  const std::uint64_t bytes = field.end - field.begin;
  if (field.type == WireType::varint || bytes % width != 0 || blob.type != type) {
    fail(ErrorKind::file,
         "'{}': the blob's data at byte {} should be numbers of {} bytes, but is not; the file is "
         "damaged, so fetch it again",
         path, field.begin, bytes_of(blob.type));
  }
  if (bytes == 0) return;
  if (field.type == WireType::bytes) {
    blob.runs.push_back({field.begin, bytes / width, width});
  } else if (Run* last = blob.runs.empty() ? nullptr : &blob.runs.back();
             last && last->stride == width + 1 &&
             field.begin == last->begin + last->count * last->stride) {
    ++last->count;
  } else {
    blob.runs.push_back({field.begin, 1, width + 1});
  }
  if (blob.runs.size() > kMostRuns)
    fail(ErrorKind::file, "'{}': a blob's data is in more than {} pieces", path, kMostRuns);
}

void add_dimension(const std::string& path, std::uint64_t dimension, Blob& blob) {
  constexpr size_t kMostDimensions = 32;  // Caffe's own limit
  blob.shape.push_back(dimension);
  if (blob.shape.size() > kMostDimensions) {
    fail(ErrorKind::file, "'{}': a blob should have at most {} dimensions, but it has more", path,
         kMostDimensions);
  }
}

void read_shape(FileBytes& file, const WireField& shape, Blob& blob) {
  for (WireReader fields(file, shape.begin, shape.end); !fields.is_at_end();) {
    const WireField field = fields.field();
    if (field.is(1, WireType::varint)) add_dimension(file.path(), field.value, blob);
    if (!field.is(1, WireType::bytes)) continue;
    for (WireReader numbers(file, field.begin, field.end); !numbers.is_at_end();)
      add_dimension(file.path(), numbers.varint(), blob);
  }
}

Blob read_blob(FileBytes& file, const WireField& message) {
  Blob blob;
  std::vector<std::uint64_t> old_shape(4, 0);
  for (WireReader fields(file, message.begin, message.end); !fields.is_at_end();) {
    const WireField field = fields.field();
    if (field.type == WireType::varint && field.number >= 1 && field.number <= 4)
      old_shape[field.number - 1] = field.value;
    if (field.number == 5) add_data(file.path(), field, NumberType::f32, blob);
    if (field.number == 8) add_data(file.path(), field, NumberType::f64, blob);
    if (field.is(7, WireType::bytes)) read_shape(file, field, blob);
  }
  if (blob.shape.empty()) blob.shape = std::move(old_shape);
  return blob;
}

Buffer<float> read_values(FileBytes& file, const std::string& name, const Blob& blob) {
  std::uint64_t count = 1;  // does not overflow: only real layers are read
  for (const std::uint64_t dimension : blob.shape) count *= dimension;
  std::uint64_t found = 0;
  for (const Run& run : blob.runs) found += run.count;
  if (found != count) {
    fail(ErrorKind::file, "'{}': '{}' should have {} values, but it has {}", file.path(), name,
         count, found);
  }
  const std::uint64_t width = bytes_of(blob.type);
  std::vector<std::byte> values(count * width);
  std::span<std::byte> rest = values;
  for (const Run& run : blob.runs) {
    if (run.stride == width) {
      file.read(run.begin, rest.first(run.count * width));
    } else {
      for (std::uint64_t i = 0; i < run.count; ++i)
        file.read(run.begin + i * run.stride, rest.subspan(i * width, width));
    }
    rest = rest.subspan(run.count * width);
  }
  return to_floats(values, blob.type);
}

std::string read_name(FileBytes& file, const WireField& field) {
  constexpr std::uint64_t kLongest = 256;  // bytes
  std::string name(std::min(field.end - field.begin, kLongest), '\0');
  file.read(field.begin, std::as_writable_bytes(std::span(name)));
  return name;
}

// Adds the layer's first two blobs, if it has any.
void add_layer(const std::shared_ptr<FileBytes>& file, const WireField& message,
               const LayerFields& numbers, TensorTable& tensors) {
  std::string layer;
  std::vector<WireField> blobs;
  for (WireReader fields(*file, message.begin, message.end); !fields.is_at_end();) {
    const WireField field = fields.field();
    if (field.is(numbers.name, WireType::bytes)) layer = read_name(*file, field);
    if (field.is(numbers.blobs, WireType::bytes) && blobs.size() < 2) blobs.push_back(field);
  }
  for (size_t i = 0; i < blobs.size(); ++i) {
    const std::string name = layer + std::string(i == 0 ? kPlainNaming.kernel : kPlainNaming.bias);
    Blob blob = read_blob(*file, blobs[i]);
    // Old blobs always have four dimensions, even a bias: 1 x 1 x 1 x out.
    std::vector<std::uint64_t> shape = blob.shape;
    if (i == 1) std::erase(shape, 1);
    const auto [place, is_new] = tensors.try_emplace(name);
    if (!is_new) fail(ErrorKind::file, "'{}': '{}' appears twice", file->path(), printable(name));
    place->second = {
        std::move(shape), blob.type == NumberType::f32 ? "float" : "double",
        [file, name, blob = std::move(blob)] { return read_values(*file, name, blob); }};
  }
}

}  // namespace

// Protocol Buffers have no signature, so this follows the fields before the first layer: they must
// be fields of NetParameter, the name must be printable, and the layer must begin with a field that
// layers have.
bool is_caffemodel(std::string_view head) {
  const auto byte = [&] {
    const auto first = static_cast<unsigned char>(head.empty() ? '\0' : head.front());
    head.remove_prefix(head.empty() ? 0 : 1);
    return first;
  };
  while (!head.empty()) {
    const bool is_layer = head.starts_with("\xa2\x06");  // field 100, bytes
    if (is_layer) head.remove_prefix(1);
    const bool is_old_layer = head.front() == 0x12;  // field 2, bytes
    const int tag = byte();
    if (is_layer || is_old_layer) {
      while (byte() & 128) continue;                                  // its length
      constexpr std::string_view kOldFirst = "\x0a\x12\x1a\x22\x28";  // layer .. type
      return !head.empty() && (is_layer ? head.front() == 0x0a
                                        : kOldFirst.find(head.front()) != std::string_view::npos);
    }
    if (tag == 0x0a || tag == 0x1a) {  // name, input
      const size_t length = byte();
      const std::string_view text = head.substr(0, length);
      if (length == 0 || text.size() < length || printable(text) != text) return false;
      head.remove_prefix(length);
    } else if (tag == 0x20 || tag == 0x28 || tag == 0x38) {  // input_dim, flags
      while (byte() & 128) continue;
    } else if (tag == 0x32 || tag == 0x42) {  // state, input_shape
      const size_t length = byte();
      head.remove_prefix(std::min(length, head.size()));
    } else {
      return false;
    }
  }
  return false;
}

Weights read_caffemodel(const std::string& path) {
  constexpr size_t kMostTensors = 100'000;
  const auto file = std::make_shared<FileBytes>(path);
  TensorTable tensors;
  for (WireReader fields(*file, 0, file->size()); !fields.is_at_end();) {
    const WireField field = fields.field();
    for (const LayerFields& numbers : {kOldLayer, kLayer}) {
      if (field.is(numbers.layer, WireType::bytes)) add_layer(file, field, numbers, tensors);
    }
    if (tensors.size() > kMostTensors) {
      fail(ErrorKind::file, "'{}': a network should have at most {} blobs, but it has more", path,
           kMostTensors);
    }
  }
  Weights weights = weights_of(path, tensors, kPlainNaming);
  weights.convention = kCaffeConvention;
  return weights;
}

}  // namespace limn
