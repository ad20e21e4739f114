// Painting one picture by several processes (limn/ranks.h). Rank 0 is the command that the user
// gave: it alone reads flags, reports and writes files. The others do what it tells them.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <string>

#include "ranks/launched.h"
#include "request/paint_request.h"

namespace limn {

// The plan's threads, unless they were given: as many as there are cores for this rank.
void share_cores(const LaunchedRanks& ranks, Plan& plan);

// What an iteration costs where there are tiles, which the ranks run at the same time.
void share_tiles(const LaunchedRanks& ranks, Plan& plan);

// Throws Error (usage) for an input that only one process can read.
void check_readable_by_all(const PaintRequest& request);

// Rank 0: the others read the same files as this request, and make a Run with the same plan.
// checkpoint: to continue from, or none.
void begin_together(LaunchedRanks& ranks, const PaintRequest& request, const Plan& plan,
                    const std::optional<std::string>& checkpoint);
// Rank 0: the painting is finished.
void end_together(LaunchedRanks& ranks);
// Rank 0: there will be no other one.
void dismiss(LaunchedRanks& ranks);

// Ranks other than 0: takes part in paintings until dismissed.
void follow(LaunchedRanks& ranks);

}  // namespace limn
