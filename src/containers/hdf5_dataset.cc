#include "containers/hdf5_dataset.h"

#include <algorithm>
#include <limits>
#include <span>

#include "containers/hdf5_chunks.h"

namespace limn {
namespace {

constexpr std::uint64_t kMostAxes = 32;  // the format's own limit

// --------------------------------------------------------------------------------------- shape --

struct Extent {
  std::vector<std::uint64_t> sides;
  std::vector<std::uint64_t> most_sides;  // the largest that it may grow to
};

Extent read_extent(const Hdf5File& file, const Hdf5Object& dataset, const Hdf5Header& header) {
  Hdf5Block message = need_message(file, dataset, header, Hdf5MessageType::dataspace);
  const int version = message.version({1, 2});
  const std::uint64_t axes = message.number(1);
  if (axes > kMostAxes) message.fail_damaged("has {} axes", axes);
  const std::uint64_t flags = message.number(1);
  message.skip(version == 1 ? 5 : 1);  // unused, or whether it is a single value or none
  Extent extent;
  for (std::uint64_t i = 0; i < axes; ++i) extent.sides.push_back(message.length());
  extent.most_sides = extent.sides;
  if (flags & 0x01) {
    for (std::uint64_t& side : extent.most_sides) side = message.length();
  }
  return extent;
}

// ---------------------------------------------------------------------------------------- type --

// How HDF5 describes a float: where its fields are and what they mean.
struct FloatFields {
  std::uint64_t bits, sign, exponent, exponent_bits, fraction, fraction_bits, bias;
  bool operator==(const FloatFields&) const = default;
};

struct KnownFloat {
  FloatFields fields;
  NumberType number;
};

// IEEE 754's.
constexpr KnownFloat kKnownFloats[] = {
    {{16, 15, 10, 5, 0, 10, 15}, NumberType::f16},
    {{32, 31, 23, 8, 0, 23, 127}, NumberType::f32},
    {{64, 63, 52, 11, 0, 52, 1023}, NumberType::f64},
};

enum class TypeClass { whole_number = 0, floating = 1, string = 3, variable_length = 9 };

// Sets the type if it is a known float.
void read_float(Hdf5Block& message, std::uint64_t class_bits, Hdf5Type& type) {
  constexpr std::uint64_t kOrderBits = 0x41;   // both set: VAX's order
  constexpr std::uint64_t kImpliedOne = 0x20;  // before the fraction, as IEEE 754 has it
  const std::uint64_t order = class_bits & kOrderBits;
  FloatFields fields = {};
  fields.sign = class_bits >> 8 & 0xff;
  const std::uint64_t first_bit = message.number(2);
  fields.bits = message.number(2);
  fields.exponent = message.number(1);
  fields.exponent_bits = message.number(1);
  fields.fraction = message.number(1);
  fields.fraction_bits = message.number(1);
  fields.bias = message.number(4);
  const bool usual = first_bit == 0 && fields.bits == 8 * type.bytes && order <= 1 &&
                     (class_bits & 0x30) == kImpliedOne;
  const auto* const known = std::ranges::find(kKnownFloats, fields, &KnownFloat::fields);
  type.kind = "other floats";
  if (!usual || known == std::end(kKnownFloats)) return;
  type.kind = "floats";
  type.number = known->number;
  type.big_endian = order == 1;
}

// -------------------------------------------------------------------------------------- layout --

enum class LayoutClass { compact = 0, contiguous = 1, chunked = 2, elsewhere = 3 };

// What is needed to read a dataset's values.
struct Dataset {
  const Hdf5File& file;
  const std::string& name;
  ArrayShape shape;
  std::uint64_t bytes;  // of all values
};

// How many bytes the values take; a size that overflows is as wrong as any other that no file has.
std::uint64_t bytes_of_values(const Dataset& dataset) {
  std::uint64_t bytes = dataset.shape.value_bytes;
  for (const std::uint64_t side : dataset.shape.sides) {
    if (side != 0 && bytes > std::numeric_limits<std::uint64_t>::max() / 1024 / side)
      dataset.file.fail_damaged(dataset.name, "its shape is too large for any file");
    bytes *= side;
  }
  return bytes;
}

void expect_bytes(const Dataset& dataset, std::uint64_t bytes) {
  if (bytes == dataset.bytes) return;
  dataset.file.fail_damaged(dataset.name, "its values should take {} bytes, but they take {}",
                            dataset.bytes, bytes);
}

std::vector<std::byte> read_compact(const Dataset& dataset, Hdf5Block& message) {
  const std::uint64_t bytes = message.number(2);
  expect_bytes(dataset, bytes);
  const std::span<const std::byte> values = message.bytes(bytes);
  return {values.begin(), values.end()};
}

std::vector<std::byte> read_contiguous(const Dataset& dataset, Hdf5Block& message) {
  const std::uint64_t address = message.address();
  const std::uint64_t bytes = message.length();
  if (address == kHdf5Nowhere) {
    fail(ErrorKind::file,
         "'{}': the values of {} should be in the file, but they were never written",
         dataset.file.path(), dataset.name);
  }
  expect_bytes(dataset, bytes);
  if (bytes > dataset.file.size())  // before memory is allocated for it
    dataset.file.fail_damaged(dataset.name, "its {} bytes are more than the file has", bytes);
  std::vector<std::byte> values(bytes);
  dataset.file.read_values(dataset.name, address, values);
  return values;
}

// The sides of a chunk, each a number of `side_bytes`; the last is the size of a value.
std::vector<std::uint64_t> read_sides(const Dataset& dataset, Hdf5Block& message,
                                      std::uint64_t count, size_t side_bytes) {
  if (count != dataset.shape.sides.size() + 1 || count < 2 || side_bytes < 1 || side_bytes > 8) {
    message.fail_damaged("has chunks of {} axes, each of {} bytes, for values of {} axes", count,
                         side_bytes, dataset.shape.sides.size());
  }
  std::vector<std::uint64_t> sides;
  for (std::uint64_t i = 0; i < count; ++i) sides.push_back(message.number(side_bytes));
  if (sides.back() != dataset.shape.value_bytes) {
    message.fail_damaged("has values of {} bytes, where their type has {}", sides.back(),
                         dataset.shape.value_bytes);
  }
  sides.pop_back();
  return sides;
}

ChunkedLayout read_old_chunks(const Dataset& dataset, Hdf5Block& message) {
  const std::uint64_t axes = message.number(1);
  const std::uint64_t address = message.address();
  return {ChunkIndex::old_tree, address, read_sides(dataset, message, axes, 4), {}};
}

// For version 4 of the message, with what HDF5 1.10 added.
ChunkedLayout read_new_chunks(const Dataset& dataset, Hdf5Block& message) {
  const std::uint64_t flags = message.number(1);
  const std::uint64_t axes = message.number(1);
  const std::uint64_t side_bytes = message.number(1);
  ChunkedLayout layout = {};
  layout.sides = read_sides(dataset, message, axes, side_bytes);
  layout.whole_edges = flags & 0x01;
  const std::uint64_t index = message.number(1);
  layout.index = static_cast<ChunkIndex>(index);
  switch (index) {
    case 1:
      if (flags & 0x02) {  // packed
        layout.single_bytes = message.length();
        layout.single_skipped = static_cast<std::uint32_t>(message.number(4));
      }
      break;
    case 2:
      break;
    case 3:
      message.skip(1);  // the size of pages, which the array also says
      break;
    case 5:
      message.skip(6);  // how nodes are laid out
      break;
    case 4:
      dataset.file.fail_repackable(dataset.name, "is indexed by an extensible array");
    default:
      message.fail_damaged("has an index of type {}, which limn does not know", index);
  }
  layout.address = message.address();
  return layout;
}

std::vector<std::byte> read_bytes(const Dataset& dataset, const Hdf5Object& object,
                                  const Hdf5Header& header) {
  Hdf5Block message = need_message(dataset.file, object, header, Hdf5MessageType::layout);
  const auto version = message.number(1);
  if (version < 3)
    dataset.file.fail_repackable(object.name, "is laid out as HDF5 did before 1.6.3");
  if (version > 4) message.fail_damaged("has version {}, which limn does not know", version);
  const std::uint64_t kind = message.number(1);
  if (kind == static_cast<std::uint64_t>(LayoutClass::elsewhere) ||
      header.has(Hdf5MessageType::external_files)) {
    fail(ErrorKind::file,
         "'{}': the values of {} should be in the file itself, but are said to lie in other files, "
         "which limn does not open",
         dataset.file.path(), object.name);
  }
  if (kind > static_cast<std::uint64_t>(LayoutClass::elsewhere))
    message.fail_damaged("has class {}, which limn does not know", kind);
  if (dataset.bytes == 0) return {};
  if (kind == static_cast<std::uint64_t>(LayoutClass::compact))
    return read_compact(dataset, message);
  if (kind == static_cast<std::uint64_t>(LayoutClass::contiguous))
    return read_contiguous(dataset, message);
  ChunkedLayout layout =
      version == 3 ? read_old_chunks(dataset, message) : read_new_chunks(dataset, message);
  if (auto filters = find_message(dataset.file, object, header, Hdf5MessageType::filters))
    layout.filters = read_filters(dataset.file, object.name, *filters);
  return read_chunks(dataset.file, object.name, layout, dataset.shape, dataset.bytes);
}

}  // namespace

std::vector<std::uint64_t> read_shape(const Hdf5File& file, const Hdf5Object& dataset,
                                      const Hdf5Header& header) {
  return read_extent(file, dataset, header).sides;
}

Hdf5Type read_type(const Hdf5File& file, const Hdf5Object& dataset, const Hdf5Header& header) {
  Hdf5Block message = need_message(file, dataset, header, Hdf5MessageType::datatype);
  const auto kind = static_cast<TypeClass>(message.number(1) & 0x0f);  // the rest is a version
  const std::uint64_t class_bits = message.number(3);
  Hdf5Type type = {{}, false, message.number(4), "something else"};
  if (kind == TypeClass::floating) read_float(message, class_bits, type);
  if (kind == TypeClass::whole_number) type.kind = "whole numbers";
  constexpr std::uint64_t kVariableString = 1;
  const bool is_variable_string =
      kind == TypeClass::variable_length && (class_bits & 0x0f) == kVariableString;
  if (kind == TypeClass::string || is_variable_string) type.kind = "strings";
  return type;
}

Buffer<float> read_values(const Hdf5File& file, const Hdf5Object& dataset,
                          const Hdf5Header& header) {
  const Hdf5Type type = read_type(file, dataset, header);
  if (!type.number) {
    fail(ErrorKind::file,
         "'{}': {} should hold 16, 32 or 64-bit floats, but it holds {} of {} byte(s)", file.path(),
         dataset.name, type.kind, type.bytes);
  }
  Extent extent = read_extent(file, dataset, header);
  Dataset read{
      file, dataset.name, {std::move(extent.sides), std::move(extent.most_sides), type.bytes}, 0};
  read.bytes = bytes_of_values(read);
  return to_floats(read_bytes(read, dataset, header), *type.number, type.big_endian);
}

}  // namespace limn
