// libvips, as the three files of this folder use it: started once, kept quiet, its errors in one
// line, its pixels row by row. Nothing outside this folder includes it.
#pragma once

#include <functional>
#include <string>
#include <vips/vips8>

#include "limn/limn.h"

namespace limn {

// Starts libvips for this process (once) and for the calling thread, and forgets what it complained
// of before. Call it first in every function that uses libvips. Throws Error (resources) when
// libvips cannot start.
void start_vips();

// What libvips said, in one short line without control characters; its error buffer is empty
// afterwards. libvips has one such buffer for all threads, so that two pictures failing at the same
// moment may each carry a clause of the other; the path in limn's own message is always right.
std::string condensed(const vips::VError& error);

// Computes `image` and calls take(y, row) once for every row, from the top down, never two at a
// time but on threads of libvips. `row` holds width x bands floats, the bands of a pixel side by
// side, and lasts for the call. `take` must not throw. No copy of the picture is made. Throws
// vips::VError.
void each_row(const vips::VImage& image, const std::function<void(int y, const float* row)>& take);

}  // namespace limn
