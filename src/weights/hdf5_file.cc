#include "weights/hdf5_file.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "weights/checks.h"

namespace limn {
namespace {

std::mutex& hdf5_mutex() {
  static std::mutex mutex;
  return mutex;
}

// HDF5 keeps a stack of what failed, from the call that we made down to the cause. The deepest
// entry says what is wrong; those above only that something below them failed.
std::string deepest_cause() {
  std::string cause;
  const auto take_first = [](unsigned depth, const H5E_error2_t* error, void* text) -> herr_t {
    if (depth == 0 && error->desc) *static_cast<std::string*>(text) = printable(error->desc);
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &cause);
  return cause.empty() ? "HDF5 gives no reason" : cause;
}

}  // namespace

Hdf5Session::Hdf5Session() : lock_(hdf5_mutex()) {
  H5open();
  H5Eget_auto2(H5E_DEFAULT, &print_errors_, &print_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLget_loading_state(&plugins_);
  H5PLset_loading_state(0);
}

Hdf5Session::~Hdf5Session() {
  H5PLset_loading_state(plugins_);
  H5Eset_auto2(H5E_DEFAULT, print_errors_, print_data_);
}

Hdf5File::Hdf5File(const std::string& path) : path_(path) {
  file_size(path, "weights file");  // says more clearly than HDF5 what is wrong with a path
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS));
  // One plain file, whatever driver the environment asks for; closing it closes all that is open
  // in it, also where damage keeps the library from counting.
  H5Pset_fapl_sec2(access.id());
  H5Pset_fclose_degree(access.id(), H5F_CLOSE_STRONG);
  file_ = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()));
  if (!file_.is_open()) fail_with_cause("open it as HDF5");
}

Hdf5Handle Hdf5File::root() const {
  Hdf5Handle root(H5Gopen2(file_.id(), "/", H5P_DEFAULT));
  if (!root.is_open()) fail_with_cause("open its root group");
  return root;
}

bool Hdf5File::has(const Hdf5Handle& group, const std::string& name) const {
  const htri_t exists = H5Lexists(group.id(), name.c_str(), H5P_DEFAULT);
  if (exists < 0) fail_with_cause(fmt::format("look up '{}'", name));
  return exists > 0;
}

Hdf5Handle Hdf5File::open(const Hdf5Handle& group, const std::string& name,
                          const std::string& where) const {
  H5L_info_t link;
  if (H5Lget_info(group.id(), name.c_str(), &link, H5P_DEFAULT) < 0)
    fail_with_cause(fmt::format("look up {}", where));
  check_link(link, where);
  Hdf5Handle object(H5Oopen(group.id(), name.c_str(), H5P_DEFAULT));
  if (!object.is_open()) fail_with_cause(fmt::format("open {}", where));
  return object;
}

// By position and never by the entry's own name: a name with a '/' would be taken for a path, and
// could lead through a link that was never checked.
Hdf5Handle Hdf5File::open(const Hdf5Handle& group, hsize_t position,
                          const std::string& where) const {
  H5L_info_t link;
  if (H5Lget_info_by_idx(group.id(), ".", H5_INDEX_NAME, H5_ITER_NATIVE, position, &link,
                         H5P_DEFAULT) < 0)
    fail_with_cause(fmt::format("look up an entry of {}", where));
  check_link(link, "an entry of " + where);
  Hdf5Handle object(
      H5Oopen_by_idx(group.id(), ".", H5_INDEX_NAME, H5_ITER_NATIVE, position, H5P_DEFAULT));
  if (!object.is_open()) fail_with_cause(fmt::format("open an entry of {}", where));
  return object;
}

hsize_t Hdf5File::size(const Hdf5Handle& group, const std::string& where) const {
  H5G_info_t info;
  if (H5Gget_info(group.id(), &info) < 0) fail_with_cause(fmt::format("read {} as a group", where));
  return info.nlinks;
}

std::vector<std::string> Hdf5File::names(const Hdf5Handle& group, hsize_t most) const {
  std::vector<std::string> names;
  const hsize_t count = std::min(most, size(group, "a group"));
  for (hsize_t i = 0; i < count; ++i) {
    char name[128] = "";  // longer names are cut
    H5Lget_name_by_idx(group.id(), ".", H5_INDEX_NAME, H5_ITER_NATIVE, i, name, sizeof name,
                       H5P_DEFAULT);
    names.push_back(printable(name));
  }
  return names;
}

void Hdf5File::fail_with_cause(const std::string& what) const {
  session_.stay_silent();
  fail(ErrorKind::file, "'{}': cannot {}: {}; if the file is damaged, fetch it again", path_, what,
       deepest_cause());
}

void Hdf5File::check_link(const H5L_info_t& link, const std::string& where) const {
  if (link.type == H5L_TYPE_HARD) return;
  const std::string_view kind = link.type == H5L_TYPE_SOFT       ? "a soft link"
                                : link.type == H5L_TYPE_EXTERNAL ? "a link to another file"
                                                                 : "a link of an unknown kind";
  fail(ErrorKind::file,
       "'{}': {} should be in this place of the file itself, but it is {}, which limn does not "
       "follow",
       path_, where, kind);
}

}  // namespace limn
