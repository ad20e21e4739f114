// What a batch says of itself: its report, its lines of progress, its plan.
#pragma once

#include <limn/limn.h>

#include <nlohmann/json.hpp>
#include <string>

#include "batch/run.h"
#include "batch/shard.h"
#include "show/progress.h"

namespace limn {

// "painted", "up to date", "failed", "waiting"
std::string_view state_name(ItemState state);

// One of the report's `pictures`.
nlohmann::ordered_json to_json(const BatchItem& item);

// The whole report. outcome: "finished", "some failed", "stopped"
nlohmann::ordered_json batch_report(const BatchRun& run, const Model& model,
                                    const std::string& folder, const Shard& shard, double seconds);
std::string_view outcome_of(const BatchRun& run, bool stopped);

// Tells of a picture that is done, or has failed.
void tell(ProgressDisplay& display, const BatchItem& item, const BatchPlace& place);

// The last line: "prints: 12 painted, 3 up to date, 1 failed, 34.5 s".
void tell_end(ProgressDisplay& display, const BatchRun& run, const std::string& folder,
              bool stopped, double seconds);

// Prints what would be painted, with the memory that it takes and, if `timed`, the time.
void print_batch(const BatchRun& run, const Model& model, bool json, bool timed);

}  // namespace limn
