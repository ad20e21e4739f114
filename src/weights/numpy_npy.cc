// NumPy's .npy with a dict of arrays: VGG-19 circulates as vgg19.npy, made from Caffe's weights for
// TensorFlow. To NumPy it is an array without dimensions whose only value is a Python object, so a
// pickle follows the header:
//
//   _reconstruct(ndarray, (0,), 'b')      followed by its state:
//     (1, (), dtype('O'), False, [{'conv1_1': [kernel, bias], ...}])
//
// Kernels [3][3][in][out] and biases are arrays of the same kind, with their bytes as the last part
// of the state. Pickles of protocol 5 may have _frombuffer(bytes, dtype, shape, 'C') instead.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/error.h"
#include "containers/file_bytes.h"
#include "containers/npy_header.h"
#include "containers/numbers.h"
#include "containers/pickle.h"
#include "containers/strided.h"
#include "weights/checks.h"
#include "weights/known_files.h"
#include "weights/layer_names.h"
#include "weights/pickled_tensors.h"
#include "weights/read.h"

namespace limn {
namespace {

constexpr TensorNaming kNaming = {caffe_names, ".weight", ".bias", KernelOrder::y_x_in_out};

// NumPy 2 renamed numpy.core to numpy._core.
constexpr std::string_view kReconstruct[] = {"numpy.core.multiarray._reconstruct",
                                             "numpy._core.multiarray._reconstruct"};
constexpr std::string_view kFromBuffer[] = {"numpy.core.numeric._frombuffer",
                                            "numpy._core.numeric._frombuffer"};
constexpr std::string_view kDtype[] = {"numpy.dtype"};
// How pickles without bytes store them: as text to be encoded in Latin-1.
constexpr std::string_view kEncode[] = {"_codecs.encode"};

struct NpyFile {
  explicit NpyFile(const std::string& path) : bytes(path) {}
  FileBytes bytes;
  Pickle pickle;
};

// The arguments of a call to one of these functions, or nullptr for any other value.
const std::vector<PickleRef>* arguments_of(PickleRef value,
                                           std::span<const std::string_view> functions) {
  const PickleCall* call = value->as<PickleCall>();
  if (!call ||
      std::ranges::find(functions, call->callable->as<PickleGlobal>()->name) == functions.end())
    return nullptr;
  return &call->arguments->as<PickleTuple>()->items;
}

// An array as the pickle describes it.
struct Array {
  std::string descr;  // "<f4"
  std::vector<std::uint64_t> shape;
  bool fortran_order = false;
  PickleRef data = nullptr;
};

// The type as the header of an .npy would have it, or "" if it is none. Arguments: 'f4' and two
// flags; state: the version, '<' and more. Without a state the byte order is the machine's own.
std::string descr_of(PickleRef dtype) {
  const std::vector<PickleRef>* arguments = arguments_of(dtype, kDtype);
  const PickleText* type =
      arguments && !arguments->empty() ? (*arguments)[0]->as<PickleText>() : nullptr;
  if (!type) return "";
  const PickleRef set = dtype->as<PickleCall>()->state;
  const PickleTuple* state = set ? set->as<PickleTuple>() : nullptr;
  const PickleText* order =
      state && state->items.size() > 1 ? state->items[1]->as<PickleText>() : nullptr;
  return (order && order->text != "=" ? order->text : "<") + type->text;
}

std::optional<std::vector<std::uint64_t>> shape_of(PickleRef value) {
  const PickleTuple* tuple = value->as<PickleTuple>();
  if (!tuple) return std::nullopt;
  std::vector<std::uint64_t> shape;
  for (const PickleRef item : tuple->items) {
    const std::int64_t* dimension = item->as<std::int64_t>();
    if (!dimension || *dimension < 0) return std::nullopt;
    shape.push_back(static_cast<std::uint64_t>(*dimension));
  }
  return shape;
}

// The array that this value describes, if it is one.
std::optional<Array> array_of(PickleRef value) {
  constexpr size_t kParts = 5;  // of the state: version, shape, dtype, Fortran order, data
  Array array;
  std::optional<std::vector<std::uint64_t>> shape;
  if (const std::vector<PickleRef>* arguments = arguments_of(value, kFromBuffer)) {
    const PickleText* order = arguments->size() == 4 ? (*arguments)[3]->as<PickleText>() : nullptr;
    if (!order || order->text.size() != 1) return std::nullopt;
    shape = shape_of((*arguments)[2]);
    array.descr = descr_of((*arguments)[1]);
    array.fortran_order = order->text == "F";
    array.data = (*arguments)[0];
  } else if (arguments_of(value, kReconstruct)) {
    const PickleRef set = value->as<PickleCall>()->state;
    const PickleTuple* state = set ? set->as<PickleTuple>() : nullptr;
    if (!state || state->items.size() != kParts) return std::nullopt;
    const std::vector<PickleRef>& parts = state->items;
    const std::int64_t* number = parts[3]->as<std::int64_t>();  // how Python 2 writes a bool
    const bool* truth = parts[3]->as<bool>();
    shape = shape_of(parts[1]);
    array.descr = descr_of(parts[2]);
    array.fortran_order = truth ? *truth : number && *number != 0;
    array.data = parts[4];
  }
  if (!shape) return std::nullopt;
  array.shape = std::move(*shape);
  return array;
}

// UTF-8 converted to Latin-1, or nothing if it does not fit.
std::optional<std::vector<std::byte>> latin1(std::span<const std::byte> text) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = std::to_integer<unsigned>(text[i]);
    if (byte < 0x80) {
      bytes.push_back(text[i]);
      continue;
    }
    if ((byte != 0xc2 && byte != 0xc3) || i + 1 == text.size()) return std::nullopt;
    bytes.push_back(std::byte((byte & 3) << 6 | (std::to_integer<unsigned>(text[++i]) & 0x3f)));
  }
  return bytes;
}

