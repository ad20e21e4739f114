// How fast ranks exchange what the tiles of a picture make them exchange (paint/objective.cc), and
// nothing else: no network runs, so that ranks may share cores.
//
//   tools/hosts.sh 3 mpirun -n 3 build/exchanges_bench turns FLOATS TASKS ROUNDS
//   tools/hosts.sh 3 mpirun -n 3 build/exchanges_bench merge FLOATS TASKS ROUNDS
//
// turns: ranks take turns at the tasks, and each hands FLOATS floats to all others, which add them
// up, as they do with what tiles measure and with their gradients. merge: memory of so many floats,
// of which each rank has set a part, as with features that are searched. bench/ranks.py runs it.
//
// Rank 0 prints the seconds of each round in JSON. A round before them is not timed, but looked at.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"
#include "base/ranks.h"
#include "ranks/launched.h"

namespace {

using namespace limn;

struct Exchange {
  Ranks& ranks;
  int tasks;
  Buffer<float> own, others, sum;
  bool fills = true;  // else what a rank has to give is what it gave before
};

void turns(Exchange& e) {
  std::span<float> sum = e.sum;
  take_turns(
      e.ranks, e.tasks,
      [&](int task) {
        if (e.fills) std::fill(e.own.begin(), e.own.end(), static_cast<float>(task + 1));
      },
      [&](int, int rank) {
        const std::span<const float> part = values_of<float>(e.ranks, rank, e.own, e.others);
        for (size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
      });
}

// Rank number r sets every n-th value, from the r-th.
void merges(Exchange& e) {
  const auto first = static_cast<size_t>(e.ranks.rank());
  const auto step = static_cast<size_t>(e.ranks.count());
  for (int task = 0; task < e.tasks; ++task) {
    if (e.fills) std::fill(e.sum.begin(), e.sum.end(), 0.0f);
    for (size_t i = first; i < e.sum.size() && e.fills; i += step) {
      e.sum[i] = static_cast<float>(task + 1);
    }
    merge(e.ranks, e.sum);
  }
}

// Seconds until all ranks have done it.
template <typename Act>
double timed(Exchange& e, const Act& act) {
  float here = 0;
  merge(e.ranks, std::span(&here, 1));
  const auto begin = std::chrono::steady_clock::now();
  act(e);
  merge(e.ranks, std::span(&here, 1));
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int run(std::span<char*> words) {
  if (words.size() != 5) fail(ErrorKind::usage, "give turns or merge, FLOATS, TASKS and ROUNDS");
  const std::string pattern = words[1];
  const auto floats = static_cast<size_t>(std::stoul(words[2]));
  const int tasks = std::stoi(words[3]), rounds = std::stoi(words[4]);
  LaunchedRanks* ranks = launched_ranks();
  if (!ranks) fail(ErrorKind::usage, "run it by mpirun -n N, with 2 ranks or more");
  Exchange e = {*ranks, tasks, Buffer<float>(floats), Buffer<float>(floats), Buffer<float>(floats)};

  const auto act = pattern == "merge" ? merges : turns;
  act(e);
  const int expected = pattern == "merge" ? tasks : tasks * (tasks + 1) / 2;
  const auto is_right = [&](float value) { return value == static_cast<float>(expected); };
  if (!std::all_of(e.sum.begin(), e.sum.end(), is_right)) {
    fail(ErrorKind::resources, "rank {} has other values than were sent", ranks->rank());
  }
  e.fills = false;
  std::vector<double> seconds(static_cast<size_t>(rounds));
  for (double& of_round : seconds) of_round = timed(e, act);
  if (ranks->rank() == 0) fmt::print("[{}]\n", fmt::join(seconds, ", "));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::span(argv, static_cast<size_t>(argc)));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exchanges_bench: %s\n", error.what());
    return 2;
  }
}
