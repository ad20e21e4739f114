#include "models/fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "show/interrupt.h"
#include "show/progress.h"

namespace limn {
namespace {

constexpr long kMostRedirects = 10;
constexpr long kConnectSeconds = 30;
constexpr long kSlowBytesPerSecond = 1000;  // slower than this
constexpr long kSlowSeconds = 30;           // for this long counts as a lost connection
// A server that never stops sending must not fill the disk: no VGG has more than 600 MB.
constexpr std::uint64_t kMostBytes = 4'000'000'000;

// ---------------------------------------------------------------------------- the partial file --

// What has arrived so far. Only one process at a time has it open.
class PartialFile {
 public:
  explicit PartialFile(const std::string& path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }

  // Both return 0 or an errno.
  int append(std::string_view bytes);
  int clear();

  void remove() { unlink(path_.c_str()); }
  // Lets others open it: HDF5 also locks the files that it reads.
  void unlock() { flock(file_, LOCK_UN); }

 private:
  std::string path_;
  int file_ = -1;
  std::uint64_t bytes_ = 0;
};

PartialFile::PartialFile(const std::string& path) : path_(path) {
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
  if (file_ < 0) fail(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(errno));
  const bool locked = flock(file_, LOCK_EX | LOCK_NB) == 0;
  struct stat opened = {};
  struct stat named = {};
  const bool regular = fstat(file_, &opened) == 0 && S_ISREG(opened.st_mode);
  // The process that had the lock may just have given the file its final name.
  const bool same = stat(path.c_str(), &named) == 0 && named.st_ino == opened.st_ino;
  if (!locked || !regular || !same) {
    close(file_);
    if (!regular) fail(ErrorKind::file, "cannot write '{}': it is not a regular file", path);
    fail(ErrorKind::file, "another limn process is already fetching '{}'", path);
  }
  bytes_ = static_cast<std::uint64_t>(opened.st_size);
}

PartialFile::~PartialFile() {
  if (bytes_ == 0) remove();
  close(file_);
}

int PartialFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

int PartialFile::clear() {
  if (ftruncate(file_, 0) != 0) return errno;
  bytes_ = 0;
  return 0;
}

// -------------------------------------------------------------------------------- the transfer --

using CurlHandle = std::unique_ptr<CURL, void (*)(CURL*)>;

// The state of one request, for its callbacks. They are called from C and must not throw: they
// record what went wrong in `problem` and end the request.
struct Transfer {
  const FetchRequest& request;
  PartialFile& file;
  DownloadDisplay& progress;
  CURL* curl;
  std::uint64_t kept = 0;   // bytes from an earlier attempt that still count
  bool begun = false;       // the first bytes of the response have arrived
  std::uint64_t total = 0;  // of the file, once it is known
  std::string problem = {};
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
};

std::string keeps_text(const PartialFile& file) {
  if (file.bytes() == 0) return "nothing had arrived yet";
  return fmt::format("{} kept; run the same command to resume", bytes_text(file.bytes()));
}

long response_code(CURL* curl) {
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

// Where the part of the file in the response begins: "Content-Range: bytes 100-199/200".
std::optional<std::uint64_t> range_begin(CURL* curl) {
  curl_header* header = nullptr;
  if (curl_easy_header(curl, "Content-Range", 0, CURLH_HEADER, -1, &header) != CURLHE_OK) return {};
  std::string_view text = header->value;
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return {};
  text.remove_prefix(kUnit.size());
  std::uint64_t begin = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), begin);
  if (error != std::errc() || end == text.data() + text.size() || *end != '-') return {};
  return begin;
}

// Checks the response before any of it is kept; false if it must not be.
bool begin_answer(Transfer& transfer) {
  transfer.begun = true;
  const FetchRequest& request = transfer.request;
  const long code = response_code(transfer.curl);
  curl_off_t length = -1;
  curl_easy_getinfo(transfer.curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  const std::uint64_t begin = code == 206 ? transfer.kept : 0;
  if (code != 200 && code != 206) {
    transfer.problem = fmt::format("cannot fetch '{}': the server answered HTTP {} without a file",
                                   request.url, code);
  } else if (code == 206 && range_begin(transfer.curl) != begin) {
    transfer.problem = fmt::format(
        "cannot fetch '{}': the server sent a different part of the file than "
        "requested; remove '{}' and try again",
        request.url, transfer.file.path());
  } else if (request.bytes > 0 && length >= 0 &&
             begin + static_cast<std::uint64_t>(length) != request.bytes) {
    transfer.problem = fmt::format(
        "cannot fetch '{}': the file should have {} bytes, but the server offers {} (perhaps a web "
        "page, or a network's login page); nothing was kept",
        request.url, request.bytes, begin + static_cast<std::uint64_t>(length));
  } else {
    transfer.kept = begin;
    transfer.total = request.bytes > 0 ? request.bytes
                     : length >= 0     ? begin + static_cast<std::uint64_t>(length)
                                       : 0;
    const int error = begin == transfer.file.bytes() ? 0 : transfer.file.clear();
    if (error != 0) {
      transfer.problem =
          fmt::format("cannot write '{}': {}", transfer.file.path(), std::strerror(error));
    }
  }
  return transfer.problem.empty();
}

size_t receive(char* data, size_t size, size_t count, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  if (!transfer.begun && !begin_answer(transfer)) return CURL_WRITEFUNC_ERROR;
  const std::string_view bytes(data, size * count);
  const std::uint64_t most = transfer.request.bytes > 0 ? transfer.request.bytes : kMostBytes;
  if (transfer.file.bytes() + bytes.size() > most) {
    transfer.problem = fmt::format("cannot fetch '{}': the server sent more than the {} bytes {}",
                                   transfer.request.url, most,
                                   transfer.request.bytes > 0 ? "that the file has" : "allowed");
    transfer.file.remove();
    return CURL_WRITEFUNC_ERROR;
  }
  if (const int error = transfer.file.append(bytes); error != 0) {
    transfer.problem = fmt::format("cannot write '{}': {}; {}", transfer.file.path(),
                                   std::strerror(error), keeps_text(transfer.file));
    return CURL_WRITEFUNC_ERROR;
  }
  return bytes.size();
}

// Called about every second, even if nothing arrives.
int look_up(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - transfer.start;
  if (transfer.begun && transfer.problem.empty()) {
    transfer.progress.show(transfer.file.bytes(), transfer.total, transfer.kept, seconds.count());
  }
  return interrupted() ? 1 : 0;
}

void set_options(CURL* curl, Transfer& transfer, char* message) {
  const std::string& url = transfer.request.url;
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, fmt::format("limn/{}", version()).c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMostRedirects);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
  // A redirect may not lead from https to http, nor to a file of this machine.
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR,
                   url.starts_with("https:") ? "https" : "https,http");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowBytesPerSecond);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
  if (transfer.kept > 0) {
    curl_easy_setopt(curl, CURLOPT_RANGE, fmt::format("{}-", transfer.kept).c_str());
  }
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

