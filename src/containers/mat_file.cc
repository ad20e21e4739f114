#include "containers/mat_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>

#include "base/error.h"
#include "containers/numbers.h"

namespace limn {
namespace {

constexpr std::uint64_t kHeaderBytes = 128;
constexpr std::uint64_t kTagBytes = 8;  // of an element: type and size

// Types of elements.
enum ElementType : std::uint32_t {
  kMatrix = 14,
  kCompressed = 15,
};

std::optional<NumberType> number_type(std::uint32_t element_type) {
  switch (element_type) {
    case 1:
      return NumberType::i8;
    case 2:
      return NumberType::u8;
    case 3:
      return NumberType::i16;
    case 4:
      return NumberType::u16;
    case 5:
      return NumberType::i32;
    case 6:
      return NumberType::u32;
    case 7:
      return NumberType::f32;
    case 9:
      return NumberType::f64;
    default:
      return std::nullopt;
  }
}

// How many bytes a character has: type 16 is UTF-8, 17 and 18 are wider; MATLAB writes 4, U16.
std::uint64_t character_bytes(std::uint32_t element_type) {
  return element_type == 4 || element_type == 17 ? 2 : element_type == 18 ? 4 : 1;
}

// Classes of matrices, the low byte of their flags.
MatKind kind_of(std::uint32_t flags) {
  constexpr std::uint32_t kComplex = 0x800;
  const std::uint32_t type = flags & 255;
  if (type == 1) return MatKind::cell;
  if (type == 2) return MatKind::structure;
  if (type == 4) return MatKind::text;
  const bool is_numbers = type >= 6 && type <= 13;  // double, single, integers of 8 to 32 bits
  return is_numbers && !(flags & kComplex) ? MatKind::numbers : MatKind::other;
}

struct Element {
  std::uint32_t type;
  std::uint64_t begin;  // of its data
  std::uint64_t size;
  std::uint64_t next;  // place of the element that follows

  std::uint64_t end() const { return begin + size; }
};

// Reads a variable's tree. All places are among the variable's bytes.
class TreeReader {
 public:
  TreeReader(const std::string& path, MatBytes& bytes, bool is_big_endian, std::uint64_t most_bytes)
      : path_(path), bytes_(bytes), is_big_endian_(is_big_endian), most_bytes_(most_bytes) {}

  // The element whose tag is at `at`; it lies before `end`.
  Element element(std::uint64_t at, std::uint64_t end) {
    if (at > end || end - at < kTagBytes) damaged(at, "should be an element, but its parent ends");
    const auto [first, second] = words<2>(at);
    const std::uint32_t small_size = first >> 16;
    if (small_size > 0) {
      if (small_size > 4) damaged(at, "is a small element, but of more than 4 bytes");
      return {first & 0xffff, at + 4, small_size, at + kTagBytes};
    }
    const std::uint64_t begin = at + kTagBytes;
    if (second > end - begin) {
      damaged(at, fmt::format("should have at most {} bytes, but its size is given as {}",
                              end - begin, second));
    }
    const std::uint64_t padded = (second + 7) / 8 * 8;
    return {first, begin, second, begin + std::min(padded, end - begin)};
  }

  // Reads what comes first in a matrix, everything but its contents, which begin at the place
  // returned.
  std::uint64_t header(const Element& matrix, MatArray& array) {
    const Element flags = element(matrix.begin, matrix.end());
    if (flags.size < 4) damaged(matrix.begin, "should have its flags, but they are cut short");
    array.kind = kind_of(words<1>(flags.begin)[0]);
    const Element dimensions = element(flags.next, matrix.end());
    constexpr std::uint64_t kMostDimensions = 32;
    if (dimensions.size % 4 != 0 || dimensions.size / 4 > kMostDimensions)
      damaged(matrix.begin, fmt::format("has {} bytes of dimensions", dimensions.size));
    for (std::uint64_t i = 0; i < dimensions.size / 4; ++i)
      array.dimensions.push_back(words<1>(dimensions.begin + 4 * i)[0]);
    keep(array.dimensions.size() * sizeof array.dimensions[0]);
    const Element name = element(dimensions.next, matrix.end());
    array.name = text_at(name.begin, name.size);
    return name.next;
  }

