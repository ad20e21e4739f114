#include "network/student.h"

#include <fmt/ranges.h>

#include <array>
#include <cassert>
#include <utility>

#include "base/error.h"

namespace limn {
namespace {

// Rows hold only views of their names, so the names of all rows that a student may have are here.
using LevelIds = std::array<std::string_view, kMostStudentConvolutions>;
constexpr std::array<LevelIds, kStudentLevels> kConvolutionIds = {{
    {"1_1", "1_2", "1_3", "1_4", "1_5", "1_6", "1_7", "1_8"},
    {"2_1", "2_2", "2_3", "2_4", "2_5", "2_6", "2_7", "2_8"},
    {"3_1", "3_2", "3_3", "3_4", "3_5", "3_6", "3_7", "3_8"},
    {"4_1", "4_2", "4_3", "4_4", "4_5", "4_6", "4_7", "4_8"},
    {"5_1", "5_2", "5_3", "5_4", "5_5", "5_6", "5_7", "5_8"},
}};
constexpr std::array<std::string_view, kStudentLevels> kPoolingIds = {"1", "2", "3", "4", "5"};

// R^T R for any square R; zeros cost nothing.
Buffer<double> square_of(const Buffer<float>& R, size_t C) {
  Buffer<double> K(C * C);
  for (size_t k = 0; k < C; ++k) {
    const float* row = &R[k * C];
    for (size_t i = 0; i < C; ++i) {
      if (row[i] == 0) continue;
      for (size_t j = 0; j < C; ++j) K[i * C + j] += double{row[i]} * row[j];
    }
  }
  return K;
}

}  // namespace

void check_network_name(std::string_view name) {
  if (name == kBuiltinName || find_network(name)) return;
  const std::array<std::string, 3> known = {std::string(kBuiltinName), std::string(kVgg16.name),
                                            std::string(kVgg19.name)};
  fail(ErrorKind::usage, "there is no network '{}'{} (networks: {})", name,
       did_you_mean(name, known), fmt::join(known, ", "));
}

Imitation imitation_of(std::string layer, int row, int channels, Buffer<float> R) {
  size_t C = 0;
  while (C * C < R.size()) ++C;
  assert(C * C == R.size());
  Buffer<double> K = square_of(R, C);
  return {std::move(layer), row, channels, std::move(R), std::move(K)};
}

std::vector<Row> student_rows(const StudentWidths& widths) {
  assert(widths.size() <= kStudentLevels);
  std::vector<Row> rows;
  int channels = 3;
  for (size_t level = 0; level < widths.size(); ++level) {
    if (level > 0) rows.push_back({RowKind::pooling, kPoolingIds[level - 1], channels, channels});
    assert(widths[level].size() <= kMostStudentConvolutions);
    for (size_t i = 0; i < widths[level].size(); ++i) {
      rows.push_back({RowKind::convolution, kConvolutionIds[level][i], channels, widths[level][i]});
      channels = widths[level][i];
    }
  }
  return rows;
}

StudentWidths widths_of(std::span<const Row> rows) {
  StudentWidths widths(1);
  for (const Row& row : rows) {
    if (row.kind == RowKind::pooling) {
      widths.emplace_back();
    } else {
      widths.back().push_back(row.out);
    }
  }
  return widths;
}

std::shared_ptr<const Student> make_student(std::vector<Row> rows,
                                            std::vector<Imitation> imitations,
                                            Provenance provenance) {
  auto student = std::make_shared<Student>();
  student->rows = std::move(rows);
  student->imitations = std::move(imitations);
  student->provenance = std::move(provenance);
  student->table = {kBuiltinName, student->rows, student->imitations};
  return student;
}

}  // namespace limn
