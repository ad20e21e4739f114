// Checks whether a picture can be written, before an hour of painting rather than after.
#pragma once

#include <cstdint>
#include <string>

#include <limn/limn.h>

namespace limn {

// The range of WriteOptions::dpi, and what files say where it is 0.
inline constexpr double kLeastDpi = 1, kMostDpi = 10'000;
inline constexpr double kUnstatedDpi = 72;

// Throws the Error that write_image would throw for this path and these options, as far as that can
// be known in advance: usage (unknown ending or format, options the format does not have, a longest
// side in pixels it cannot hold, a dpi out of range, a terminal for "-"), file (missing or
// unwritable folder, a path that is a folder or a device, closed standard output).
void check_writable(const std::string& path, const WriteOptions& options = {},
                    int longest_side = 1);
// The same without a look at the place: only what the format refuses.
void check_format(const std::string& path, const WriteOptions& options, int longest_side);

// Whether the format stores notes (WriteOptions::notes). Throws Error (usage): unknown ending or
// format.
bool keeps_notes(const std::string& path, const WriteOptions& options);

// Whether a TIFF whose samples take so many bytes is written as BigTIFF: a classic one ends at 4
// GB, and deflate may enlarge noise.
bool is_big_tiff(std::uint64_t sample_bytes);

// The expected peak memory, in bytes, that write_image takes for a picture of this size, besides
// the picture itself: some rows, and what the encoder keeps. Measured with libvips 8.14 for each
// encoder; libraries differ, so expect it to be off by up to a third. A path without a known ending
// counts as PNG.
double writing_bytes(const std::string& path, const WriteOptions& options, int width, int height,
                     bool has_alpha);

// The picture as a small JPEG, in memory, for windows that show it for a moment: colours at full
// resolution, no profile (sRGB is what is assumed then), no notes. Throws Error (resources).
std::string jpeg_in_memory(const Image& image, int quality);

}  // namespace limn
