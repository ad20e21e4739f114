// Forms with files, as browsers and curl send them: multipart/form-data (RFC 7578). Read as they
// arrive, a piece of any length at a time, and never held: what a part contains goes on at once.
//
//   --BOUNDARY CRLF
//   Content-Disposition: form-data; name="photo"; filename="cat.jpg" CRLF
//   Content-Type: image/jpeg CRLF
//   CRLF
//   the part's bytes CRLF
//   --BOUNDARY-- CRLF
//
// Strict, because two readers that understand the same bytes differently are what attacks are made
// of: no preamble, no epilogue but a line end, no nested forms, no transfer encodings.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace limn {

// The boundary that a Content-Type names. Throws Problem (415): not multipart/form-data; (400): no
// boundary, or one that is longer than 70 characters or has others than RFC 2046 allows.
std::string boundary_of(std::string_view content_type);

// A name from a client as it may be shown: the last part of a path, printable UTF-8, at most 200
// bytes. Never opened.
std::string display_name(std::string_view name);

class MultipartReader {
 public:
  struct Part {
    std::string name;      // of the form's field
    std::string filename;  // as it may be shown; "" if it has none
    bool is_file = false;  // it has a filename, even an empty one
  };
  struct Consumer {
    std::function<void(const Part&)> begin;
    std::function<void(std::span<const std::byte>)> bytes;
    std::function<void()> end;
  };

  static constexpr size_t kMostParts = 100;
  static constexpr size_t kLongestHeader = 4096;  // of a part, all lines

  MultipartReader(const std::string& boundary, Consumer consumer);

  // The next bytes. Throws Problem (400), after which the reader must not be used.
  void take(std::span<const std::byte> bytes);
  // There are no more. Throws Problem (400) if the form is not complete.
  void finish() const;

 private:
  enum class Place { first, header, body, after_delimiter, epilogue };

  bool step();  // false: needs more bytes
  bool read_header();
  bool read_body();
  bool read_after_delimiter();
  void give(size_t count);

  std::string delimiter_;  // CRLF--BOUNDARY
  Consumer consumer_;
  std::string pending_;  // bytes not yet understood: at most a header, or a piece and a delimiter
  size_t at_ = 0;        // of pending_, that are done with
  Place place_ = Place::first;
  size_t parts_ = 0;
};

}  // namespace limn
