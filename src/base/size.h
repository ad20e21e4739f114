// The size of a picture, a plane or a map.
#pragma once

namespace limn {

// In pixels, or in cells of a feature map.
struct Size {
  int height = 0, width = 0;
  bool operator==(const Size&) const = default;
};

}  // namespace limn
