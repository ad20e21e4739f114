// Tables as text: comma-separated values (RFC 4180), as spreadsheets write them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace limn {

struct CsvRow {
  int line = 1;  // where it begins
  std::vector<std::string> cells;
};

// The rows that are not empty, all with as many cells as the first. Cells are separated by the one
// of comma, semicolon and tab that comes first in the text; blanks around those without quotes do
// not count, and a byte order mark at the beginning does not either. Throws Error (usage), naming
// `source` and the line.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& source);

}  // namespace limn