// The bytes that this value stands for, or nothing if it is something else.
std::optional<std::vector<std::byte>> bytes_in(FileBytes& file, PickleRef value,
                                               std::uint64_t most) {
  if (const std::vector<PickleRef>* arguments = arguments_of(value, kEncode)) {
    if (arguments->empty() || arguments_of((*arguments)[0], kEncode)) return std::nullopt;
    const auto text = bytes_in(file, (*arguments)[0], 2 * most);
    return text ? latin1(*text) : std::nullopt;
  }
  if (const PickleText* text = value->as<PickleText>()) {
    const auto bytes = std::as_bytes(std::span(text->text));
    return std::vector(bytes.begin(), bytes.end());
  }
  const PickleBytes* place = value->as<PickleBytes>();
  if (!place || place->bytes > most) return std::nullopt;
  std::vector<std::byte> bytes(place->bytes);
  file.read(place->begin, bytes);
  return bytes;
}

// The values of an array that has a real layer's shape.
Buffer<float> read_array(NpyFile& file, const std::string& name, const Array& array) {
  const std::string& path = file.bytes.path();
  const std::optional<NpyFloats> floats = npy_floats(array.descr);
  if (!floats) {
    fail(ErrorKind::file,
         "'{}': array '{}' should hold floats ('<f4', '<f2', '<f8'), but it holds '{}'", path,
         printable(name), printable(array.descr));
  }
  std::uint64_t wanted = bytes_of(floats->type);
  for (const std::uint64_t dimension : array.shape) wanted *= dimension;
  const auto bytes = bytes_in(file.bytes, array.data, wanted);
  if (!bytes || bytes->size() != wanted) {
    fail(ErrorKind::file, "'{}': array '{}' should have {} bytes, but it has {}", path,
         printable(name), wanted, bytes ? fmt::format("{}", bytes->size()) : "something else");
  }
  Buffer<float> values = to_floats(*bytes, floats->type, floats->big_endian);
  if (!array.fortran_order) return values;
  return in_c_order(values, array.shape, fortran_strides(array.shape));
}

void check_global(const std::string& path, const std::string& name) {
  if (is_plain_value(name)) return;
  fail(ErrorKind::file,
       "'{}' asks for '{}', which no weights need; limn executes nothing in a weights file", path,
       printable(name));
}

// Throws unless it is an array of Python objects. One of numbers could hold at most one layer.
NpyHeader read_header(FileBytes& file) {
  const std::string name = std::filesystem::path(file.path()).filename().string();
  const auto front = [&](std::uint64_t bytes) {
    std::string text(std::min(bytes, file.size()), '\0');
    file.read(0, std::as_writable_bytes(std::span(text)));
    return text;
  };
  const std::uint64_t bytes =
      npy_header_bytes(file.path(), printable(name), front(kNpyPrefixBytes));
  if (bytes > file.size()) {
    fail(ErrorKind::file,
         "'{}' should have a header of {} bytes, but has {} in all; if it was cut short, fetch it "
         "again",
         file.path(), bytes, file.size());
  }
  NpyHeader header = parse_npy_header(file.path(), printable(name), front(bytes));
  if (header.descr != "|O") {
    fail(ErrorKind::file,
         "'{}' is a single NumPy array of {} ('{}'); limn reads an .npy that holds a dict of a "
         "network's arrays by name, as vgg19.npy does",
         file.path(), shape_text(header.shape), printable(header.descr));
  }
  return header;
}

// What was saved: the one object in the array, or all of them.
PickleRef saved_in(const std::string& path, PickleRef root) {
  const std::optional<Array> array = array_of(root);
  const PickleList* objects = array ? array->data->as<PickleList>() : nullptr;
  if (!objects) {
    fail(ErrorKind::file, "'{}' should hold an array of Python objects, but it holds {}", path,
         describe_value(root));
  }
  return objects->items.size() == 1 ? objects->items[0] : array->data;
}

}  // namespace

Weights read_numpy_npy(const std::string& path) {
  const auto file = std::make_shared<NpyFile>(path);
  const NpyHeader header = read_header(file->bytes);
  file->pickle = read_pickle(file->bytes, header.bytes, "the array's objects",
                             [&](const std::string& name) { check_global(path, name); });
  const PickleRef saved = saved_in(path, file->pickle.root);
  const TensorTable tensors = tensors_in(
      path, saved, [&](const std::string& name, PickleRef value) -> std::optional<Tensor> {
        const std::optional<Array> array = array_of(value);
        if (!array) return std::nullopt;
        return Tensor{array->shape, array->descr,
                      [file, name, array = *array] { return read_array(*file, name, array); }};
      });
  const FoundLayers found = find_layers(path, tensors, kNaming);
  Weights weights = weights_of(path, found.tensors, found.naming, nullptr,
                               describe_tensors(tensors) + ", in " + describe_value(saved));
  const bool is_torchvision = found.naming.layers == torchvision_names;
  weights.convention = convention_of_values(weights).value_or(
      is_torchvision ? kTorchvisionConvention : kCaffeConvention);
  return weights;
}

}  // namespace limn
