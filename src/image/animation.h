// Sequences of pictures: animated WebP and GIF.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <functional>
#include <string>

namespace limn {

struct AnimationOptions {
  int milliseconds = 700;  // per frame
  int quality = 95;        // 1..100, for WebP; GIF has 256 colours per frame
};

// Writes frame(0), frame(1), ... frame(count - 1) and back again, as a loop. count is at least 1,
// and all frames have the same size. Each frame is requested once, in order. The ending of `path`
// selects the format. Replaces files atomically, like pictures. Throws Error: usage (like
// check_animation_writable), file (cannot be written), resources (no memory).
void write_animation(std::size_t count, const std::function<Image(std::size_t)>& frame,
                     const std::string& path, const AnimationOptions& options = {});

// Throws the Error that write_animation would throw for this path and frames with this longest
// side, as far as that can be known in advance.
void check_animation_writable(const std::string& path, int longest_side = 1);

}  // namespace limn
