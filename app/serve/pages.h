// What a browser gets: the page (app/serve/page/, embedded by cmake/embed_page.cmake).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "serve/message.h"

namespace limn {

inline constexpr const char* kPageType = "text/html; charset=utf-8";

struct PageFile {
  std::string_view name, text;  // "view.js"
  std::string_view packed;      // the text, by gzip
};

std::span<const PageFile> page_files();

// One of them, packed if the browser takes that. Throws Problem (404).
Reply page_reply(const Request& request, std::string_view name);

// In place of the page, for whoever has no token.
std::string locked_page();

}  // namespace limn
