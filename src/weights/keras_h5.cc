// Keras's HDF5 weights: one group per layer ("block4_conv2"), in it the kernel and the bias.
//
// Keras stores a kernel as [3][3][in][out]: sixteen outputs of one input and tap lie side by side,
// as they do in a packed kernel.
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/error.h"
#include "weights/checks.h"
#include "weights/hdf5_file.h"
#include "weights/read.h"
#include "weights/tensors.h"

namespace limn {
namespace {

// The group that holds the layers: save_weights puts them at the root, save under model_weights.
Hdf5Handle group_of_layers(const Hdf5File& file) {
  constexpr const char* kModelWeights = "model_weights";
  Hdf5Handle root = file.root();
  if (!file.has(root, kModelWeights)) return root;
  Hdf5Handle group = file.open(root, kModelWeights, kModelWeights);
  if (H5Iget_type(group.id()) != H5I_GROUP)
    fail(ErrorKind::file, "'{}': {} should be a group, but it is not", file.path(), kModelWeights);
  return group;
}

// A kernel or a bias, and where messages say that it is.
struct Part {
  const Hdf5File& file;
  std::string layer;
  std::string name;  // "kernel"
  Hdf5Handle dataset = {};
};

// Before anything else is asked of a dataset: merely asking a virtual one for its shape makes HDF5
// open the files that it is put together from.
//
// Keras stores data in one piece (contiguously). The other ways are refused because of what HDF5
// does with damaged ones: it unpacks chunks of any size that a file claims, by any filter, and
// libhdf5 1.10.8 reads outside of some.
void check_storage(const Hdf5File& file, const std::string& layer, const Hdf5Handle& dataset) {
  const Hdf5Handle creation(H5Dget_create_plist(dataset.id()));
  if (!creation.is_open()) file.fail_with_cause(fmt::format("read how layer {} is stored", layer));
  const H5D_layout_t layout = H5Pget_layout(creation.id());
  if (layout == H5D_CHUNKED || layout == H5D_COMPACT) {
    fail(ErrorKind::file,
         "'{}': the data of layer {} should be in one piece, but it is in {}; "
         "'h5repack -f NONE -l CONTI' makes a file that limn reads",
         file.path(), layer, layout == H5D_CHUNKED ? "chunks" : "a header");
  }
  if (layout != H5D_CONTIGUOUS || H5Pget_external_count(creation.id()) != 0) {
    fail(ErrorKind::file,
         "'{}': the data of layer {} should be in the file itself, but it is said to lie in other "
         "files, which limn does not open",
         file.path(), layer);
  }
}

std::vector<std::uint64_t> shape_of(const Hdf5File& file, const std::string& layer,
                                    const Hdf5Handle& dataset) {
  const Hdf5Handle space(H5Dget_space(dataset.id()));
  hsize_t dimensions[H5S_MAX_RANK];
  const int rank =
      space.is_open() ? H5Sget_simple_extent_dims(space.id(), dimensions, nullptr) : -1;
  if (rank < 0) file.fail_with_cause(fmt::format("read the shapes of layer {}", layer));
  return {dimensions, dimensions + rank};
}

// Files `dataset` as the layer's kernel or bias by its number of dimensions. Names differ between
// versions of Keras, dimensions do not. Others (a counter, say) are of no interest.
void file_dataset(Hdf5Handle dataset, Part& kernel, Part& bias) {
  check_storage(kernel.file, kernel.layer, dataset);
  const size_t rank = shape_of(kernel.file, kernel.layer, dataset).size();
  if (rank != 4 && rank != 1) return;
  Part& part = rank == 4 ? kernel : bias;
  if (part.dataset.is_open()) {
    fail(ErrorKind::file,
         "'{}': layer {} should have one {}, but it has two datasets of {} dimension(s)",
         part.file.path(), part.layer, part.name, rank);
  }
  part.dataset = std::move(dataset);
}

// Finds the layer's datasets in its group or, where that holds nothing but another group, in there.
void find_parts(const Hdf5File& file, Hdf5Handle group, Part& kernel, Part& bias) {
  constexpr int kDeepest = 3;           // groups inside groups; Keras has one or two
  constexpr hsize_t kMostEntries = 64;  // Keras has two; more is no layer of VGG
  const std::string where = "layer " + kernel.layer;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const hsize_t entries = file.size(group, where);
    if (entries > kMostEntries) {
      fail(ErrorKind::file, "'{}': {} should have a kernel and a bias, but it has {} entries",
           file.path(), where, entries);
    }
    Hdf5Handle inner_group;
    for (hsize_t i = 0; i < entries; ++i) {
      Hdf5Handle entry = file.open(group, i, where);
      const H5I_type_t type = H5Iget_type(entry.id());
      if (type == H5I_DATASET) {
        file_dataset(std::move(entry), kernel, bias);
      } else if (type == H5I_GROUP && entries == 1) {
        inner_group = std::move(entry);
      }
    }
    if (!inner_group.is_open()) return;
    group = std::move(inner_group);
  }
}

// IEEE 754's half, which HDF5 has no name for, as h5py writes it.
Hdf5Handle half_type(H5T_order_t order) {
  Hdf5Handle half(H5Tcopy(H5T_IEEE_F32LE));
  H5Tset_fields(half.id(), 15, 10, 5, 0, 10);  // sign, exponent's place and bits, fraction's
  H5Tset_size(half.id(), 2);
  H5Tset_ebias(half.id(), 15);
  H5Tset_order(half.id(), order);
  return half;
}

// Only the usual floats: HDF5 can describe others of any width, and converting those is its
// least-trodden code.
void check_type(const Part& part) {
  const Hdf5Handle type(H5Dget_type(part.dataset.id()));
  const Hdf5Handle half_le = half_type(H5T_ORDER_LE);
  const Hdf5Handle half_be = half_type(H5T_ORDER_BE);
  const std::array accepted = {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE,
                               H5T_IEEE_F64BE, half_le.id(),   half_be.id()};
  if (std::ranges::any_of(accepted, [&](hid_t t) { return H5Tequal(type.id(), t) > 0; })) return;
  const H5T_class_t kind = H5Tget_class(type.id());
  fail(ErrorKind::file,
       "'{}': layer {} should have a {} of 16, 32 or 64-bit floats, but it has {} of {} byte(s)",
       part.file.path(), part.layer, part.name,
       kind == H5T_STRING    ? "strings"
       : kind == H5T_INTEGER ? "whole numbers"
       : kind == H5T_FLOAT   ? "other floats"
                             : "something else",
       H5Tget_size(type.id()));
}

// Where a dataset was never written, HDF5 would fill in zeros without a word.
void check_written(const Part& part) {
  H5D_space_status_t status = H5D_SPACE_STATUS_ERROR;
  H5Dget_space_status(part.dataset.id(), &status);
  if (status == H5D_SPACE_STATUS_ALLOCATED) return;
  fail(ErrorKind::file, "'{}': layer {} should have a {}, but its values are not in the file",
       part.file.path(), part.layer, part.name);
}

// The part's values, checked to have the expected shape.
Buffer<float> read_part(const Part& part, std::span<const std::uint64_t> expected) {
  if (!part.dataset.is_open()) {
    fail(ErrorKind::file,
         "'{}': layer {} should have a {}, but it has no dataset of {} dimension(s)",
         part.file.path(), part.layer, part.name, expected.size());
  }
  check_shape(part.file.path(), part.layer, part.name, expected,
              shape_of(part.file, part.layer, part.dataset));
  check_type(part);
  check_written(part);
  size_t count = 1;
  for (const std::uint64_t dimension : expected) count *= dimension;
  Buffer<float> values(count);
  if (H5Dread(part.dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) <
      0)
    part.file.fail_with_cause(fmt::format("read the {} of layer {}", part.name, part.layer));
  check_finite(part.file.path(), part.layer, part.name, values);
  return values;
}

void pack(const Buffer<float>& keras, kernels::PackedKernel& kernel) {
  kernel.values = Buffer<float>(keras.size());
  const float* from = keras.data();
  for (int tap = 0; tap < 9; ++tap) {
    for (int i = 0; i < kernel.in; ++i) {
      for (int block = 0; block < kernel.out / kBlock; ++block, from += kBlock) {
        std::copy_n(from, kBlock, kernel_cell(kernel, block, i, tap).data());
      }
    }
  }
}

void read_layer(const Hdf5File& file, const Hdf5Handle& layers, const std::string& name,
                Convolution& convolution) {
  Hdf5Handle group = file.open(layers, name, "layer " + name);
  if (H5Iget_type(group.id()) != H5I_GROUP) {
    fail(ErrorKind::file,
         "'{}': layer {} should be a group with a kernel and a bias, but it is not", file.path(),
         name);
  }
  Part kernel{file, name, "kernel"};
  Part bias{file, name, "bias"};
  find_parts(file, std::move(group), kernel, bias);
  const auto in = static_cast<std::uint64_t>(convolution.in());
  const auto out = static_cast<std::uint64_t>(convolution.out());
  pack(read_part(kernel, std::array<std::uint64_t, 4>{3, 3, in, out}), convolution.kernel);
  convolution.bias = read_part(bias, std::array{out});
}

}  // namespace

Weights read_keras_h5(const std::string& path) {
  const Hdf5File file(path);
  const Hdf5Handle layers = group_of_layers(file);
  const HasLayer has_layer = [&](const std::string& name) { return file.has(layers, name); };

  Weights weights;
  weights.source = path;
  weights.convention = kCaffeConvention;
  weights.network = &fitting_network(keras_names, has_layer);
  weights.convolutions = planned_convolutions(*weights.network);
  const std::vector<std::string> names = keras_names(*weights.network);
  const std::vector<std::string> found = file.names(layers, 4);
  weights.convolutions.resize(count_layers(
      path, names, has_layer,
      found.empty() ? "none at all" : fmt::format("'{}' and so on", fmt::join(found, "', '"))));
  for (size_t i = 0; i < weights.convolutions.size(); ++i)
    read_layer(file, layers, names[i], weights.convolutions[i]);
  return weights;
}

}  // namespace limn
