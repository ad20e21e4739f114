#include "containers/pth_file.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "containers/zip_file.h"

namespace limn {
namespace {

using namespace std::string_view_literals;

constexpr StorageType kStorageTypes[] = {
    {"FloatStorage", 4, NumberType::f32},
    {"HalfStorage", 2, NumberType::f16},
    {"BFloat16Storage", 2, NumberType::bf16},
    {"DoubleStorage", 8, NumberType::f64},
    {"LongStorage", 8, {}},
    {"IntStorage", 4, {}},
    {"ShortStorage", 2, {}},
    {"CharStorage", 1, {}},
    {"ByteStorage", 1, {}},
    {"BoolStorage", 1, {}},
    {"ComplexFloatStorage", 8, {}},
    {"ComplexDoubleStorage", 16, {}},
};

// Tensors' numbers lie outside the pickle, which takes about 150 bytes per tensor.
constexpr std::uint64_t kMostPickleBytes = 4 << 20;

// 0x1950a86a20f9469cfc6c as a pickle stores it, and in decimal as a pickle of protocol 0 does.
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;
constexpr std::string_view kDecimalMagic = "119547037146038801333356";
constexpr std::int64_t kStreamProtocol = 1001;

CheckGlobal storages_and(const CheckGlobal& check_global) {
  return [&check_global](const std::string& name) {
    if (!find_storage_type(name)) check_global(name);
  };
}

// ------------------------------------------------------------------------------ zip containers --

// Throws Error (file) if the zip container only wraps other files: a download of several, or
// Keras's .keras.
void refuse_archive(const ZipFile& zip) {
  constexpr std::string_view kEndings[] = {".h5",  ".hdf5", ".pth",        ".pt",         ".npz",
                                           ".npy", ".mat",  ".caffemodel", ".safetensors"};
  for (const ZipEntry& entry : zip.entries()) {
    const auto ends = [&](std::string_view ending) { return entry.name.ends_with(ending); };
    if (std::ranges::none_of(kEndings, ends)) continue;
    fail(ErrorKind::file,
         "'{}' is a zip archive that contains '{}'; unpack it (with unzip) and give limn that file",
         zip.path(), printable(entry.name));
  }
}

// What precedes "data.pkl" in the name of the entry with the pickle.
std::string zip_prefix(const ZipFile& zip) {
  constexpr std::string_view kPickle = "data.pkl";
  const ZipEntry* found = nullptr;
  for (const ZipEntry& entry : zip.entries()) {
    if (entry.name != kPickle && !entry.name.ends_with("/data.pkl")) continue;
    if (found) {
      fail(ErrorKind::file, "'{}' should have one data.pkl, but it has '{}' and '{}'", zip.path(),
           printable(found->name), printable(entry.name));
    }
    found = &entry;
  }
  if (!found) {
    refuse_archive(zip);
    fail(ErrorKind::file,
         "'{}' is a zip container with neither PyTorch's data.pkl nor NumPy's arrays; it has {}",
         zip.path(),
         zip.entries().empty() ? "no entries at all"
                               : fmt::format("{} entries, the first '{}'", zip.entries().size(),
                                             printable(zip.entries().front().name)));
  }
  return found->name.substr(0, found->name.size() - kPickle.size());
}

bool zip_is_big_endian(const ZipFile& zip, const std::string& prefix) {
  const ZipEntry* entry = zip.find(prefix + "byteorder");
  if (!entry) return false;
  const std::string order = zip.read_text(*entry, 16);
  if (order != "little" && order != "big") {
    fail(ErrorKind::file, "'{}': its entry 'byteorder' should be little or big, but it is '{}'",
         zip.path(), printable(order));
  }
  return order == "big";
}

PthFile open_zip(const std::string& path, const CheckGlobal& check_global) {
  const auto zip = std::make_shared<const ZipFile>(path);
  const std::string prefix = zip_prefix(*zip);
  const std::string name = prefix + "data.pkl";
  PthFile file;
  file.pickle =
      read_pickle(path, printable(name), zip->read_text(*zip->find(name), kMostPickleBytes),
                  storages_and(check_global));
  file.big_endian = zip_is_big_endian(*zip, prefix);
  const std::string data_prefix = prefix + "data/";
  for (const ZipEntry& entry : zip->entries()) {
    if (!entry.name.starts_with(data_prefix)) continue;
    file.storages[entry.name.substr(data_prefix.size())] = {
        entry.size, [zip, &entry](std::uint64_t begin, std::span<std::byte> bytes) {
          zip->read(entry, begin, bytes);
        }};
  }
  return file;
}

// ------------------------------------------------------------------------------------- streams --

struct Stream {
  std::string path;
  std::uint64_t file_bytes = 0;
  std::ifstream file;

