#include "containers/npy_header.h"

#include <charconv>
#include <set>

#include "base/error.h"

namespace limn {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\x93NUMPY"sv;
constexpr size_t kMostDimensions = 64;  // NumPy's own limit

// How many bytes the header's length takes in this version.
size_t length_bytes(char version) { return version == 1 ? 2 : 4; }

std::uint64_t dictionary_begin(std::string_view header) {
  return kSignature.size() + 2 + length_bytes(header[kSignature.size()]);
}

// Reads Python's notation for a dict of strings, bools and tuples of numbers.
class Reader {
 public:
  Reader(const std::string& path, const std::string& array, std::string_view text)
      : path_(path), array_(array), text_(text) {}

  NpyHeader read() {
    NpyHeader header;
    std::set<std::string> keys;
    expect('{');
    while (!accept('}')) {
      const std::string key = read_quoted();
      if (!keys.insert(key).second) complain();
      expect(':');
      read_value(key, header);
      if (!accept(',') && peek() != '}') complain();
    }
    if (keys.size() != 3 || peek() != '\0') complain();  // read_value knows no other keys
    return header;
  }

 private:
  [[noreturn]] void complain() const {
    fail(ErrorKind::file,
         "'{}': the header of its array '{}' should be a dictionary of descr, fortran_order and "
         "shape, but it is '{}'",
         path_, array_, printable(text_));
  }

  // The next character that is not a space, or 0 at the end.
  char peek() {
    while (place_ < text_.size() && " \t\r\n"sv.find(text_[place_]) != std::string_view::npos)
      ++place_;
    return place_ < text_.size() ? text_[place_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++place_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) complain();
  }
  bool accept(std::string_view word) {
    if (peek() == '\0' || !text_.substr(place_).starts_with(word)) return false;
    place_ += word.size();
    return true;
  }

  std::string read_quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') complain();
    const size_t begin = ++place_;
    const size_t end = text_.find(quote, begin);
    if (end == std::string_view::npos) complain();
    place_ = end + 1;
    return std::string(text_.substr(begin, end - begin));
  }

  void read_value(const std::string& key, NpyHeader& header) {
    if (key == "descr") {
      header.descr = peek() == '[' ? read_record() : read_quoted();
    } else if (key == "fortran_order") {
      header.fortran_order = accept("True");
      if (!header.fortran_order && !accept("False")) complain();
    } else if (key == "shape") {
      header.shape = read_shape();
    } else {
      complain();
    }
  }

  // The type of a record, a nested list: limn reads no records, but an array of them may lie beside
  // the layers.
  std::string read_record() {
    const size_t begin = place_;
    int depth = 0;
    do {
      const char c = peek();
      if (c == '\'' || c == '"') {
        read_quoted();
        continue;
      }
      if (c == '\0') complain();
      if (c == '[' || c == '(') ++depth;
      if (c == ']' || c == ')') --depth;
      ++place_;
    } while (depth > 0);
    return std::string(text_.substr(begin, place_ - begin));
  }

  std::vector<std::uint64_t> read_shape() {
    std::vector<std::uint64_t> shape;
    expect('(');
    while (!accept(')')) {
      peek();
      std::uint64_t dimension = 0;
      const char* const end = text_.data() + text_.size();
      const auto [after, error] = std::from_chars(text_.data() + place_, end, dimension);
      if (error != std::errc() || shape.size() == kMostDimensions) complain();
      place_ = static_cast<size_t>(after - text_.data());
      accept('L');  // as Python 2 writes long numbers
      shape.push_back(dimension);
      if (!accept(',') && (peek() != ')' || shape.size() == 1)) complain();  // "(64)" is no tuple
    }
    return shape;
  }

  const std::string& path_;
  const std::string& array_;
  std::string_view text_;
  size_t place_ = 0;
};

}  // namespace

std::uint64_t npy_header_bytes(const std::string& path, const std::string& array,
                               std::string_view prefix) {
  if (!prefix.starts_with(kSignature) || prefix.size() < kNpyPrefixBytes) {
    fail(ErrorKind::file, "'{}': its array '{}' should begin like a NumPy array, but it does not",
         path, array);
  }
  const char version = prefix[kSignature.size()];
  if (version < 1 || version > 3) {
    fail(ErrorKind::file,
         "'{}': the header of its array '{}' should have version 1, 2 or 3, but it has {}", path,
         array, static_cast<int>(static_cast<unsigned char>(version)));
  }
  std::uint64_t length = 0;
  for (size_t i = length_bytes(version); i-- > 0;)
    length = length << 8 | static_cast<unsigned char>(prefix[kSignature.size() + 2 + i]);
  if (length > kMostNpyHeaderBytes) {
    fail(ErrorKind::file,
         "'{}': the header of its array '{}' should have at most {} bytes, but it claims {}", path,
         array, kMostNpyHeaderBytes, length);
  }
  return dictionary_begin(prefix) + length;
}

NpyHeader parse_npy_header(const std::string& path, const std::string& array,
                           std::string_view header) {
  NpyHeader parsed = Reader(path, array, header.substr(dictionary_begin(header))).read();
  parsed.bytes = header.size();
  return parsed;
}

std::optional<NpyFloats> npy_floats(std::string_view descr) {
  if (descr.size() != 3 || (descr[0] != '<' && descr[0] != '>')) return std::nullopt;
  const bool big_endian = descr[0] == '>';
  const std::string_view number = descr.substr(1);
  if (number == "f2") return NpyFloats{NumberType::f16, big_endian};
  if (number == "f4") return NpyFloats{NumberType::f32, big_endian};
  if (number == "f8") return NpyFloats{NumberType::f64, big_endian};
  return std::nullopt;
}

}  // namespace limn
