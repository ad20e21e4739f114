// Pictures one after the other: animated WebP and GIF.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <functional>
#include <string>

namespace limn {

struct AnimationOptions {
  int milliseconds = 700;  // each frame is shown
  int quality = 95;        // 1..100, for WebP; a GIF has 256 colours a frame
};

// Writes frame(0), frame(1), ... frame(count - 1) and back again, in a loop; count is at least 1,
// and all frames have one size. Each is asked for once, in order. The ending of `path` is the
// format. Written beside and renamed, like pictures. Throws Error: usage (as
// check_animation_writable), file (cannot be written), resources (no memory).
void write_animation(std::size_t count, const std::function<Image(std::size_t)>& frame,
                     const std::string& path, const AnimationOptions& options = {});

// Throws the Error that write_animation would throw for this path and frames of this longest side,
// as far as it can be known beforehand.
void check_animation_writable(const std::string& path, int longest_side = 1);

}  // namespace limn
