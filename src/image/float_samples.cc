// Percentiles come from a histogram over the upper 16 bits of the floats, which sort positive
// numbers: steps of 0.8 % at all magnitudes, in 256 KiB.
#include "image/float_samples.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "image/orientation.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;

// The white of 8, 10, 12 and 16-bit integers.
constexpr std::array<float, 4> kIntegerWhites = {255, 1023, 4095, 65535};

// Sharpening and resizing leave samples above white by up to this factor.
constexpr float kOvershoot = 1.1f;

// Not reported: rounding and resizing leave values this far outside 0..1, in parts of white.
constexpr float kSlack = 0.01f;

class Histogram {
 public:
  void add(float value) {
    ++count_;
    if (value > 0) ++counts_[std::bit_cast<std::uint32_t>(value) >> kDropped];
  }
  // A value exceeded by about this fraction of the samples.
  float exceeded_by(double share) const {
    double above = 0;
    for (size_t i = counts_.size(); i-- > 1;) {
      above += static_cast<double>(counts_[i]);
      if (above > share * static_cast<double>(count_)) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(i) << kDropped);
      }
    }
    return 0;
  }
  double share_above(float value) const {
    double above = 0;
    for (size_t i = std::bit_cast<std::uint32_t>(value) >> kDropped; i < counts_.size(); ++i)
      above += static_cast<double>(counts_[i]);
    return above / static_cast<double>(count_);
  }

 private:
  static constexpr int kDropped = 16;  // bits
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(1 << (31 - kDropped));
};

struct Range {
  float least = 0, largest = 0;
  float largest_alpha = 0;
  bool whole = true;  // all are whole numbers
  Histogram histogram;
};

// Counts samples that are not finite, and remembers the first.
class FiniteCheck {
 public:
  FiniteCheck(const VImage& image, int orientation)
      : orientation_(orientation, image.width(), image.height()) {}
  bool is_finite(float value, int x, int y) {
    if (std::isfinite(value)) return true;
    if (count_++ == 0) first_ = orientation_.seen(x, y);
    return false;
  }
  void finish(const std::string& name) const {
    if (count_ == 0) return;
    fail(ErrorKind::file,
         "cannot read '{}': {} of its samples {} (NaN or infinity), the first at pixel {}, {}; "
         "replace {} first",
         name, count_, count_ == 1 ? "is not a finite number" : "are not finite numbers",
         first_.first, first_.second, count_ == 1 ? "it" : "them");
  }

 private:
  Orientation orientation_;
  std::uint64_t count_ = 0;
  std::pair<int, int> first_;
};

Range range_of(const VImage& image, int colours, int orientation, const std::string& name) {
  const int bands = image.bands();
  FiniteCheck check(image, orientation);
  Range range;
  each_row(image, [&](int y, const float* row) {
    for (int x = 0; x < image.width(); ++x, row += bands) {
      for (int b = 0; b < colours; ++b) {
        const float value = row[b];
        if (!check.is_finite(value, x, y)) continue;
        range.least = std::min(range.least, value);
        range.largest = std::max(range.largest, value);
        // A byte converted to 0..1 and back is off by rounding.
        range.whole = range.whole && std::abs(value - std::round(value)) <= 1e-6f * std::abs(value);
        range.histogram.add(value);
      }
      if (bands > colours && check.is_finite(row[colours], x, y))
        range.largest_alpha = std::max(range.largest_alpha, row[colours]);
    }
  });
  check.finish(name);
  return range;
}

// The white of integers whose largest value is `largest`.
std::optional<float> integer_white(float largest) {
  for (const float white : kIntegerWhites)
    if (largest <= white * kOvershoot) return white;
  return {};
}

// The white of samples that look like integers, which cameras and programs encode.
std::optional<float> encoded_white(const Range& range) {
  // Light in other units may also have most samples above 1, but rarely any this high: a quarter of
  // 8-bit white. Whole numbers are evidence by themselves.
  constexpr float kLeastLargest = 64, kLeastLargestWhole = 16;
  const std::optional<float> white = integer_white(range.largest);
  if (!white) return {};
  if (range.whole && range.largest >= kLeastLargestWhole) return white;
  if (range.largest < kLeastLargest || range.histogram.exceeded_by(0.5) <= 1) return {};
  return white;
}

float opaque_of(float largest_alpha) {
  if (largest_alpha <= 1 + kSlack) return 1;
  return integer_white(largest_alpha).value_or(largest_alpha);
}

std::string words_on(const FloatMeaning& meaning, const Range& range, const std::string& name) {
  if (!meaning.linear) {
    return fmt::format(
        "the samples of '{}' are floats up to {:.6g}: read as sRGB-encoded, with {:.6g} as white",
        name, range.largest, meaning.white);
  }
  if (meaning.white > 1) {
    return fmt::format(
        "the samples of '{}' are floats up to {:.4g}: read as linear light, with {:.4g} as white, "
        "which 0.5 % of them exceed",
        name, range.largest, meaning.white);
  }
  if (range.largest > 1 + kSlack) {
    return fmt::format(
        "{:.2g} % of the samples of '{}' are above 1, up to {:.4g}: clipped to white",
        100 * range.histogram.share_above(1), name, range.largest);
  }
  return {};
}

}  // namespace

FloatMeaning meaning_of_floats(const VImage& image, int colours, int orientation,
                               const std::string& name,
                               const std::function<void(const std::string&)>& note) {
  constexpr double kBrighterThanWhite = 0.005;
  const Range range = range_of(image, colours, orientation, name);
  FloatMeaning meaning;
  meaning.opaque = opaque_of(range.largest_alpha);
  if (const std::optional<float> white = encoded_white(range)) {
    meaning.white = *white;
    meaning.linear = false;
  } else {
    meaning.white = std::max(1.0f, range.histogram.exceeded_by(kBrighterThanWhite));
  }
  if (!note) return meaning;
  if (const std::string words = words_on(meaning, range, name); !words.empty()) note(words);
  if (range.least < -kSlack * meaning.white) {
    note(fmt::format("'{}' has samples below 0, down to {:.4g}: clipped to black", name,
                     range.least));
  }
  return meaning;
}

void check_finite(const VImage& image, int bands, int orientation, const std::string& name) {
  range_of(image, std::min(bands, image.bands()), orientation, name);
}

}  // namespace limn
