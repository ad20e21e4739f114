#include "commands/data_folder.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"

namespace limn {
namespace {

constexpr size_t kLongestAddress = 1000;

std::string absolute_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value == '/' ? value : "";
}

}  // namespace

std::string address_file(const std::string& folder) { return folder + "/address"; }

std::string kept_address(const std::string& folder) {
  const std::string file = address_file(folder);
  if (is_missing(file)) return "";
  std::string address = read_text(file, "address", kLongestAddress);
  address.erase(address.find_last_not_of("\r\n") + 1);
  return address;
}

KeptAddress::KeptAddress(const std::string& folder, const std::string& address)
    : file_(address_file(folder)), text_(address + "\n") {
  replace_file(file_, text_);
}

KeptAddress::~KeptAddress() {
  try {
    if (read_text(file_, "address", kLongestAddress) == text_) std::remove(file_.c_str());
  } catch (const Error&) {
    // It is gone, or something else by now.
  }
}

std::string data_folder(const std::string& given) {
  if (!given.empty()) return std::filesystem::absolute(given).string();
  const std::string state = absolute_variable("XDG_STATE_HOME");
  if (!state.empty()) return state + "/limn";
  const std::string home = absolute_variable("HOME");
  if (home.empty()) {
    fail(ErrorKind::usage,
         "--data: neither XDG_STATE_HOME nor HOME is set to an absolute path; say where jobs are "
         "to be kept");
  }
  return home + "/.local/state/limn";
}

}  // namespace limn
