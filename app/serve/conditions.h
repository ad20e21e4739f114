// The fields of a request that ask for a part of something, or for it only if it has changed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace limn {

// Bytes `first` up to and including `last`.
struct ByteRange {
  std::uint64_t first = 0, last = 0;
  std::uint64_t bytes() const { return last - first + 1; }
  bool operator==(const ByteRange&) const = default;
};

// What a Range field asks for of something this large. `none`: all of it, as for a field that is
// not understood or names several ranges, which a server may ignore (RFC 9110, 14.2).
struct RangeAsked {
  enum class Kind { none, part, outside };
  Kind kind = Kind::none;
  ByteRange range;
};
RangeAsked parse_range(std::string_view field, std::uint64_t size);

// Whether one of the entity tags of an If-None-Match or If-Range field is this one, quotes
// included; "*" is any. `weak`: whether W/"x" is the same as "x".
bool names_tag(std::string_view field, std::string_view tag, bool weak);

// Whether an Accept-Encoding field names gzip, and not with a weight of nothing.
bool takes_gzip(std::string_view field);

// A revision, as Last-Event-ID has it; nothing if it is none.
std::optional<std::int64_t> parse_revision(std::string_view field);

}  // namespace limn
