// Small networks that imitate a large one, including the one built into the library.
//
// A student has VGG's structure, so whatever runs a VGG network runs it too: levels of 3 x 3
// convolutions with ReLUs, and a pooling after each level except the last. The number of
// convolutions per level and their channels vary: they come with the weights, as do the taps
// (imitation.h), from one file.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/imitation.h"
#include "network/vgg.h"

namespace limn {

// The name of students in recipes and files, whatever their widths.
inline constexpr std::string_view kBuiltinName = "builtin";

// Throws Error (usage) unless recipes may name this network: one of the VGGs (network_named) or
// "builtin".
void check_network_name(std::string_view name);

inline constexpr int kStudentLevels = 5;
inline constexpr int kMostStudentConvolutions = 8;  // per level
inline constexpr int kMostStudentWidth = 512;       // channels

// The channels of each level's convolutions, from the top: {{16, 16}, {32, 32}, ...}.
using StudentWidths = std::vector<std::vector<int>>;

// A student's rows, from conv1_1 to the last convolution. Widths must be within the limits above
// and multiples of 16.
std::vector<Row> student_rows(const StudentWidths& widths);

// The inverse: the widths of rows made by student_rows.
StudentWidths widths_of(std::span<const Row> rows);

// Where a student comes from, in words for people.
struct Provenance {
  std::string imitates;     // "VGG-19"
  std::string training;     // JSON
  std::string attribution;  // whose work it builds on
  std::string license;
};

struct Student {
  std::vector<Row> rows;
  std::vector<Imitation> imitations;
  Provenance provenance;
  NetworkTable table;  // of these rows and imitations, valid while the student lives
};

// Each imitation must be at a convolution row of its own.
std::shared_ptr<const Student> make_student(std::vector<Row> rows,
                                            std::vector<Imitation> imitations,
                                            Provenance provenance = {});

}  // namespace limn
