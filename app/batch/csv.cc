#include "batch/csv.h"

#include <algorithm>

#include "base/error.h"

namespace limn {
namespace {

std::string trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t") - first + 1));
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& source) : text_(text), source_(source) {
    constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    const size_t found = text_.find_first_of(",;\t\n", at_);
    if (found != text_.npos && text_[found] != '\n') separator_ = text_[found];
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row = this->row();
      const bool empty = row.cells.size() == 1 && row.cells.front().empty();
      if (empty) continue;
      if (!rows.empty() && row.cells.size() != rows.front().cells.size()) {
        fail(ErrorKind::usage, "{}, line {}: has {} cells, but the first line has {}", source_,
             row.line, row.cells.size(), rows.front().cells.size());
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  CsvRow row() {
    CsvRow row = {line_, {}};
    do {
      row.cells.push_back(cell());
    } while (take(separator_));
    take('\r');
    take('\n');
    ++line_;
    return row;
  }

  // Leaves off in front of a separator or the end of the line.
  std::string cell() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (take('"')) return quoted();
    const size_t end =
        std::min(text_.find_first_of(std::string{separator_, '\n'}, at_), text_.size());
    std::string_view found = text_.substr(at_, end - at_);
    const bool at_line_end = end == text_.size() || text_[end] == '\n';
    if (at_line_end && found.ends_with('\r')) found.remove_suffix(1);
    at_ += found.size();
    return trimmed(found);
  }

  std::string quoted() {
    std::string cell;
    const int begun = line_;
    for (;;) {
      if (at_ == text_.size()) {
        fail(ErrorKind::usage, "{}, line {}: a quotation mark is not closed", source_, begun);
      }
      const char c = text_[at_++];
      if (c == '"' && !take('"')) break;
      line_ += c == '\n' ? 1 : 0;
      cell += c;
    }
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    const bool ends =
        at_ == text_.size() || text_[at_] == separator_ || text_[at_] == '\r' || text_[at_] == '\n';
    if (!ends) {
      fail(ErrorKind::usage,
           "{}, line {}: something follows a closing quotation mark; write \"\" for one inside",
           source_, line_);
    }
    return cell;
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  const std::string_view text_;
  const std::string& source_;
  char separator_ = ',';
  size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& source) {
  if (text.find('\0') != text.npos) {
    fail(ErrorKind::usage, "{}: is not text; save the table as CSV, in UTF-8", source);
  }
  return CsvReader(text, source).rows();
}

}  // namespace limn
