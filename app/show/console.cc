#include "show/console.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"

namespace limn {
namespace {

bool json_is_spoken = false;

}  // namespace

void say(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

void speak_json() { json_is_spoken = true; }
bool speaks_json() { return json_is_spoken; }

void say_object(const nlohmann::ordered_json& object) {
  // Names of files may contain any bytes.
  say(object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void warn(const std::string& what) {
  if (json_is_spoken) return say_object({{"event", "warning"}, {"message", what}});
  say("limn: " + what + "\n");
}

void say_failure(const std::string& what, int exit_code) {
  if (!json_is_spoken) return say("limn: " + what + "\n");
  say_object({{"event", "error"}, {"message", what}, {"exit_code", exit_code}});
}

void print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) == EOF) {
    fail(ErrorKind::file, "cannot write to standard output: {}", std::strerror(errno));
  }
}

}  // namespace limn