// Throws the Error for a request that ended without the file.
[[noreturn]] void fail_for(CURLcode code, const Transfer& transfer, const char* message) {
  const std::string& url = transfer.request.url;
  const std::string cause = *message != '\0' ? message : curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      fail(ErrorKind::file,
           "cannot fetch '{}': {}; without a network, download it on another machine and put it "
           "here: {}",
           url, cause, transfer.request.path);
    case CURLE_HTTP_RETURNED_ERROR:
      fail(ErrorKind::file,
           "cannot fetch '{}': the server answered HTTP {}; if the file has moved, give its new "
           "address with --from URL",
           url, response_code(transfer.curl));
    case CURLE_UNSUPPORTED_PROTOCOL:
      fail(ErrorKind::file,
           "cannot fetch '{}': the server redirects to an address that is neither https nor, for "
           "an http address, http ({})",
           url, cause);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_HTTP2_STREAM:
    case CURLE_HTTP2:
      fail(ErrorKind::file, "the connection to '{}' closed too early ({}); {}", url, cause,
           keeps_text(transfer.file));
    default:
      fail(ErrorKind::file, "cannot fetch '{}': {}", url, cause);
  }
}

enum class TransferOutcome { whole, resumed, interrupted };

// Requests what is missing. If the server has no more, the digest decides whether what is here is
// the file.
TransferOutcome request_rest(const FetchRequest& request, PartialFile& file,
                             DownloadDisplay& progress) {
  const CurlHandle curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) throw std::bad_alloc();
  Transfer transfer{.request = request, .file = file, .progress = progress, .curl = curl.get()};
  transfer.kept = file.bytes();
  std::array<char, CURL_ERROR_SIZE> message = {};
  set_options(curl.get(), transfer, message.data());
  CURLcode code = curl_easy_perform(curl.get());
  if (interrupted()) return TransferOutcome::interrupted;
  constexpr long kNoSuchRange = 416;
  if (file.bytes() > 0 && !transfer.begun && response_code(curl.get()) == kNoSuchRange) {
    return TransferOutcome::resumed;
  }
  if (code == CURLE_OK && !transfer.begun) begin_answer(transfer);  // an empty response
  if (!transfer.problem.empty()) throw Error(ErrorKind::file, transfer.problem);
  if (code != CURLE_OK) fail_for(code, transfer, message.data());
  return transfer.kept > 0 ? TransferOutcome::resumed : TransferOutcome::whole;
}

