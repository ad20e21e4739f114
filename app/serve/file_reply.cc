#include "serve/file_reply.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/digest.h"
#include "serve/conditions.h"
#include "serve/problem.h"
#include "serve/results.h"

namespace limn {
namespace {

constexpr const char* kUnknownType = "application/octet-stream";

// Letters and digits of a name, for a field of the header.
std::string plain_name(const std::string& name) {
  std::string plain;
  for (const char c : name) {
    const bool keep = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    plain += keep ? c : '_';
  }
  return plain.empty() ? "file" : plain;
}

bool is_unchanged(const Request& request, const std::string& tag) {
  const std::string* known = request.field("if-none-match");
  return known != nullptr && names_tag(*known, tag, true);
}

}  // namespace

Reply file_reply(const Request& request, const std::string& path, const std::string& type,
                 const std::string& name) {
  auto file = std::make_shared<Descriptor>(
      open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat about = {};
  if (file->number() < 0 || fstat(file->number(), &about) != 0 || !S_ISREG(about.st_mode)) {
    throw Problem(404, "this picture does not exist yet, or has been deleted");
  }
  const auto size = static_cast<std::uint64_t>(about.st_size);
  const std::string tag = tag_of(about);
  Reply reply = {.type = type};
  reply.fields = {{"ETag", tag},
                  {"Cache-Control", "private, no-cache"},
                  {"Accept-Ranges", "bytes"},
                  {"Content-Disposition",
                   fmt::format("{}; filename=\"{}\"",
                               type == kUnknownType ? "attachment" : "inline", plain_name(name))}};
  if (is_unchanged(request, tag)) {
    reply.status = 304;
    return reply;
  }
  RangeAsked asked;
  const std::string* range = request.field("range");
  const std::string* only_if = request.field("if-range");
  if (range != nullptr && (only_if == nullptr || names_tag(*only_if, tag, false))) {
    asked = parse_range(*range, size);
  }
  switch (asked.kind) {
    case RangeAsked::Kind::none:
      reply.file = {std::move(file), 0, size};
      break;
    case RangeAsked::Kind::part:
      reply.status = 206;
      reply.file = {std::move(file), asked.range.first, asked.range.bytes()};
      reply.fields.emplace_back("Content-Range", fmt::format("bytes {}-{}/{}", asked.range.first,
                                                             asked.range.last, size));
      break;
    case RangeAsked::Kind::outside:
      reply.status = 416;
      reply.type = kProblemType;
      reply.body = problem_json(416, fmt::format("the file has {} bytes", size));
      reply.fields.emplace_back("Content-Range", fmt::format("bytes */{}", size));
      break;
  }
  return reply;
}

Reply text_reply(const Request& request, const std::string& type, std::string text) {
  const std::string tag =
      fmt::format("\"{}\"", sha256_of_bytes(std::as_bytes(std::span(text))).substr(0, 16));
  Reply reply = {.type = type};
  reply.fields = {{"ETag", tag}, {"Cache-Control", "private, no-cache"}};
  if (is_unchanged(request, tag)) {
    reply.status = 304;
  } else {
    reply.body = std::move(text);
  }
  return reply;
}

std::string picture_type(const std::string& path) {
  std::array<char, 12> start = {};
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  const ssize_t got = file.number() < 0 ? 0 : read(file.number(), start.data(), start.size());
  const std::string_view head(start.data(), static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (head.starts_with("\x89PNG")) return "image/png";
  if (head.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (head.starts_with("GIF8")) return "image/gif";
  if (head.starts_with("RIFF") && head.substr(std::min<size_t>(8, head.size())) == "WEBP") {
    return "image/webp";
  }
  return kUnknownType;
}

}  // namespace limn
