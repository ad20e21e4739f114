// libvips, as the files of this folder use it: started once, kept quiet, its errors in one
// line, its pixels row by row. Nothing outside this folder includes it.
#pragma once

#include <functional>
#include <string>
#include <vips/vips8>

#include <limn/limn.h>

namespace limn {

// Starts libvips for this process (once) and forgets what it complained of before. Call it first in
// every function that uses libvips. Throws Error (resources) when libvips cannot start.
void start_vips();

// What libvips said, in one short line of plain ASCII. libvips has one buffer of errors
// for all threads, so that two pictures failing at the same moment may each carry a clause of the
// other; the path in limn's own message is always right.
std::string condensed(const vips::VError& error);

// The two below run on the calling thread and not on libvips's pool, which in 8.14 forgets errors
// of the last strips: a picture cut off near its end would come back whole, with a black edge.

// Computes `image` and calls take(y, row) for every row, from the top down. `row` holds width x
// bands floats, the bands of a pixel side by side, and lasts for the call. No copy of the picture
// is made. Throws vips::VError when a row cannot be computed.
void each_row(const vips::VImage& image, const std::function<void(int y, const float* row)>& take);

// The image with its pixels computed and kept, its metadata too. Throws like each_row.
vips::VImage in_memory(const vips::VImage& image);

}  // namespace limn
