#include "batch/shard.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>

#include "base/error.h"

namespace limn {

Shard parse_shard(const std::string& text) {
  constexpr std::size_t kMostShards = 1'000'000;
  Shard shard;
  const char* const end = text.data() + text.size();
  const auto number = std::from_chars(text.data(), end, shard.number);
  const bool slash = number.ec == std::errc() && number.ptr != end && *number.ptr == '/';
  const auto count = slash ? std::from_chars(number.ptr + 1, end, shard.count) : number;
  if (!slash || count.ec != std::errc() || count.ptr != end || shard.count > kMostShards) {
    fail(ErrorKind::usage, "--shard: '{}' is not a shard; 2/8 is the second of eight", text);
  }
  if (shard.number < 1 || shard.number > shard.count) {
    fail(ErrorKind::usage, "--shard: there is no shard {} of {}; they are numbered from 1",
         shard.number, shard.count);
  }
  return shard;
}

ShardTasks tasks_of(const Shard& shard, std::size_t tasks) {
  return {(shard.number - 1) * tasks / shard.count, shard.number * tasks / shard.count};
}

std::string file_of(const Shard& shard, const std::string& path) {
  if (shard.is_whole()) return path;
  const std::filesystem::path whole(path);
  const std::string name = fmt::format("{}-{}-of-{}{}", whole.stem().string(), shard.number,
                                       shard.count, whole.extension().string());
  return (whole.parent_path() / name).string();
}

}  // namespace limn
