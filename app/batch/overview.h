// What a sheet and a gallery show of a batch: its pictures, and the photos and paintings that they
// were made from, in the order of the list.
#pragma once

#include <limn/limn.h>

#include <span>
#include <string>
#include <vector>

#include "batch/item.h"

namespace limn {

struct Overview {
  struct Picture {
    const BatchItem* item = nullptr;
    int photo = 0, style = 0;  // numbers in the lists below
    // Those of its settings that are not the same for all pictures: "strength 0.7"; mostly "".
    std::string settings;
  };
  // What the results were painted in the style of: paintings, several where they are blended.
  using StyleFiles = std::vector<std::string>;

  std::vector<Picture> pictures;            // that are there
  std::vector<const BatchItem*> not_there;  // that failed, or are still waiting
  std::vector<std::string> photos;          // of which there are pictures
  std::vector<StyleFiles> styles;

  // Whether one picture of each photo in each style was asked for.
  bool is_table = false;
};

// The items must outlive it.
Overview overview_of(std::span<const BatchItem> items);

// "harbour", "oil + ink wash": a photo's and a style's name for people.
std::string title_of(const std::string& photo);
std::string title_of(const Overview::StyleFiles& style);

// The picture, decoded at no more than this many pixels a side. Of a folder its first picture.
// Throws Error like read_image.
Image small_picture(const std::string& name, int most);

}  // namespace limn
