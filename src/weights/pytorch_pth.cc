// PyTorch's .pth: the state_dict of a VGG, a dict of tensors by name, alone or in a checkpoint.
// Each tensor is described by a call, _rebuild_tensor_v2(storage, offset, sizes, strides, ...),
// which is read here but never made.
#include <algorithm>
#include <memory>
#include <optional>

#include "base/digest.h"
#include "base/error.h"
#include "containers/numbers.h"
#include "containers/pth_file.h"
#include "containers/strided.h"
#include "weights/checks.h"
#include "weights/known_files.h"
#include "weights/layer_names.h"
#include "weights/pickled_tensors.h"
#include "weights/read.h"

namespace limn {
namespace {

// ----------------------------------------------------------------------- what may be asked for --

constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor";
constexpr std::string_view kRebuildTensorV2 = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildFromType = "torch._tensor._rebuild_from_type_v2";
constexpr std::string_view kSize = "torch.Size";
// What makes a parameter from a tensor, its first argument.
constexpr std::string_view kParameters[] = {"torch._utils._rebuild_parameter",
                                            "torch._utils._rebuild_parameter_with_state",
                                            "torch.nn.parameter.Parameter"};
constexpr std::string_view kKnownGlobals[] = {kRebuildTensor, kRebuildTensorV2, kRebuildFromType,
                                              kSize,          kParameters[0],   kParameters[1],
                                              kParameters[2], "torch.Tensor"};

// The classes of whole models begin like this: PyTorch's modules, torchvision's, those of the
// program that saved the model, and TorchScript's.
constexpr std::string_view kModules[] = {"torch.nn.modules.", "torchvision.", "__main__.",
                                         "__torch__."};

void check_global(const std::string& path, const std::string& name) {
  if (std::ranges::find(kKnownGlobals, name) != std::end(kKnownGlobals)) return;
  if (is_plain_value(name)) return;
  const auto begins = [&](std::string_view module) { return name.starts_with(module); };
  if (std::ranges::any_of(kModules, begins)) {
    fail(ErrorKind::file,
         "'{}' is a whole model (it asks for '{}'), but limn reads only weights; in Python, "
         "torch.save(model.state_dict(), path) saves those",
         path, printable(name));
  }
  fail(ErrorKind::file,
       "'{}' asks for '{}', which no weights need; limn executes nothing in a weights file; in "
       "Python, torch.save(model.state_dict(), path) saves the weights by themselves",
       path, printable(name));
}

// -------------------------------------------------------------------------------------- tensors --

// A tensor as the pickle describes it: the value at index (i, j, ...) is the storage's number
// offset + i * strides[0] + j * strides[1] + ...
struct TensorView {
  Storage storage;
  std::uint64_t offset = 0;
  std::vector<std::uint64_t> shape;
  std::vector<std::uint64_t> strides;
};

// Reads tensors from one file's pickle.
class TensorReader {
 public:
  TensorReader(const std::string& path, const std::string& name) : path_(path), name_(name) {}

  // The tensor that this value describes, or nothing if it is something else.
  std::optional<TensorView> read(PickleRef value) const {
    constexpr int kMostLayers = 4;  // a parameter of a tensor; more can only be malice
    for (int layer = 0; layer < kMostLayers; ++layer) {
      const PickleCall* call = value->as<PickleCall>();
      if (!call) return std::nullopt;
      const std::vector<PickleRef>& arguments = call->arguments->as<PickleTuple>()->items;
      std::string_view function = call->callable->as<PickleGlobal>()->name;
      if (function == kRebuildFromType) return read_from_type(arguments);
      if (function == kRebuildTensor || function == kRebuildTensorV2) return view_of(arguments);
      if (std::ranges::find(kParameters, function) == std::end(kParameters)) return std::nullopt;
      if (arguments.empty()) refuse("is a parameter of nothing");
      value = arguments[0];
    }
    refuse("is a parameter of a parameter, again and again");
  }

