// Tensors in what people pickle: a dict of them, or a checkpoint with such a dict somewhere among
// an optimiser's state, counters, settings and dates.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "containers/pickle.h"
#include "weights/tensors.h"

namespace limn {

// Whether a pickle may ask for this name although no tensor needs it: it stands for a plain value,
// such as a date, a NumPy number or the settings of a training program. It is never constructed.
bool is_plain_value(std::string_view global);

// The value as a tensor, or nothing if it is something else. `name` is what messages call it.
using ReadTensor = std::function<std::optional<Tensor>(const std::string& name, PickleRef value)>;

// All tensors in dicts, lists and tuples under `root`, by the keys and indices that lead to them:
// "state_dict.module.features.0.weight". In a pair of a kernel and its bias, as converters for
// Caffe and TensorFlow write layers, they are called "weight" and "bias". For a dict that occurs in
// several places, the one nearest to the root counts. Throws Error (file) for an unreasonable
// number of tensors.
TensorTable tensors_in(const std::string& path, PickleRef root, const ReadTensor& read);

// What a value is, for a message: "a dict of 'epoch', 'net'", "a list of 2", "a number".
std::string describe_value(PickleRef value);

}  // namespace limn