  void read(std::uint64_t begin, std::span<std::byte> bytes) {
    file.clear();
    file.seekg(static_cast<std::streamoff>(begin));
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    if (!file)
      fail(ErrorKind::file, "'{}': cannot read {} bytes from byte {}", path, bytes.size(), begin);
  }
};

// The stream's pickles, one after another.
class StreamPickles {
 public:
  StreamPickles(Stream& stream, const CheckGlobal& check_global)
      : path_(stream.path),
        check_global_(check_global),
        text_(std::min(stream.file_bytes, kMostPickleBytes), '\0') {
    stream.read(0, std::as_writable_bytes(std::span(text_)));
  }

  Pickle next(const std::string& what) {
    Pickle pickle = read_pickle(path_, what, std::string_view(text_).substr(bytes_), check_global_);
    bytes_ += pickle.bytes;
    return pickle;
  }
  size_t bytes() const { return bytes_; }  // of those read so far

 private:
  const std::string& path_;
  CheckGlobal check_global_;
  std::string text_;
  size_t bytes_ = 0;
};

void check_stream_is_known(const std::string& path, const Pickle& magic, const Pickle& protocol) {
  const PickleLong* number = magic.root->as<PickleLong>();
  if (!number || (number->bytes != kMagic && number->bytes != kDecimalMagic))
    fail(ErrorKind::file, "'{}' should begin with PyTorch's magic number, but does not", path);
  const std::int64_t* version = protocol.root->as<std::int64_t>();
  if (!version || *version != kStreamProtocol) {
    fail(ErrorKind::file, "'{}': PyTorch's stream should have protocol {}, but it does not", path,
         kStreamProtocol);
  }
}

// The types of all storages that the pickle mentions, by key.
std::map<std::string, Storage> storages_in(const std::string& path, const Pickle& pickle) {
  std::map<std::string, Storage> storages;
  for (const PickleValue& value : pickle.pool) {
    const PicklePersistent* persistent = value.as<PicklePersistent>();
    if (!persistent) continue;
    Storage storage = storage_of(path, *persistent);
    const auto [known, added] = storages.emplace(storage.key, storage);
    if (added || known->second.type == storage.type) continue;
    fail(ErrorKind::file, "'{}': its storage '{}' has two types", path, printable(storage.key));
  }
  return storages;
}

std::vector<std::string> keys_in(const std::string& path, const Pickle& pickle) {
  std::vector<std::string> keys;
  const PickleList* list = pickle.root->as<PickleList>();
  if (!list) fail(ErrorKind::file, "'{}': its storages' keys should be a list", path);
  for (const PickleRef item : list->items) {
    const PickleText* key = item->as<PickleText>();
    if (!key) fail(ErrorKind::file, "'{}': its storages' keys should be strings", path);
    keys.push_back(key->text);
  }
  return keys;
}

// Where each storage lies: one after another from byte `place` on.
void place_storages(const std::shared_ptr<Stream>& stream, std::uint64_t place,
                    const std::vector<std::string>& keys,
                    const std::map<std::string, Storage>& known, PthFile& file) {
  constexpr std::uint64_t kCountBytes = 8;
  for (const std::string& key : keys) {
    const auto storage = known.find(key);
    if (storage == known.end() || file.storages.contains(key)) {
      fail(ErrorKind::file, "'{}': its list of storages has '{}', which {}", stream->path,
           printable(key), storage == known.end() ? "no tensor uses" : "it already had");
    }
    const std::uint64_t left = stream->file_bytes - place;
    std::array<unsigned char, kCountBytes> bytes = {};
    if (left >= kCountBytes) stream->read(place, std::as_writable_bytes(std::span(bytes)));
    std::uint64_t count = 0;
    for (size_t i = kCountBytes; i-- > 0;) count = count << 8 | bytes[i];
    if (left < kCountBytes || count > (left - kCountBytes) / storage->second.type->bytes) {
      fail(ErrorKind::file,
           "'{}': its storage '{}' should have {} values, but the file ends before; if it was cut "
           "short, fetch it again",
           stream->path, printable(key), storage->second.count);
    }
    const std::uint64_t begin = place + kCountBytes;
    const std::uint64_t size = count * storage->second.type->bytes;
    file.storages[key] = {size, [stream, begin](std::uint64_t from, std::span<std::byte> into) {
                            stream->read(begin + from, into);
                          }};
    place = begin + size;
  }
}

PthFile open_stream(const std::string& path, const CheckGlobal& check_global) {
  const auto stream = std::make_shared<Stream>(
      Stream{path, file_size(path, "weights file"), std::ifstream(path, std::ios::binary)});
  StreamPickles pickles(*stream, storages_and(check_global));
  const Pickle magic = pickles.next("magic number");
  check_stream_is_known(path, magic, pickles.next("protocol"));
  pickles.next("system");
  PthFile file;
  file.pickle = pickles.next("saved");
  const std::vector<std::string> keys = keys_in(path, pickles.next("keys"));
  place_storages(stream, pickles.bytes(), keys, storages_in(path, file.pickle), file);
  return file;
}

std::optional<std::uint64_t> count_in(PickleRef value) {
  const std::int64_t* number = value->as<std::int64_t>();
  return number && *number >= 0 ? std::optional<std::uint64_t>(*number) : std::nullopt;
}

}  // namespace

const StorageType* find_storage_type(std::string_view global) {
  constexpr std::string_view kModule = "torch.";
  constexpr std::string_view kCuda = "cuda.";
  if (!global.starts_with(kModule)) return nullptr;
  global.remove_prefix(kModule.size());
  if (global.starts_with(kCuda)) global.remove_prefix(kCuda.size());
  const auto found = std::ranges::find(kStorageTypes, global, &StorageType::name);
  return found == std::end(kStorageTypes) ? nullptr : found;
}

Storage storage_of(const std::string& path, const PicklePersistent& persistent) {
  const auto refuse = [&] {
    fail(ErrorKind::file,
         "'{}': a persistent id in its pickle should be ('storage', type, key, device, count), but "
         "is not",
         path);
  };
  const PickleTuple* id = persistent.id->as<PickleTuple>();
  if (!id || id->items.size() < 5 || id->items.size() > 6) refuse();
  const PickleText* kind = id->items[0]->as<PickleText>();
  const PickleGlobal* type = id->items[1]->as<PickleGlobal>();
  const PickleText* key = id->items[2]->as<PickleText>();
  const std::optional<std::uint64_t> count = count_in(id->items[4]);
  if (!kind || kind->text != "storage" || !type || !key || !count) refuse();
  Storage storage = {find_storage_type(type->name), key->text, *count, 0};
  if (!storage.type) refuse();
  if (id->items.size() == 6 && !id->items[5]->as<PickleNone>()) {
    const PickleTuple* view = id->items[5]->as<PickleTuple>();
    const std::optional<std::uint64_t> offset =
        view && view->items.size() == 3 ? count_in(view->items[1]) : std::nullopt;
    if (!offset || *offset > storage.count) refuse();
    storage.offset = *offset;
  }
  return storage;
}

bool is_pth_stream(std::string_view head) {
  constexpr size_t kFarthest = 16;  // after the protocol and, from protocol 4 on, a frame's length
  const bool binary = head.starts_with('\x80') &&
                      head.substr(0, kFarthest + kMagic.size()).find(kMagic) < kFarthest;
  return binary || (head.starts_with('L') && head.substr(1).starts_with(kDecimalMagic));
}

PthFile open_pth(const std::string& path, const CheckGlobal& check_global) {
  std::string head(64, '\0');
  file_size(path, "weights file");  // throws if there is none
  std::ifstream stream(path, std::ios::binary);
  stream.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<size_t>(stream.gcount()));
  return is_pth_stream(head) ? open_stream(path, check_global) : open_zip(path, check_global);
}

}  // namespace limn
