#include "serve/access.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/file.h"
#include "base/lower_case.h"
#include "base/random_digits.h"
#include "base/temporary_file.h"
#include "serve/problem.h"

namespace limn {
namespace {

constexpr size_t kTokenBytes = 24;     // 192 bits
constexpr size_t kShortestToken = 24;  // characters, of one that somebody has written there
constexpr size_t kLongestToken = 200;

// Written beside and linked, so that of two servers that start at once both have the same.
void write_token(const std::string& path) {
  std::string beside = path + ".XXXXXX";
  const Descriptor file(mkostemp(beside.data(), O_CLOEXEC));  // mode 0600
  if (file.number() < 0) {
    fail(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(errno));
  }
  const std::string text = random_digits(kTokenBytes) + "\n";
  int error = write_all(file.number(), std::as_bytes(std::span(text)));
  if (error == 0 && fsync(file.number()) != 0) error = errno;
  if (error == 0 && link(beside.c_str(), path.c_str()) != 0 && errno != EEXIST) error = errno;
  unlink(beside.c_str());
  if (error != 0) fail(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(error));
}

bool is_token_text(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' ||
         c == '~';
}

}  // namespace

std::string token_file(const std::string& folder) { return folder + "/token"; }

std::string token_in(const std::string& folder) {
  const std::string path = token_file(folder);
  if (is_missing(path)) write_token(path);
  struct stat about = {};
  if (lstat(path.c_str(), &about) != 0) {
    fail(ErrorKind::file, "cannot read '{}': {}", path, std::strerror(errno));
  }
  if (!S_ISREG(about.st_mode) || (about.st_mode & 077) != 0) {
    fail(ErrorKind::file,
         "'{}' holds the server's token, and others may read it; chmod 600 it, or "
         "remove it to have another one drawn",
         path);
  }
  std::string token = read_text(path, "token", 1000);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (token.size() < kShortestToken || token.size() > kLongestToken ||
      !std::ranges::all_of(token, is_token_text)) {
    fail(ErrorKind::file,
         "'{}' does not hold a token: {} to {} letters, digits, '-', '_', '.' or "
         "'~'; remove it to have another one drawn",
         path, kShortestToken, kLongestToken);
  }
  return token;
}

std::string host_name(std::string_view host) {
  size_t end = 0;
  if (host.starts_with('[')) {
    end = host.find(']');
    if (end == std::string_view::npos) return "";
    ++end;
  } else {
    end = std::min(host.find(':'), host.size());
  }
  const std::string_view port = host.substr(end);
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (!port.empty() &&
      (port.front() != ':' || port.size() > 6 || !std::ranges::all_of(port.substr(1), is_digit))) {
    return "";
  }
  return lower_case(host.substr(0, end));
}

Access::Access(std::string token, std::vector<std::string> hosts)
    : token_(std::move(token)), hosts_(std::move(hosts)) {
  for (std::string& host : hosts_) host = lower_case(host);
}

void Access::set_port(int port) { cookie_name_ = fmt::format("limn-token-{}", port); }

void Access::check_source(const Request& request) const {
  const std::string* host = request.field("host");
  if (host == nullptr) throw Problem(400, "the request has no Host");
  const std::string name = host_name(*host);
  if (name.empty() || std::ranges::find(hosts_, name) == hosts_.end()) {
    throw Problem(403, fmt::format("this server does not go by the name '{}'; limn serve "
                                   "--allow-host adds one",
                                   shown(*host)));
  }
  if (const std::string* origin = request.field("origin")) {
    const std::string own = lower_case(*host), given = lower_case(*origin);
    if (given != "http://" + own && given != "https://" + own) {
      throw Problem(403, fmt::format("requests from pages of '{}' are refused", shown(*origin)));
    }
  }
  const std::string* site = request.field("sec-fetch-site");
  if (site != nullptr && (*site == "cross-site" || *site == "same-site") &&
      request.method != "GET" && request.method != "HEAD") {
    throw Problem(403, "requests from pages of other servers are refused");
  }
}

bool Access::is_token(std::string_view text) const {
  // The length is no secret: it is that of every token that limn draws.
  if (text.size() != token_.size()) return false;
  unsigned char different = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const volatile auto bits = static_cast<unsigned char>(text[i] ^ token_[i]);
    different = static_cast<unsigned char>(different | bits);
  }
  return different == 0;
}

bool Access::has_token(const Request& request) const {
  if (const std::string* given = request.field("authorization")) {
    constexpr std::string_view kScheme = "bearer ";
    if (given->size() > kScheme.size() &&
        lower_case(std::string_view(*given).substr(0, kScheme.size())) == kScheme) {
      return is_token(std::string_view(*given).substr(kScheme.size()));
    }
    return false;
  }
  for (const auto& [name, value] : request.fields) {
    if (name != "cookie") continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view item = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), item.size() + 1));
      while (item.starts_with(' ')) item.remove_prefix(1);
      if (item.size() > cookie_name_.size() && item.starts_with(cookie_name_) &&
          item[cookie_name_.size()] == '=' && is_token(item.substr(cookie_name_.size() + 1))) {
        return true;
      }
    }
  }
  return false;
}

std::string Access::cookie() const {
  constexpr int kSeconds = 30 * 24 * 3600;
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Strict", cookie_name_, token_,
                     kSeconds);
}

}  // namespace limn
