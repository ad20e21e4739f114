// HDF5's two kinds of B-trees, walked from end to end: what a group or a dataset indexes with them
// is small enough to be listed whole.
#pragma once

#include <functional>
#include <string>

#include "containers/hdf5_file.h"

namespace limn {

// ---- version 1: for old groups, and for chunks ----

enum class OldTree { group = 0, chunks = 1 };  // what the tree's nodes say they index

// Reads one entry of a leaf: a key, followed by the address of what it stands for. The node is
// positioned at the key and must be left positioned after the address.
using ReadOldEntry = std::function<void(Hdf5Block& node)>;

// Calls read_entry for each entry, in order. Throws Error (file).
void walk_old_tree(const Hdf5File& file, const std::string& name, std::uint64_t address,
                   OldTree kind, size_t key_bytes, const ReadOldEntry& read_entry);

// ---- version 2: for new groups with many links, and for chunks that can grow two ways ----

// What the records of a tree are, according to its header.
enum class NewTree { links_by_name = 5, chunks = 10, filtered_chunks = 11 };

// Reads one record of `bytes`, at which the node is positioned. It need not read all of it.
using ReadRecord = std::function<void(Hdf5Block& node, size_t bytes)>;

// Calls read_record for each record, in no order that matters. Throws Error (file).
void walk_new_tree(const Hdf5File& file, const std::string& name, std::uint64_t address,
                   NewTree kind, const ReadRecord& read_record);

}  // namespace limn