// --------------------------------------------------------------------------------- the whole --

void clear(PartialFile& file) {
  if (const int error = file.clear(); error != 0)
    fail(ErrorKind::file, "cannot write '{}': {}", file.path(), std::strerror(error));
}

TransferOutcome request_file(const FetchRequest& request, PartialFile& file,
                             DownloadDisplay& progress) {
  if (request.bytes > 0 && file.bytes() == request.bytes) return TransferOutcome::resumed;
  if (request.bytes > 0 && file.bytes() > request.bytes) clear(file);
  progress.note(file.bytes() == 0 ? fmt::format("fetching {}", request.url)
                                  : fmt::format("fetching the rest of {}: {} are already here",
                                                request.url, bytes_text(file.bytes())));
  const TransferOutcome outcome = request_rest(request, file, progress);
  progress.finish();
  return outcome;
}

// What a wrong file looks like, for a message: "" or " (it looks like a web page)".
std::string looks_like(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string head(64, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(file.gcount()));
  const size_t first = head.find_first_not_of(" \t\r\n");
  return first != std::string::npos && head[first] == '<' ? " (it looks like a web page)" : "";
}

[[noreturn]] void fail_for_digest(const FetchRequest& request, const std::string& path,
                                  const std::string& digest) {
  fail(ErrorKind::file,
       "'{}' did not send the requested file{}: its {} is {}, not {}; it was removed", request.url,
       looks_like(path), request.digest_kind == DigestKind::md5 ? "MD5" : "SHA-256", digest,
       request.digest);
}

}  // namespace

std::string partial_path(const std::string& path) { return path + ".part"; }

FetchOutcome fetch(const FetchRequest& request, bool quiet) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  DownloadDisplay progress(suitable_progress_style(quiet));
  PartialFile file(partial_path(request.path));
  const auto digest = [&] { return digest_of_file(file.path(), request.digest_kind); };
  TransferOutcome outcome = request_file(request, file, progress);
  if (outcome == TransferOutcome::resumed && digest() != request.digest) {
    // The earlier bytes may be from another file.
    progress.note("the existing part does not match; starting over");
    clear(file);
    outcome = request_file(request, file, progress);
  }
  if (outcome == TransferOutcome::interrupted) {
    progress.note("interrupted; " + keeps_text(file));
    return FetchOutcome::interrupted;
  }
  try {
    if (const std::string found = digest(); found != request.digest)
      fail_for_digest(request, file.path(), found);
    file.unlock();
    if (request.check) request.check(file.path());
  } catch (...) {
    file.remove();
    throw;
  }
  rename_synced(file.path(), request.path);
  return FetchOutcome::fetched;
}

}  // namespace limn
