// An HDF5 file opened with suspicion.
//
// An HDF5 file can send its reader to other files in five ways: external links, soft links that
// pass through them, datasets whose bytes or whose pieces lie in other files, and compression that
// asks for a plug-in from disk. This layer refuses links of every kind but hard ones and keeps
// plug-ins out; whoever reads a dataset checks how it is stored.
//
// What it cannot keep out are errors of the library itself. libhdf5 1.10.8 divides by zero when it
// opens a dataset with a chunk of side 0, and follows a heap's free list that leads back to itself
// for ever, taking memory all the while. Chance damage hardly ever does that (none of the 35,840
// flips of one bit of a small file's structure does); malice may. A service that takes weights from
// strangers should read them in a process of their own, with limits.
#pragma once

#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace limn {

// An HDF5 identifier of any kind (file, group, dataset, type, property list), closed at the end.
class Hdf5Handle {
 public:
  Hdf5Handle() = default;
  explicit Hdf5Handle(hid_t id) : id_(id) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0) H5Idec_ref(id_);
  }

  hid_t id() const { return id_; }
  bool is_open() const { return id_ >= 0; }

 private:
  hid_t id_ = H5I_INVALID_HID;
};

// While it lives, HDF5 prints no errors, loads no plug-ins and is used by no other limn thread
// (most builds of the library are not thread-safe). The caller's settings come back afterwards.
class Hdf5Session {
 public:
  Hdf5Session();
  ~Hdf5Session();
  Hdf5Session(const Hdf5Session&) = delete;
  Hdf5Session& operator=(const Hdf5Session&) = delete;

  // Leaves HDF5's printing off for this thread for good. On damaged files the library loses track
  // of some of its memory, and where printing is on it complains of that when the process ends.
  void stay_silent() { print_errors_ = nullptr; }

 private:
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_errors_ = nullptr;
  void* print_data_ = nullptr;
  unsigned plugins_ = 0;
};

class Hdf5File {
 public:
  // Opens for reading. Throws Error (file).
  explicit Hdf5File(const std::string& path);

  const std::string& path() const { return path_; }

  // The root group.
  Hdf5Handle root() const;

  // Whether the group has an entry of this name (which has no '/').
  bool has(const Hdf5Handle& group, const std::string& name) const;

  // The group, dataset or named type of this name in `group`, or at this position of it. `where`
  // names it in messages ("layer block1_conv1"). Throws Error (file), also for links of any kind
  // but hard ones.
  Hdf5Handle open(const Hdf5Handle& group, const std::string& name, const std::string& where) const;
  Hdf5Handle open(const Hdf5Handle& group, hsize_t position, const std::string& where) const;

  // How many entries the group has, and the printable names of the first `most`.
  hsize_t size(const Hdf5Handle& group, const std::string& where) const;
  std::vector<std::string> names(const Hdf5Handle& group, hsize_t most) const;

  // Throws Error (file): HDF5's own cause for what has just failed, after "cannot <what>".
  [[noreturn]] void fail_with_cause(const std::string& what) const;

 private:
  void check_link(const H5L_info_t& link, const std::string& where) const;

  mutable Hdf5Session session_;  // first, so that it outlives the file
  std::string path_;
  Hdf5Handle file_;
};

}  // namespace limn
