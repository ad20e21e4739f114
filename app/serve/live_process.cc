#include "serve/live_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "serve/problem.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kAddresses = 0;  // sanitizers reserve terabytes
#else
constexpr double kAddresses = 8e9;  // bytes: what it takes, and what libraries reserve
#endif
constexpr double kMostWritten = 2e9;  // bytes of a temporary file, as a decoder may need
constexpr std::size_t kMostSaid = 600;

// Empty: what a painter before it has left is nobody's.
std::string scratch_folder(const Files& files, int number) {
  const fs::path folder = fs::absolute(files.folder()) / "live" / std::to_string(number);
  std::error_code error;
  fs::remove_all(folder, error);
  fs::create_directories(folder, error);
  if (error) {
    fail(ErrorKind::resources, "cannot make the folder '{}': {}", folder.string(), error.message());
  }
  return folder.string();
}

ProcessRequest request_of(const std::string& program, const std::string& files,
                          const std::string& folder) {
  ProcessRequest request;
  request.command = {program, "serve", "live", files};
  request.folder = request.temporary = folder;
  request.niceness = 1;
  request.listens = true;
  request.limits.address_space = kAddresses;
  request.limits.file_size = kMostWritten;
  request.limits.readable = readable_by_painters(program);
  request.limits.readable.push_back(files);
  request.limits.writable = {folder, "/dev/null"};
  return request;
}

// What may have come from a hostile picture, made harmless.
std::string as_sentence(std::string text) {
  text.resize(std::min<size_t>(text.size(), kMostSaid));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text.empty() ? "it was not painted" : text;
}

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (size_t at = 0; (at = text.find(what, at)) != text.npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

LiveProcess::LiveProcess(const std::string& program, const Files& files, int number)
    : files_(fs::absolute(fs::path(files.folder()) / "files").string()),
      process_(request_of(program, files_, scratch_folder(files, number))) {}

bool LiveProcess::wait(double seconds, int wake) {
  const auto keep_words = [this](const std::string& line) { said_ = shown(line); };
  const bool goes_on = process_.wait(seconds, keep_words, wake);
  try {
    reader_.add(process_.take_output());
    while (std::optional<LiveMessage> message = reader_.next()) take(*message);
  } catch (const Error&) {
    talks_nonsense_ = true;
    reader_ = {};
    process_.kill();
  }
  return goes_on;
}

void LiveProcess::take(LiveMessage& message) {
  if (message.kind == LiveKind::ready) {
    ready_ = true;
    return;
  }
  const bool is_of_painting = painting_ && message.number == painting_->number;
  if (!is_of_painting) fail(ErrorKind::file, "the painter speaks of what it does not paint");
  LiveReply& reply = *painting_->reply;
  switch (message.kind) {
    case LiveKind::frame: {
      const LiveFigures figures = parse_live_figures(message.head);
      if (!message.body.starts_with("\xff\xd8\xff")) {
        fail(ErrorKind::file, "the painter shows what is no JPEG");
      }
      reply.show(figures, std::move(message.body));
      return;
    }
    case LiveKind::finished:
      reply.finish(parse_live_figures(message.head));
      break;
    case LiveKind::failed:
      take_failure(message.head);
      break;
    default:
      fail(ErrorKind::file, "the painter says what only a server says");
  }
  painting_.reset();
}

// The kind of error, then the message, as a client may see it.
void LiveProcess::take_failure(const std::string& head) {
  std::string text = head.substr(std::min<size_t>(1, head.size()));
  for (const auto& [path, name] : painting_->names) replace_all(text, path, name);
  replace_all(text, files_ + "/", "");
  painting_->reply->fail(Problem(422, as_sentence(text)));
}

void LiveProcess::begin(std::uint32_t number, const LiveJob& job,
                        std::shared_ptr<LiveReply> reply) {
  painting_ = Painting();
  painting_->number = number;
  painting_->reply = std::move(reply);
  for (const JobInput& input : job.request.inputs) {
    if (!input.file.empty()) painting_->names.emplace_back(files_ + "/" + input.file, input.name);
  }
  if (!process_.say(to_bytes({LiveKind::paint, number, to_text(job), ""}))) process_.kill();
}

void LiveProcess::stop() {
  painting_->stopped.emplace();
  if (!process_.say(to_bytes({LiveKind::stop, painting_->number}))) process_.kill();
}

std::string LiveProcess::how_it_ended() const {
  if (talks_nonsense_) return "it said what no painter says";
  const PaintingProcess::End end = process_.end();
  std::string how = end.signal != 0 ? fmt::format("it died of signal {}", end.signal)
                                    : fmt::format("it ended with code {}", end.exit_code);
  if (!said_.empty()) how += fmt::format(": {}", said_.substr(0, kMostSaid));
  return how;
}

}  // namespace limn
