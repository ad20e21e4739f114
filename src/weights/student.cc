#include "weights/student.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "weights/checks.h"

namespace limn {
namespace {

using Metadata = std::map<std::string, std::string>;

constexpr const char* kWidthsKey = "widths";
constexpr const char* kTapsKey = "taps";
constexpr const char* kChannelsKey = "teacher_channels";
constexpr const char* kPoolingKey = "pooling";
constexpr const char* kImitatesKey = "imitates";
constexpr const char* kTrainingKey = "training";
constexpr const char* kAttributionKey = "attribution";
constexpr const char* kLicenseKey = "license";

// The metadata entries of one file, and the messages for errors in them.
class Entries {
 public:
  Entries(const std::string& path, const Metadata& metadata) : path_(path), metadata_(metadata) {}

  const std::string& path() const { return path_; }

  const std::string& needed(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found != metadata_.end()) return found->second;
    fail(ErrorKind::file, "'{}': the metadata of a network '{}' should have '{}', but does not",
         path_, kBuiltinName, key);
  }

  std::string given(const std::string& key) const {
    const auto found = metadata_.find(key);
    return found == metadata_.end() ? "" : found->second;
  }

  [[noreturn]] void refuse(const char* key, const std::string& expected,
                           std::string_view found) const {
    fail(ErrorKind::file, "'{}': the metadata's '{}' should {}, but it has '{}'", path_, key,
         expected, printable(found));
  }

 private:
  const std::string& path_;
  const Metadata& metadata_;
};

// The parts of `text` between the separators, no more than `most` + 1 of them.
std::vector<std::string_view> parts_of(std::string_view text, char separator, size_t most) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; parts.size() <= most;) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) break;
    begin = end + 1;
  }
  return parts;
}

// The whole number that the text is.
std::optional<int> number_in(std::string_view text) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

StudentWidths widths_in(const Entries& entries) {
  const std::string& text = entries.needed(kWidthsKey);
  const auto levels = parts_of(text, '/', kStudentLevels);
  if (levels.size() != kStudentLevels) {
    entries.refuse(kWidthsKey, fmt::format("have {} levels, separated by '/'", kStudentLevels),
                   text);
  }
  StudentWidths widths;
  for (const std::string_view level : levels) {
    const auto convolutions = parts_of(level, ',', kMostStudentConvolutions);
    if (convolutions.size() > kMostStudentConvolutions) {
      entries.refuse(
          kWidthsKey,
          fmt::format("have at most {} convolutions in a level", kMostStudentConvolutions), level);
    }
    widths.emplace_back();
    for (const std::string_view convolution : convolutions) {
      const int width = number_in(convolution).value_or(0);
      if (width < kBlock || width > kMostStudentWidth || width % kBlock != 0) {
        entries.refuse(kWidthsKey,
                       fmt::format("have multiples of {} up to {}", kBlock, kMostStudentWidth),
                       convolution);
      }
      widths.back().push_back(width);
    }
  }
  return widths;
}

// "relu1_1=64 ...": by layer, in the order of the text.
using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_in(const Entries& entries, const char* key) {
  const std::string& text = entries.needed(key);
  const size_t most = kVgg19.rows.size();
  const auto parts = parts_of(text, ' ', most);
  Pairs pairs;
  for (const std::string_view part : parts) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos || pairs.size() == most) {
      entries.refuse(key,
                     "be pairs of a layer and its value, 'relu1_1=...', separated by single spaces",
                     text);
    }
    const std::string layer(part.substr(0, equals));
    if (std::ranges::find(pairs, layer, &Pairs::value_type::first) != pairs.end()) {
      entries.refuse(key, "name each layer once", text);
    }
    pairs.emplace_back(layer, part.substr(equals + 1));
  }
  return pairs;
}

// The row of the convolution that imitates a layer.
int row_of(const Entries& entries, std::span<const Row> rows, std::string_view id) {
  for (size_t row = 0; row < rows.size(); ++row) {
    const bool convolution = rows[row].kind == RowKind::convolution;
    if (convolution && rows[row].id == id) return static_cast<int>(row);
  }
  entries.refuse(kTapsKey, "name convolutions that the network has, such as 1_1", id);
}

