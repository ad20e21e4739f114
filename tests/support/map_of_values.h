// A feature map that owns its memory, for tests.
#pragma once

#include "base/buffer.h"
#include "kernels/feature_map.h"

namespace limn {

// Its memory is 0 around the values.
class MapOfValues {
 public:
  MapOfValues(int channels, int height, int width)
      : memory_(FeatureMap{nullptr, channels, height, width}.floats()),
        map_{memory_.data(), channels, height, width} {}
  // value(c, y, x)
  template <typename Value>
  MapOfValues(int channels, int height, int width, Value&& value)
      : MapOfValues(channels, height, width) {
    for (int c = 0; c < channels; ++c) {
      for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) map_.at(c, y, x) = value(c, y, x);
      }
    }
  }
  FeatureMap map() const { return map_; }
  float& at(int c, int y, int x) const { return map_.at(c, y, x); }

 private:
  Buffer<float> memory_;
  FeatureMap map_;
};

}  // namespace limn
