// The contact sheet of a batch: of photos and paintings that were crossed a table, with paintings
// along the top and photos down the left; else picture after picture.
#pragma once

#include <limn/limn.h>

#include <span>

#include "batch/item.h"

namespace limn {

// Throws Error (usage) if a sheet has no room for so many pictures.
void check_sheet(std::span<const BatchItem> items);

// Of the items whose pictures are there, read from their files. Throws Error.
Image batch_sheet(std::span<const BatchItem> items);

}  // namespace limn
