#include "serve/pages.h"

#include <algorithm>
#include <array>
#include <utility>

#include "serve/conditions.h"
#include "serve/file_reply.h"
#include "serve/problem.h"

namespace limn {

namespace {

const PageFile& file_named(std::string_view name) {
  const std::span<const PageFile> files = page_files();
  const auto found = std::ranges::find(files, name, &PageFile::name);
  if (found == files.end()) throw Problem(404, "the page has no such file");
  return *found;
}

std::string_view type_of_page_file(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kTypes = {{
      {".html", kPageType},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (name.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

}  // namespace

Reply page_reply(const Request& request, std::string_view name) {
  const PageFile& file = file_named(name);
  const bool packed = takes_gzip(request.field_or_empty("accept-encoding"));
  Reply reply = text_reply(request, std::string(type_of_page_file(name)),
                           std::string(packed ? file.packed : file.text));
  reply.fields.emplace_back("Vary", "Accept-Encoding");
  if (packed && reply.status == 200) reply.fields.emplace_back("Content-Encoding", "gzip");
  return reply;
}

std::string locked_page() { return std::string(file_named("locked.html").text); }

}  // namespace limn