// The teacher's channels. They are known, but the file must state them too, and correctly, so that
// it says what it divides by.
int channels_of(const Entries& entries, const Pairs& channels, const std::string& layer) {
  const std::optional<LayerPosition> position = find_layer(kVgg19, layer);
  if (!position || !layer.starts_with("relu")) {
    entries.refuse(kTapsKey, "name VGG-19's layers after a ReLU, such as relu4_2", layer);
  }
  const int expected = kVgg19.rows[position->row].out;
  const auto found = std::ranges::find(channels, layer, &Pairs::value_type::first);
  if (found == channels.end() || number_in(found->second) != expected) {
    entries.refuse(kChannelsKey, fmt::format("have '{}={}'", layer, expected),
                   entries.needed(kChannelsKey));
  }
  return expected;
}

Buffer<float> read_map(const std::string& path, const TensorTable& tensors,
                       const std::string& layer, int width) {
  const std::string name = tap_tensor(layer);
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    fail(ErrorKind::file, "'{}': layer {} should have a map, but there is no tensor '{}'", path,
         layer, name);
  }
  const auto side = static_cast<std::uint64_t>(width);
  check_shape(path, layer, "map", std::array{side, side}, found->second.shape);
  Buffer<float> values = found->second.read();  // as many values as its shape says
  check_finite(path, layer, "map", values);
  return values;
}

}  // namespace

std::string tap_tensor(const std::string& layer) { return "tap." + layer; }

std::shared_ptr<const Student> read_student(const std::string& path, const TensorTable& tensors,
                                            const Metadata& metadata) {
  const Entries entries(path, metadata);
  if (const std::string& pooling = entries.needed(kPoolingKey); pooling != "max") {
    entries.refuse(kPoolingKey, "be max", pooling);
  }
  std::vector<Row> rows = student_rows(widths_in(entries));
  const Pairs taps = pairs_in(entries, kTapsKey);
  const Pairs channels = pairs_in(entries, kChannelsKey);
  if (channels.size() != taps.size()) {
    entries.refuse(kChannelsKey, fmt::format("name the {} layers of '{}'", taps.size(), kTapsKey),
                   entries.needed(kChannelsKey));
  }
  std::vector<Imitation> imitations;
  for (const auto& [layer, id] : taps) {
    const int row = row_of(entries, rows, id);
    if (std::ranges::find(imitations, row, &Imitation::row) != imitations.end()) {
      entries.refuse(kTapsKey, "use each convolution once", entries.needed(kTapsKey));
    }
    const int of_teacher = channels_of(entries, channels, layer);
    imitations.push_back(
        imitation_of(layer, row, of_teacher, read_map(path, tensors, layer, rows[row].out)));
  }
  return make_student(std::move(rows), std::move(imitations),
                      {entries.needed(kImitatesKey), entries.given(kTrainingKey),
                       entries.given(kAttributionKey), entries.given(kLicenseKey)});
}

void check_reaches_taps(const std::string& path, const Weights& weights) {
  const NetworkTable& network = *weights.network;
  const auto deepest = std::ranges::max_element(network.imitations, {}, &Imitation::row);
  const auto rows = network.rows.first(static_cast<size_t>(deepest->row) + 1);
  const auto needed = std::ranges::count(rows, RowKind::convolution, &Row::kind);
  if (std::ssize(weights.convolutions) >= needed) return;
  fail(ErrorKind::file,
       "'{}': layer conv{}, which imitates {}, is missing; the last one present is conv{}", path,
       rows.back().id, deepest->layer, weights.convolutions.back().id);
}

std::vector<std::pair<std::string, std::string>> student_metadata(const Student& student) {
  std::vector<std::string> levels, taps, channels;
  for (const std::vector<int>& level : widths_of(student.rows)) {
    levels.push_back(fmt::format("{}", fmt::join(level, ",")));
  }
  for (const Imitation& tap : student.imitations) {
    taps.push_back(fmt::format("{}={}", tap.layer, student.rows[tap.row].id));
    channels.push_back(fmt::format("{}={}", tap.layer, tap.channels));
  }
  const Provenance& provenance = student.provenance;
  return {{kWidthsKey, fmt::format("{}", fmt::join(levels, "/"))},
          {kTapsKey, fmt::format("{}", fmt::join(taps, " "))},
          {kChannelsKey, fmt::format("{}", fmt::join(channels, " "))},
          {kPoolingKey, "max"},
          {kImitatesKey, provenance.imitates},
          {kTrainingKey, provenance.training},
          {kAttributionKey, provenance.attribution},
          {kLicenseKey, provenance.license}};
}

}  // namespace limn
