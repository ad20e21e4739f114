// MAT-files written element by element, as sound or as unsound as a test wants them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "network/weights.h"

namespace limn {

// Each function returns bytes: of an element, or of a whole matrix. Matrices without a name are
// for the inside of others.
struct MatWriter {
  bool is_big_endian = false;

  std::string word(std::uint32_t number) const;
  std::string element(std::uint32_t type, const std::string& data) const;
  // One of at most 4 bytes, in the short form.
  std::string small_element(std::uint32_t type, const std::string& data) const;
  // A matrix of any class with its flags, dimensions and name, and these contents.
  std::string matrix(std::uint32_t flags, const std::vector<std::uint32_t>& dimensions,
                     const std::string& name, const std::string& contents) const;
  std::string singles(const std::vector<std::uint32_t>& dimensions,
                      std::span<const float> values) const;
  std::string text(const std::string& text) const;
  std::string cell(const std::vector<std::uint32_t>& dimensions,
                   const std::vector<std::string>& matrices, const std::string& name = "") const;
  // The array's structs lie one after the other in `matrices`.
  std::string structure(const std::vector<std::uint32_t>& dimensions,
                        const std::vector<std::string>& fields,
                        const std::vector<std::string>& matrices,
                        const std::string& name = "") const;
  // The variable, packed by zlib.
  static std::string packed(const std::string& matrix, const MatWriter& writer);
  // A file with these variables.
  std::string file(const std::string& variables) const;
};

// The kernel as MATLAB has it, y fastest, by the plainest of loops.
std::vector<float> matlab_order(const Convolution& convolution);

enum class MatNesting {
  weights,  // newer: a field `weights`, a cell of filters and biases
  fields,   // older: fields `filters` and `biases`
};

// The variable `layers` with the convolutions, ReLUs between them, and a large layer at the end.
std::string mat_layers(const MatWriter& writer, const Weights& weights, MatNesting nesting);

// A whole file of them; packed, as MATLAB does it, or not.
std::string mat_file(const Weights& weights, bool is_packed,
                     MatNesting nesting = MatNesting::weights, const MatWriter& writer = {});

}  // namespace limn
