// The names in an HDF5 group, and where each leads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "containers/hdf5_object.h"

namespace limn {

enum class Hdf5LinkKind {
  hard,      // to an object of this file
  soft,      // to a path, which may lead anywhere
  external,  // to another file
  unknown,
};

struct Hdf5Link {
  std::string name;  // at most kLongestHdf5Name characters: the rest is cut off
  Hdf5LinkKind kind;
  std::uint64_t address;  // of a hard link's object
};

// Longer than any name that limn looks for.
inline constexpr size_t kLongestHdf5Name = 255;

// All links of the group, old or new. Throws Error (file), also for more than 65,536, which no
// network needs.
std::vector<Hdf5Link> read_links(const Hdf5File& file, const Hdf5Object& group,
                                 const Hdf5Header& header);

// The object that a link leads to, which messages call `name`. Throws Error (file) unless it is a
// hard link: limn opens only the file that it was given.
Hdf5Object follow(const Hdf5File& file, const Hdf5Link& link, const std::string& name);

}  // namespace limn
