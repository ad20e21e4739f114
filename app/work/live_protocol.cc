#include "work/live_protocol.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace limn {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kMagic = "LIMN";
constexpr std::size_t kHeader = 20;
constexpr int kMostIterations = 1'000'000;

void append_number(std::string& bytes, std::uint32_t number) {
  for (int shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 4; i-- > 0;) {
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return number;
}

bool is_kind(char c) {
  constexpr std::string_view kKinds = "psrfex";
  return kKinds.find(c) != kKinds.npos;
}

[[noreturn]] void fail_to_read() {
  fail(ErrorKind::file, "what the painter says is no message of its protocol");
}

}  // namespace

std::string to_bytes(const LiveMessage& message) {
  if (message.head.size() > kMostLiveHead || message.body.size() > kMostLiveBody) {
    fail(ErrorKind::usage, "a message of {} bytes is too long for a live painter",
         message.head.size() + message.body.size());
  }
  std::string bytes(kMagic);
  bytes.reserve(kHeader + message.head.size() + message.body.size());
  bytes += static_cast<char>(message.kind);
  bytes.append(3, '\0');
  append_number(bytes, static_cast<std::uint32_t>(message.head.size()));
  append_number(bytes, static_cast<std::uint32_t>(message.body.size()));
  append_number(bytes, message.number);
  return bytes + message.head + message.body;
}

std::optional<LiveMessage> LiveReader::next() {
  if (bytes_.size() < kHeader) return {};
  const std::string_view start = std::string_view(bytes_).substr(0, kHeader);
  const std::size_t head = number_at(start, 8), body = number_at(start, 12);
  const bool is_message = start.starts_with(kMagic) && is_kind(start[4]) &&
                          start.substr(5, 3) == std::string_view("\0\0\0", 3);
  if (!is_message || head > kMostLiveHead || body > kMostLiveBody) fail_to_read();
  if (bytes_.size() < kHeader + head + body) return {};
  LiveMessage message = {static_cast<LiveKind>(start[4]), number_at(start, 16),
                         bytes_.substr(kHeader, head), bytes_.substr(kHeader + head, body)};
  bytes_.erase(0, kHeader + head + body);
  return message;
}

std::string to_text(const LiveJob& job) {
  Json inputs = Json::array(), flags = Json::array();
  for (const JobInput& input : job.request.inputs) {
    inputs.push_back({input.role, input.name, input.file});
  }
  for (const auto& [name, value] : job.request.flags) flags.push_back({name, value});
  return Json{{"kind", name_of(job.request.kind)},
              {"recipe", job.request.recipe},
              {"inputs", inputs},
              {"flags", flags},
              {"size", job.size}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

LiveJob parse_live_job(const std::string& text) try {
  const Json json = Json::parse(text);
  LiveJob job;
  job.request.kind = parse_job_kind(json.at("kind").get<std::string>());
  job.request.recipe = json.at("recipe").get<std::string>();
  for (const Json& input : json.at("inputs")) {
    job.request.inputs.push_back({input.at(0).get<std::string>(), input.at(1).get<std::string>(),
                                  input.at(2).get<std::string>()});
  }
  for (const Json& flag : json.at("flags")) {
    job.request.flags.emplace_back(flag.at(0).get<std::string>(), flag.at(1).get<std::string>());
  }
  job.size = std::clamp(json.at("size").get<int>(), kLeastLiveSize, kMostLiveSize);
  return job;
} catch (const Json::exception& error) {
  fail(ErrorKind::file, "this is no job for a live painter: {}", error.what());
}

std::string to_text(const LiveFigures& figures) {
  std::string text;
  for (const int number : {figures.width, figures.height, figures.iteration, figures.iterations,
                           static_cast<int>(std::lround(figures.seconds * 1000))}) {
    append_number(text, static_cast<std::uint32_t>(number));
  }
  return text;
}

LiveFigures parse_live_figures(const std::string& text) {
  constexpr std::array<int, 5> kMost = {kMostLiveSide, kMostLiveSide, kMostIterations,
                                        kMostIterations, 3'600'000};
  std::array<int, 5> numbers = {};
  if (text.size() != 4 * numbers.size()) fail_to_read();
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint32_t number = number_at(text, 4 * i);
    if (number > static_cast<std::uint32_t>(kMost[i])) fail_to_read();
    numbers[i] = static_cast<int>(number);
  }
  const auto [width, height, iteration, iterations, milliseconds] = numbers;
  if (width < 1 || height < 1 || iteration > iterations) fail_to_read();
  return {width, height, iteration, iterations, 1e-3 * milliseconds};
}

}  // namespace limn
