// Small networks that imitate a large one, among them the one inside the library.
//
// A student has VGG's shape, so that everything that runs a VGG network runs it too: levels of 3 x
// 3 convolutions with their ReLUs, a pooling behind each level but the last. How many convolutions
// a level has and of how many channels is not fixed: that, and the taps (imitation.h), comes with
// its weights, out of one file.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/imitation.h"
#include "network/vgg.h"

namespace limn {

// What students are called, whatever their widths, in recipes and in files.
inline constexpr std::string_view kBuiltinName = "builtin";

// Throws Error (usage) unless recipes may ask for a network of this name: one of the VGGs'
// (network_named) or "builtin".
void check_network_name(std::string_view name);

inline constexpr int kStudentLevels = 5;
inline constexpr int kMostStudentConvolutions = 8;  // in a level
inline constexpr int kMostStudentWidth = 512;       // channels

// The channels of the convolutions of each level, from the top: {{16, 16}, {32, 32}, ...}.
using StudentWidths = std::vector<std::vector<int>>;

// The rows of a student, from conv1_1 to the last convolution. Widths must be within the limits
// above and multiples of 16.
std::vector<Row> student_rows(const StudentWidths& widths);

// The other way: the widths of rows that student_rows made.
StudentWidths widths_of(std::span<const Row> rows);

// Where a student comes from, in words; for people.
struct Provenance {
  std::string imitates;     // "VGG-19"
  std::string training;     // JSON
  std::string attribution;  // whose work went into it
  std::string license;
};

struct Student {
  std::vector<Row> rows;
  std::vector<Imitation> imitations;
  Provenance provenance;
  NetworkTable table;  // of these rows and imitations, for as long as the student lives
};

// Every imitation must be of a row that is a convolution, each of another one.
std::shared_ptr<const Student> make_student(std::vector<Row> rows,
                                            std::vector<Imitation> imitations,
                                            Provenance provenance = {});

}  // namespace limn
