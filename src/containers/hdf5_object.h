// The header of an HDF5 object: a list of messages, each of which says one thing about it. Which
// messages it has shows what kind of object it is.
#pragma once

#include <optional>
#include <vector>

#include "containers/hdf5_file.h"

namespace limn {

// The messages that say something about names, shapes and values, by their numbers in the format.
enum class Hdf5MessageType {
  dataspace = 0x01,  // the shape
  link_info = 0x02,  // where a new group keeps its links when they are many
  datatype = 0x03,
  link = 0x06,            // one name of a new group
  external_files = 0x07,  // other files that hold the values
  layout = 0x08,          // where the values lie
  filters = 0x0b,         // how they are packed
  symbol_table = 0x11,    // where an old group keeps its names
};

struct Hdf5Message {
  Hdf5MessageType type;
  bool shared;      // it only refers to another object that has the message
  Hdf5Block block;  // what it says
};

struct Hdf5Header {
  std::vector<Hdf5Message> messages;  // of the types above, in the file's order

  bool has(Hdf5MessageType type) const;

  // A group has a place for links, a dataset a shape and a layout; other objects are neither.
  bool is_group() const;
  bool is_dataset() const;
};

// Throws Error (file).
Hdf5Header read_header(const Hdf5File& file, const Hdf5Object& object);

// The header's message of this type, if there is one. Throws Error (file) if it is stored in
// another object.
std::optional<Hdf5Block> find_message(const Hdf5File& file, const Hdf5Object& object,
                                      const Hdf5Header& header, Hdf5MessageType type);

// The same for a message without which there is nothing to read. Throws Error (file).
Hdf5Block need_message(const Hdf5File& file, const Hdf5Object& object, const Hdf5Header& header,
                       Hdf5MessageType type);

}  // namespace limn
