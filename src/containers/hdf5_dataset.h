// An array of numbers in an HDF5 file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "containers/hdf5_object.h"
#include "containers/numbers.h"

namespace limn {

struct Hdf5Type {
  std::optional<NumberType> number;  // f16, f32 or f64, or nothing
  bool big_endian;
  std::uint64_t bytes;  // of a value
  std::string kind;     // for messages: "floats", "whole numbers", "strings"
};

// The numbers of values along each axis, slowest first; none for a single value. Throws Error
// (file).
std::vector<std::uint64_t> read_shape(const Hdf5File& file, const Hdf5Object& dataset,
                                      const Hdf5Header& header);

// Throws Error (file).
Hdf5Type read_type(const Hdf5File& file, const Hdf5Object& dataset, const Hdf5Header& header);

// All values of a dataset whose type has a `number`, last axis fastest. Memory is allocated for its
// shape, so check that first. Throws Error (file), even for values that lie in other files, or that
// were never written, which HDF5 would read as zeros.
Buffer<float> read_values(const Hdf5File& file, const Hdf5Object& dataset,
                          const Hdf5Header& header);

}  // namespace limn