  // Reads what follows a matrix's header, at `at`.
  void contents(const Element& matrix, std::uint64_t at, MatArray& array, int depth) {
    constexpr int kDeepest = 16;  // weights are 5 deep: layers, layer, cell, weights, filters
    if (depth > kDeepest) array.kind = MatKind::other;
    if (array.kind == MatKind::other) return;
    array.count = count_of(matrix, array);
    if (array.kind == MatKind::numbers) return numbers(matrix, at, array);
    if (array.kind == MatKind::text) return characters(matrix, at, array);
    std::uint64_t arrays = array.count;
    if (array.kind == MatKind::structure) {
      at = field_names(matrix, at, array);
      if (array.fields.empty()) return;
      if (arrays > matrix.size / array.fields.size()) too_many(matrix, arrays);
      arrays *= array.fields.size();
    }
    if (arrays > (matrix.end() - at) / kTagBytes) too_many(matrix, arrays);
    for (std::uint64_t i = 0; i < arrays && !ended_; ++i)
      at = inner_matrix(matrix, at, array.elements.emplace_back(), depth);
  }

 private:
  template <size_t N>
  std::array<std::uint32_t, N> words(std::uint64_t at) {
    std::array<std::uint32_t, N> numbers;
    bytes_.read(at, std::as_writable_bytes(std::span(numbers)));
    if (is_big_endian_ == (std::endian::native == std::endian::big)) return numbers;
    for (std::uint32_t& number : numbers) {
      auto bytes = std::bit_cast<std::array<std::byte, 4>>(number);
      std::ranges::reverse(bytes);
      number = std::bit_cast<std::uint32_t>(bytes);
    }
    return numbers;
  }

  // The text there, without trailing zeros; "" if it is too long for a name.
  std::string text_at(std::uint64_t at, std::uint64_t bytes) {
    constexpr std::uint64_t kLongest = 256;  // MATLAB allows 63
    if (bytes > kLongest) return "";
    std::string text(bytes, '\0');
    bytes_.read(at, std::as_writable_bytes(std::span(text)));
    text.resize(std::min(text.find('\0'), text.size()));
    keep(text.size());
    return text;
  }

  // The product of the dimensions, which cannot exceed the number of the matrix's bytes.
  std::uint64_t count_of(const Element& matrix, const MatArray& array) {
    if (std::ranges::find(array.dimensions, 0u) != array.dimensions.end()) return 0;
    if (array.dimensions.empty()) return 0;
    std::uint64_t count = 1;
    for (const std::uint64_t dimension : array.dimensions) {
      if (count > matrix.size / dimension) {
        too_many(matrix, fmt::format("{}", fmt::join(array.dimensions, " x ")));
      }
      count *= dimension;
    }
    return count;
  }

  void numbers(const Element& matrix, std::uint64_t at, MatArray& array) {
    if (array.count == 0) return;
    const Element values = element(at, matrix.end());
    const std::optional<NumberType> type = number_type(values.type);
    if (!type) {
      array.kind = MatKind::other;
      return;
    }
    if (values.size != array.count * bytes_of(*type)) {
      damaged(matrix.begin, fmt::format("should have {} numbers of {} bytes, but it has {} bytes",
                                        array.count, bytes_of(*type), values.size));
    }
    array.type = *type;
    array.begin = values.begin;
    if (values.size <= most_bytes_) return;
    array.kind = MatKind::left_out;
    ended_ = true;
  }

  void characters(const Element& matrix, std::uint64_t at, MatArray& array) {
    constexpr std::uint64_t kLongest = 256;  // characters; longer than any name
    if (array.count == 0) return;
    const Element element_of_text = element(at, matrix.end());
    const std::uint64_t width = character_bytes(element_of_text.type);
    const std::uint64_t characters = element_of_text.size / width;
    if (characters > kLongest) return;
    std::string bytes(characters * width, '\0');
    bytes_.read(element_of_text.begin, std::as_writable_bytes(std::span(bytes)));
    for (std::uint64_t i = 0; i < characters; ++i) {
      const std::string_view character = std::string_view(bytes).substr(i * width, width);
      const char low = is_big_endian_ ? character.back() : character.front();
      const auto zeros = std::ranges::count(character, '\0');
      array.text += static_cast<std::uint64_t>(zeros) == width - 1 ? low : '?';
    }
    keep(array.text.size());
  }

  // Reads the names; returns the place of the first field.
  std::uint64_t field_names(const Element& matrix, std::uint64_t at, MatArray& array) {
    const Element length_element = element(at, matrix.end());
    if (length_element.size < 4) damaged(at, "should have a size of field names");
    const std::uint64_t length = words<1>(length_element.begin)[0];
    const Element names = element(length_element.next, matrix.end());
    if (names.size == 0) return names.next;
    if (length == 0 || names.size % length != 0) {
      damaged(at, fmt::format("should have field names of {} bytes each, but they have {} together",
                              length, names.size));
    }
    for (std::uint64_t begin = names.begin; begin < names.end(); begin += length) {
      keep(sizeof(std::string));
      array.fields.push_back(text_at(begin, length));
    }
    return names.next;
  }

