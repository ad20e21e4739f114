// A batch in parts, for several machines: --shard 2/8 is the second of eight. Which tasks it has
// follows from their list alone, so that every machine cuts the same list alike.
#pragma once

#include <cstddef>
#include <string>

namespace limn {

struct Shard {
  std::size_t number = 1, count = 1;
  bool is_whole() const { return count == 1; }
};

// "2/8". Throws Error (usage).
Shard parse_shard(const std::string& text);

// Its tasks, of so many: those from `begin` to before `end`. Shards are neighbours in the list, so
// that photos stay together, and differ by one task at most.
struct ShardTasks {
  std::size_t begin = 0, end = 0;
};
ShardTasks tasks_of(const Shard& shard, std::size_t tasks);

// A file of the shard's own: report.json becomes report-2-of-8.json.
std::string file_of(const Shard& shard, const std::string& path);

}  // namespace limn
