#include "serve/problem.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/error.h"

namespace limn {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 30> kTitles = {{
    {200, "OK"},
    {201, "Created"},
    {204, "No Content"},
    {206, "Partial Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
}};

ErrorKind kind_of(int status) { return status >= 500 ? ErrorKind::resources : ErrorKind::usage; }

}  // namespace

Problem::Problem(int status, const std::string& detail, std::string pointer)
    : Error(kind_of(status), detail), status_(status), pointer_(std::move(pointer)) {}

std::string_view title_of(int status) {
  const auto* const found =
      std::ranges::find(kTitles, status, &std::pair<int, std::string_view>::first);
  return found == kTitles.end() ? "Unknown" : found->second;
}

std::string problem_json(int status, std::string_view detail, std::string_view pointer) {
  nlohmann::ordered_json json = {
      {"type", "about:blank"}, {"title", title_of(status)}, {"status", status}, {"detail", detail}};
  if (!pointer.empty()) json["pointer"] = pointer;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string shown(std::string_view text) { return printable(text); }

}  // namespace limn