 private:
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorKind::file, "'{}': its tensor '{}' {}", path_, printable(name_),
         fmt::format(format, std::forward<Args>(args)...));
  }

  // Arguments: the function that makes the tensor, its class, that function's arguments,
  // attributes.
  TensorView read_from_type(const std::vector<PickleRef>& arguments) const {
    const PickleGlobal* function =
        arguments.size() == 4 ? arguments[0]->as<PickleGlobal>() : nullptr;
    const PickleTuple* inner = function ? arguments[2]->as<PickleTuple>() : nullptr;
    if (!inner || function->name != kRebuildTensorV2)
      refuse("is not made the way PyTorch makes tensors");
    return view_of(inner->items);
  }

  // Arguments: storage, offset, sizes, strides, and what weights do not need.
  TensorView view_of(const std::vector<PickleRef>& arguments) const {
    const PicklePersistent* storage =
        arguments.size() >= 4 ? arguments[0]->as<PicklePersistent>() : nullptr;
    if (!storage) refuse("should be made of a storage, an offset, sizes and strides, but is not");
    TensorView view;
    view.storage = storage_of(path_, *storage);
    view.offset = number_of(arguments[1], "offset");
    view.shape = numbers_of(arguments[2], "sizes");
    view.strides = numbers_of(arguments[3], "strides");
    if (view.shape.size() != view.strides.size())
      refuse("has {} sizes, but {} strides", view.shape.size(), view.strides.size());
    return view;
  }

  std::uint64_t number_of(PickleRef value, std::string_view what) const {
    const std::int64_t* number = value->as<std::int64_t>();
    if (!number) refuse("should have whole numbers for {}, but does not", what);
    if (*number < 0) refuse("should have {} of 0 or more, but has {}", what, *number);
    return static_cast<std::uint64_t>(*number);
  }

  std::vector<std::uint64_t> numbers_of(PickleRef value, std::string_view what) const {
    constexpr size_t kMostDimensions = 64;                   // PyTorch's own limit
    if (const PickleCall* call = value->as<PickleCall>()) {  // torch.Size((64, 3, 3, 3))
      const PickleTuple* arguments = call->arguments->as<PickleTuple>();
      if (call->callable->as<PickleGlobal>()->name == kSize && arguments->items.size() == 1)
        value = arguments->items[0];
    }
    const PickleTuple* tuple = value->as<PickleTuple>();
    if (!tuple || tuple->items.size() > kMostDimensions)
      refuse("should have a tuple of {}, but does not", what);
    std::vector<std::uint64_t> numbers;
    for (const PickleRef item : tuple->items) numbers.push_back(number_of(item, what));
    return numbers;
  }

  const std::string& path_;
  const std::string& name_;
};

// One past the last of the storage's numbers that the view covers. All sizes are above 0.
std::uint64_t end_of(const std::string& path, const std::string& name, const TensorView& view) {
  const auto refuse = [&] {
    fail(ErrorKind::file, "'{}': its tensor '{}' reaches beyond its storage of {} values", path,
         printable(name), view.storage.count);
  };
  const std::uint64_t count = view.storage.count;
  if (view.storage.offset > count || view.offset >= count - view.storage.offset) refuse();
  std::uint64_t last = view.storage.offset + view.offset;
  for (size_t axis = 0; axis < view.shape.size(); ++axis) {
    const std::uint64_t steps = view.shape[axis] - 1;
    if (view.strides[axis] == 0) continue;
    if (steps > (count - 1 - last) / view.strides[axis]) refuse();
    last += steps * view.strides[axis];
  }
  return last + 1;
}

