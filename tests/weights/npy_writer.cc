#include "npy_writer.h"

#include <fmt/format.h>

#include "pth_files.h"
#include "weights_files.h"

namespace limn {
namespace {

std::string little_endian(size_t number) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift & 255);
  return text;
}

// What strings of Python 2 are.
std::string bin_string(std::string_view text) {
  return fmt::format("T{}{}", little_endian(text.size()), text);
}

std::string bytes_of(std::span<const float> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// numpy.dtype(type, 0, 1), its byte order set.
std::string pickled_dtype(std::string_view type, std::string_view order) {
  return pickled_global("numpy", "dtype") +
         pickled_tuple({bin_string(type), pickled(0), pickled(1)}) + "R" +
         pickled_tuple(
             {pickled(3), bin_string(order), "N", "N", "N", pickled(-1), pickled(-1), pickled(0)}) +
         "b";
}

std::string pickled_array(const std::string& module, const std::string& shape,
                          const std::string& dtype, bool fortran_order, const std::string& data) {
  return pickled_global(module, "_reconstruct") +
         pickled_tuple(
             {pickled_global("numpy", "ndarray"), pickled_tuple({pickled(0)}), bin_string("b")}) +
         "R" + pickled_tuple({pickled(1), shape, dtype, fortran_order ? "\x88" : "\x89", data}) +
         "b";
}

}  // namespace

std::string PickledArray::text() const {
  std::vector<std::string> sides;
  for (const int side : shape) sides.push_back(pickled(side));
  return pickled_array(reconstruct, pickled_tuple(sides), pickled_dtype(type, order), fortran_order,
                       bin_string(bytes));
}

PickledArray pickled_kernel(const Convolution& layer) {
  PickledArray array;
  array.shape = {3, 3, layer.in(), layer.out()};
  array.bytes = bytes_of(keras_order(layer));
  return array;
}

PickledArray pickled_bias(const Convolution& layer) {
  PickledArray array;
  array.shape = {layer.out()};
  array.bytes = bytes_of(layer.bias);
  return array;
}

std::string npy_object(std::string_view object) {
  return npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (), }      \n") + "\x80\x02" +
         pickled_array("numpy.core.multiarray", ")", pickled_dtype("O8", "|"), false,
                       fmt::format("]{}a", object)) +
         ".";
}

std::string npy_dict(const std::vector<std::string>& items) {
  std::string dict = "}(";
  for (const std::string& item : items) dict += item;
  return npy_object(dict + "u");
}

std::string npy_file(const Weights& weights) {
  std::vector<std::string> items;
  for (const Convolution& layer : weights.convolutions) {
    items.push_back(bin_string("conv" + layer.id));
    items.push_back("](" + pickled_kernel(layer).text() + pickled_bias(layer).text() + "e");
  }
  return npy_dict(items);
}

}  // namespace limn
