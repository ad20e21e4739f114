// Variables of MATLAB 5.0 MAT-files (what MATLAB's save -v6 and -v7 write, and scipy.io.savemat).
//
// Data elements follow a 128-byte header. An element is a tag, its data, and zeros up to a multiple
// of 8 bytes. The tag has two 32-bit numbers, type and size in bytes; if the upper half of the
// first is not 0, the element is a small one: that half is the size (at most 4), the lower half is
// the type, and the data takes the place of the second number.
//
//   a variable    an element "matrix", or an element "compressed": a matrix packed with zlib
//   a matrix      elements: flags (its class), dimensions, name, then by its class
//     numbers       the values, in a type that may be narrower than the class
//     text          the characters
//     cell          a matrix for each cell
//     struct        the longest field name's size, the fields' names, and then for each element a
//                   matrix for each field
//
// Numbers have the byte order that the header gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "containers/file_bytes.h"
#include "containers/mat_bytes.h"
#include "containers/numbers.h"

namespace limn {

enum class MatKind {
  numbers,  // real and full
  text,
  cell,
  structure,  // an array of structs, mostly of one
  left_out,   // numbers, but more than asked for
  other       // complex or sparse numbers, objects, functions
};

// An array: its numbers are still in the file, the arrays inside it are here.
struct MatArray {
  MatKind kind = MatKind::other;
  std::string name;                       // of a variable; "" inside one
  std::vector<std::uint64_t> dimensions;  // fastest axis first
  std::vector<MatArray> elements;         // cells, or all fields of the first struct, the second..
  std::vector<std::string> fields;        // of a struct
  std::string text;                       // in ASCII, other characters as '?'; "" for a long one

  NumberType type = NumberType::f32;  // as which numbers are stored
  std::uint64_t begin = 0;            // place of the first among the variable's bytes
  std::uint64_t count = 0;            // of numbers

  // The field of the struct array's element, or nullptr if there is none.
  const MatArray* field(std::string_view field_name, size_t element = 0) const;
};

class MatVariable {
 public:
  // Finds the variable and reads its tree, but no numbers. Reading ends at the first array with
  // more than `most_bytes` of numbers, which is then the last (left_out), because skipping it in a
  // packed variable would mean unpacking it. Throws Error (file): not such a file, no such
  // variable, damaged, more structure than any weights have.
  MatVariable(const std::string& path, std::string_view name, std::uint64_t most_bytes);

  const MatArray& array() const { return array_; }

  // The values of an array of numbers in this variable, first axis fastest. The caller has checked
  // its shape. Throws Error (file).
  Buffer<float> read(const MatArray& numbers);

 private:
  FileBytes file_;
  bool is_big_endian_ = false;
  std::optional<MatBytes> bytes_;
  MatArray array_;
};

}  // namespace limn
