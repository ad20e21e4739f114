#include "batch/csv.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace limn {
namespace {

using Cells = std::vector<std::string>;

std::vector<Cells> cells_of(std::string_view text) {
  std::vector<Cells> cells;
  for (CsvRow& row : parse_csv(text, "list.csv")) cells.push_back(std::move(row.cells));
  return cells;
}

TEST(Csv, ReadsCellsOfLines) {
  const std::vector<Cells> expected = {{"a", "b"}, {"1", ""}, {"", "2"}};
  EXPECT_EQ(cells_of("a,b\n1,\n,2"), expected);
  EXPECT_EQ(cells_of("a,b\r\n1,\r\n,2\r\n"), expected);
  EXPECT_EQ(cells_of("\xef\xbb\xbf a , b\n1,\n\n , 2 \n\n"), expected);
  EXPECT_EQ(cells_of("a;b\n1;\n;2"), expected);
  EXPECT_EQ(cells_of("a\tb\n1\t\n\t2"), expected);
  EXPECT_TRUE(cells_of("").empty());
  EXPECT_TRUE(cells_of("\n\r\n").empty());
}

TEST(Csv, ReadsQuotedCells) {
  EXPECT_EQ(cells_of("a,b\n\"1, one\",\"said \"\"2\"\"\"\n"),
            (std::vector<Cells>{{"a", "b"}, {"1, one", "said \"2\""}}));
  EXPECT_EQ(cells_of("a\n\" x \"\n\"two\nlines\""),
            (std::vector<Cells>{{"a"}, {" x "}, {"two\nlines"}}));
  EXPECT_EQ(cells_of("a,b\n \"1\" , \"\"\n"), (std::vector<Cells>{{"a", "b"}, {"1", ""}}));
  // Quotation marks within a cell are themselves.
  EXPECT_EQ(cells_of("a,b\n1\"x\",2"), (std::vector<Cells>{{"a", "b"}, {"1\"x\"", "2"}}));
}

TEST(Csv, CountsLines) {
  const std::vector<CsvRow> rows = parse_csv("a\n\n\"1\n2\"\n3", "list.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].line, 1);
  EXPECT_EQ(rows[1].line, 3);
  EXPECT_EQ(rows[2].line, 5);
}

TEST(Csv, RefusesWhatIsNoTable) {
  const auto refuses = [](std::string_view text, const std::string& why) {
    EXPECT_TRUE(says(error_of([&] { parse_csv(text, "list.csv"); }), ErrorKind::usage, why));
  };
  refuses("a,b\n1", "list.csv, line 2: has 1 cells, but the first line has 2");
  refuses("a\n\"1\n", "line 2: a quotation mark is not closed");
  refuses("a\n\"1\"2", "line 2: something follows a closing quotation mark");
  refuses(std::string_view("a\0b", 3), "is not text");
}

}  // namespace
}  // namespace limn