  // Reads a cell or a field; returns the place after it.
  std::uint64_t inner_matrix(const Element& parent, std::uint64_t at, MatArray& array, int depth) {
    keep(sizeof(MatArray));
    const Element inner = element(at, parent.end());
    if (inner.type != kMatrix) {
      damaged(at, fmt::format("should be an array (type {}), but it is of type {}",
                              static_cast<int>(kMatrix), inner.type));
    }
    // MATLAB writes one without even a header for [].
    if (inner.size > 0) contents(inner, header(inner, array), array, depth + 1);
    return inner.next;
  }

  // Counts what is kept in memory: small packed files can unpack to very many arrays.
  void keep(std::uint64_t bytes) {
    constexpr std::uint64_t kMostKept = 8'000'000;  // bytes; a VGG with all names takes 1 million
    kept_ += bytes;
    if (kept_ <= kMostKept) return;
    fail(ErrorKind::file, "'{}': a variable has too many arrays to be a network's layers", path_);
  }

  template <typename Count>
  [[noreturn]] void too_many(const Element& matrix, const Count& count) const {
    damaged(matrix.begin, fmt::format("has {} bytes, too few for {} values", matrix.size, count));
  }

  [[noreturn]] void damaged(std::uint64_t at, std::string_view problem) const {
    fail(ErrorKind::file, "'{}': the array at byte {} of a variable {}; fetch the file again",
         path_, at, problem);
  }

  const std::string& path_;
  MatBytes& bytes_;
  const bool is_big_endian_;
  const std::uint64_t most_bytes_;
  std::uint64_t kept_ = 0;
  bool ended_ = false;
};

// Whether the file is big-endian, which shows in how the letters MI were written as a number.
bool read_byte_order(FileBytes& file) {
  std::array<char, kHeaderBytes> header;
  file.read(0, std::as_writable_bytes(std::span(header)));
  const std::string_view order = std::string_view(header.data(), header.size()).substr(126);
  if (order != "IM" && order != "MI") {
    fail(ErrorKind::file,
         "'{}': a MAT-file's header should end in IM or MI, its byte order, but it ends in '{}'",
         file.path(), printable(order));
  }
  return order == "MI";
}

}  // namespace

const MatArray* MatArray::field(std::string_view field_name, size_t element) const {
  const auto found = std::ranges::find(fields, field_name);
  if (found == fields.end()) return nullptr;
  const size_t place = element * fields.size() + static_cast<size_t>(found - fields.begin());
  return place < elements.size() ? &elements[place] : nullptr;
}

MatVariable::MatVariable(const std::string& path, std::string_view name, std::uint64_t most_bytes)
    : file_(path), is_big_endian_(read_byte_order(file_)) {
  constexpr int kMostVariables = 1000;  // each may have to be unpacked for its name
  std::vector<std::string> others;
  MatBytes top(file_, 0, file_.size(), false);
  TreeReader tags(file_.path(), top, is_big_endian_, most_bytes);
  for (std::uint64_t at = kHeaderBytes; file_.size() - at >= kTagBytes;) {
    const Element outer = tags.element(at, file_.size());
    // Packed variables are not filled up to a multiple of 8 bytes.
    at = outer.type == kCompressed ? outer.end() : outer.next;
    if (outer.type != kMatrix && outer.type != kCompressed) continue;
    const bool is_packed = outer.type == kCompressed;
    bytes_.emplace(file_, outer.begin, outer.end(), is_packed);
    TreeReader reader(file_.path(), *bytes_, is_big_endian_, most_bytes);
    const Element matrix = is_packed ? reader.element(0, bytes_->most_bytes())
                                     : Element{kMatrix, 0, outer.size, outer.size};
    if (matrix.type != kMatrix) continue;
    array_ = {};
    const std::uint64_t contents = reader.header(matrix, array_);
    if (array_.name == name) {
      reader.contents(matrix, contents, array_, 0);
      return;
    }
    others.push_back(fmt::format("'{}'", printable(array_.name)));
    if (others.size() == kMostVariables) break;
  }
  const std::string found = others.empty() ? "none" : fmt::format("{}", fmt::join(others, ", "));
  fail(ErrorKind::file, "'{}' should have a variable '{}', but its variables are {}", path, name,
       found.substr(0, 200));
}

Buffer<float> MatVariable::read(const MatArray& numbers) {
  std::vector<std::byte> bytes(numbers.count * bytes_of(numbers.type));
  bytes_->read(numbers.begin, bytes);
  return to_floats(bytes, numbers.type, is_big_endian_);
}

}  // namespace limn
