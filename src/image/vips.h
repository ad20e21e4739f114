// libvips as used in this folder: started once, kept quiet, its errors in one line, its pixels row
// by row. Nothing outside this folder includes it.
#pragma once

#include <functional>
#include <string>
#include <vips/vips8>

#include <limn/limn.h>

namespace limn {

// Starts libvips for this process (once) and discards earlier errors. Call it first in every
// function that uses libvips. Throws Error (resources) when libvips cannot start.
void start_vips();

// libvips's error messages as one short line of plain ASCII. All threads share one error buffer, so
// two pictures that fail at the same moment may each show part of the other's message; the path in
// limn's own message is always right.
std::string condensed(const vips::VError& error);

// These two run on the calling thread rather than libvips's pool, which in 8.14 loses errors in the
// last strips: a truncated picture would be returned whole, with a black edge.

// Computes `image` and calls take(y, row) for every row, from the top down. `row` holds width x
// bands floats, interleaved, valid during the call. Does not copy the picture. Throws vips::VError
// when a row cannot be computed.
void each_row(const vips::VImage& image, const std::function<void(int y, const float* row)>& take);

// The image with its pixels and metadata held in memory. Throws like each_row.
vips::VImage in_memory(const vips::VImage& image);

}  // namespace limn
