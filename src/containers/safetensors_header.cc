#include "containers/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace limn {
namespace {

constexpr std::string_view kMetadata = "__metadata__";

// Takes the JSON one event at a time and allows only what a header consists of, so that nothing
// nests deeper than it should, and only the header itself is kept. Event functions return true
// (continue) or throw.
class HeaderEvents {
 public:
  HeaderEvents(const std::string& path, SafetensorsHeader& header) : path_(path), header_(header) {}

  bool start_object(std::size_t) {
    if (depth_ > 1) unexpected("an object");
    if (depth_ == 1) begin_entry();
    ++depth_;
    return true;
  }

  bool end_object() {
    --depth_;
    if (depth_ == 1 && !in_metadata()) end_tensor();
    return true;
  }

  bool key(std::string& key) {
    // A key may take 3 bytes of JSON, but a hundred in memory. VGG's header has 152.
    constexpr int kMostKeys = 100'000;
    if (++keys_ > kMostKeys) {
      fail(ErrorKind::file, "'{}': the header should have at most {} keys, but it has more", path_,
           kMostKeys);
    }
    if (depth_ == 1) {
      entry_ = key;
    } else {
      field_ = key;
    }
    return true;
  }

  bool string(std::string& text) {
    if (depth_ == 2 && in_metadata()) {
      if (!header_.metadata.emplace(field_, text).second) refuse("is given twice");
    } else if (depth_ == 2 && field_ == "dtype") {
      if (has_dtype_) refuse("is given twice");
      has_dtype_ = true;
      tensor_->dtype = text;
    } else {
      unexpected("text");
    }
    return true;
  }

  bool start_array(std::size_t) {
    const bool expected =
        depth_ == 2 && !in_metadata() && (field_ == "shape" || field_ == "data_offsets");
    if (!expected) unexpected("a list");
    ++depth_;
    numbers_.clear();
    return true;
  }

  bool end_array() {
    --depth_;
    bool& given = field_ == "shape" ? has_shape_ : has_offsets_;
    if (given) refuse("is given twice");
    given = true;
    if (field_ == "shape") {
      tensor_->shape = numbers_;
    } else {
      if (numbers_.size() != 2) refuse("should be two numbers, begin and end");
      tensor_->begin = numbers_[0];
      tensor_->end = numbers_[1];
    }
    return true;
  }

  bool number_unsigned(std::uint64_t number) {
    constexpr size_t kMostNumbers = 8;  // dimensions; weights have 4 at most
    if (depth_ != 3) unexpected("a number");
    if (numbers_.size() == kMostNumbers) refuse("has more than 8 numbers");
    numbers_.push_back(number);
    return true;
  }

  bool number_integer(std::int64_t) { unexpected("a negative number"); }
  bool number_float(double, const std::string&) {
    unexpected("a number that is not whole or is too large");
  }
  bool null() { unexpected("null"); }
  bool boolean(bool) { unexpected("true or false"); }
  bool binary(nlohmann::json::binary_t&) { unexpected("binary data"); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    fail(ErrorKind::file, "'{}': the header should be JSON, but it is invalid at its byte {}",
         path_, position);
  }

 private:
  bool in_metadata() const { return entry_ == kMetadata; }

  void begin_entry() {
    field_.clear();
    if (in_metadata()) {
      if (std::exchange(has_metadata_, true)) refuse("is given twice");
      return;
    }
    const auto [place, is_new] = header_.tensors.try_emplace(entry_);
    if (!is_new) refuse("is given twice");
    tensor_ = &place->second;
    has_dtype_ = has_shape_ = has_offsets_ = false;
  }

  void end_tensor() {
    if (has_dtype_ && has_shape_ && has_offsets_) return;
    field_.clear();
    refuse("should have a dtype, a shape and data_offsets, but lacks some of them");
  }

  [[noreturn]] void unexpected(std::string_view what) const {
    refuse(fmt::format("has {} where the format allows none", what));
  }

  // `problem` follows the name of the entry and field being read.
  [[noreturn]] void refuse(std::string_view problem) const {
    if (depth_ == 0) fail(ErrorKind::file, "'{}': the header {}", path_, problem);
    if (depth_ == 1 || field_.empty())
      fail(ErrorKind::file, "'{}': the header's '{}' {}", path_, printable(entry_), problem);
    fail(ErrorKind::file, "'{}': '{}' of the header's '{}' {}", path_, printable(field_),
         printable(entry_), problem);
  }

  const std::string& path_;
  SafetensorsHeader& header_;
  int keys_ = 0;
  int depth_ = 0;      // objects and lists that are open
  std::string entry_;  // key of the outer object: a tensor's name, or __metadata__
  std::string field_;  // key of the inner object
  SafetensorsTensor* tensor_ = nullptr;
  bool has_metadata_ = false;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  std::vector<std::uint64_t> numbers_;
};

void check_places(const std::string& path, const SafetensorsHeader& header,
                  std::uint64_t data_bytes) {
  using Place = std::pair<const std::string, SafetensorsTensor>;
  std::vector<const Place*> places;
  for (const Place& place : header.tensors) {
    const auto& [name, tensor] = place;
    if (tensor.begin > tensor.end || tensor.end > data_bytes) {
      fail(ErrorKind::file,
           "'{}': '{}' should lie within the file's {} bytes of data, but its data_offsets are {} "
           "and {}; if the file was cut short, fetch it again",
           path, printable(name), data_bytes, tensor.begin, tensor.end);
    }
    if (tensor.begin < tensor.end) places.push_back(&place);
  }
  std::ranges::sort(places, {}, [](const Place* place) { return place->second.begin; });
  for (size_t i = 1; i < places.size(); ++i) {
    if (places[i]->second.begin >= places[i - 1]->second.end) continue;
    fail(ErrorKind::file, "'{}': '{}' and '{}' should not overlap, but they do", path,
         printable(places[i - 1]->first), printable(places[i]->first));
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(const std::string& path, std::string_view json,
                                           std::uint64_t data_bytes) {
  SafetensorsHeader header;
  HeaderEvents events(path, header);
  nlohmann::json::sax_parse(json.begin(), json.end(), &events);
  check_places(path, header, data_bytes);
  return header;
}

}  // namespace limn
