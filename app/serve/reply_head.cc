#include "serve/reply_head.h"

#include <fmt/format.h>

#include <ctime>
#include <string_view>

#include "serve/problem.h"

namespace limn {
namespace {

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                     parts.tm_sec);
}

constexpr std::string_view kGuards =
    "Content-Security-Policy: default-src 'none'; img-src 'self' blob:; connect-src 'self'; "
    "script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n";

}  // namespace

bool may_have_body(const Reply& reply) { return reply.status != 204 && reply.status != 304; }

std::uint64_t length_of(const Reply& reply) {
  return reply.file ? reply.file->bytes : reply.body.size();
}

std::string head_of(const Reply& reply, bool keep_alive) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", reply.status,
                                 title_of(reply.status), date_now());
  bool cached = false;
  for (const auto& [name, value] : reply.fields) {
    text += fmt::format("{}: {}\r\n", name, value);
    cached = cached || name == "Cache-Control";
  }
  if (!cached) text += "Cache-Control: no-store\r\n";
  if (!reply.type.empty()) text += fmt::format("Content-Type: {}\r\n", reply.type);
  if (reply.parts) {
    text += "Transfer-Encoding: chunked\r\n";
  } else if (may_have_body(reply) && !reply.events) {
    text += fmt::format("Content-Length: {}\r\n", length_of(reply));
  }
  if (!keep_alive) text += "Connection: close\r\n";
  text += kGuards;
  return text + "\r\n";
}

}  // namespace limn
