// The gallery of a batch: one page, which shows its pictures and what they were made from. It opens
// from a file, asks no server for anything, and works without its script.
//
// Small pictures are inside the page, so that it can be sent as it is and opens at once, however
// large the results are; the results themselves stay beside it, and appear in place of the small
// ones where they are found.
#pragma once

#include <limn/limn.h>

#include <span>
#include <string>
#include <string_view>

#include "batch/item.h"

namespace limn {

// The page, to be written to `path`; the links to results are relative to that. Throws Error.
std::string gallery_page(std::span<const BatchItem> items, const std::string& title,
                         const std::string& path);

// Text as part of a page.
std::string escaped(std::string_view text);

// The parts of the page that are the same in each, from app/batch/gallery/.
std::string_view gallery_head();
std::string_view gallery_style();
std::string_view gallery_sorting();
std::string_view gallery_theme();
std::string_view gallery_viewer();
std::string_view gallery_script();

}  // namespace limn