// The values of a tensor that has a real layer's shape.
Buffer<float> read_tensor(const std::string& path, const PthFile& file, const std::string& name,
                          const TensorView& view) {
  const StorageType& type = *view.storage.type;
  if (!type.number) {
    fail(ErrorKind::file,
         "'{}': its tensor '{}' should hold floats (torch.FloatStorage, HalfStorage, "
         "BFloat16Storage or DoubleStorage), but it holds torch.{}",
         path, printable(name), type.name);
  }
  const auto data = file.storages.find(view.storage.key);
  const std::uint64_t bytes = data == file.storages.end() ? 0 : data->second.bytes;
  if (bytes / type.bytes != view.storage.count || bytes % type.bytes != 0) {
    fail(ErrorKind::file,
         "'{}': the storage '{}' of its tensor '{}' should have {} values of {} "
         "bytes, but {}",
         path, printable(view.storage.key), printable(name), view.storage.count, type.bytes,
         data == file.storages.end() ? "is missing" : fmt::format("has {} bytes", bytes));
  }
  std::uint64_t count = 1;  // does not overflow: only real layers are read
  for (const std::uint64_t dimension : view.shape) count *= dimension;
  const std::uint64_t begin = view.storage.offset + view.offset;
  const std::uint64_t stored = end_of(path, name, view) - begin;
  if (stored > count) {
    fail(ErrorKind::file,
         "'{}': the {} values of its tensor '{}' should lie together, but they are spread over {}; "
         "in Python, tensor.contiguous() brings them together",
         path, count, printable(name), stored);
  }
  std::vector<std::byte> values(stored * type.bytes);
  data->second.read(begin * type.bytes, values);
  Buffer<float> floats = to_floats(values, *type.number, file.big_endian);
  if (view.strides == c_strides(view.shape)) return floats;
  return in_c_order(floats, view.shape, view.strides);
}

// ----------------------------------------------------------------------------------- the whole --

// The file's tensors by the keys that lead to them.
TensorTable tensors_of(const std::string& path, const std::shared_ptr<const PthFile>& file) {
  const PickleRef root = file->pickle.root;
  const auto read = [&](const std::string& name, PickleRef value) -> std::optional<Tensor> {
    const std::optional<TensorView> view = TensorReader(path, name).read(value);
    if (!view) return std::nullopt;
    return Tensor{
        view->shape, std::string(view->storage.type->name),
        [path, file, name, view = *view] { return read_tensor(path, *file, name, view); }};
  };
  TensorTable tensors = tensors_in(path, root, read);
  const bool has_names =
      root->as<PickleDict>() || std::ranges::any_of(tensors, [](const auto& tensor) {
        return tensor.first.ends_with(kTorchvisionNaming.kernel);
      });
  if (has_names) return tensors;
  const std::optional<Tensor> single = read("saved", root);
  fail(ErrorKind::file,
       "'{}' should hold a dict of tensors by name (a state_dict), but it holds {}; in Python, "
       "torch.save(model.state_dict(), path) saves one",
       path, single ? "a single tensor of " + shape_text(single->shape) : describe_value(root));
}

// How the file's network wants its input. Weights with torchvision's names may want something else;
// those with Caffe's names are nearly always Caffe's own.
InputConvention convention_of(const std::string& path, const Weights& weights,
                              bool has_plain_names) {
  if (const KnownFile* known = known_file(sha256_of_file(path, "weights file")))
    return known->convention;
  return convention_of_values(weights).value_or(has_plain_names ? kCaffeConvention
                                                                : kTorchvisionConvention);
}

}  // namespace

Weights read_pytorch_pth(const std::string& path) {
  const auto file = std::make_shared<const PthFile>(
      open_pth(path, [&](const std::string& name) { check_global(path, name); }));
  const TensorTable tensors = tensors_of(path, file);
  const FoundLayers found = find_layers(path, tensors, kTorchvisionNaming);
  const std::string others =
      describe_tensors(tensors) + ", in " + describe_value(file->pickle.root);
  Weights weights = weights_of(path, found.tensors, found.naming, nullptr, others);
  weights.convention = convention_of(path, weights, found.naming.layers == caffe_names);
  return weights;
}

}  // namespace limn
