#include "containers/zip_file.h"

#include <zip.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "base/file.h"

namespace limn {
namespace {

// Two bits of deflate stand for at most 258 bytes: 1,032 per packed byte.
constexpr std::uint64_t kMostDeflated = 1032;
// Each takes a few hundred bytes of memory. VGG's files have fewer than a hundred.
constexpr zip_int64_t kMostEntries = 100'000;

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using OpenEntry = std::unique_ptr<zip_file_t, CloseEntry>;

// An entry as described in the container's directory.
ZipEntry entry_of(const std::string& path, zip* archive, zip_uint64_t index,
                  std::uint64_t file_bytes) {
  zip_stat_t stat;
  constexpr zip_uint64_t kNeeded = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE |
                                   ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
  if (zip_stat_index(archive, index, ZIP_FL_ENC_RAW, &stat) != 0 ||
      (stat.valid & kNeeded) != kNeeded) {
    fail(ErrorKind::file, "'{}': cannot read entry {} of the zip container's directory: {}", path,
         index, zip_strerror(archive));
  }
  const std::string name = printable(stat.name);
  if (stat.encryption_method != ZIP_EM_NONE)
    fail(ErrorKind::file, "'{}': its entry '{}' is encrypted; decrypt the file first", path, name);
  const bool stored = stat.comp_method == ZIP_CM_STORE;
  if (!stored && stat.comp_method != ZIP_CM_DEFLATE) {
    fail(ErrorKind::file,
         "'{}': its entry '{}' should be stored or deflated, but it is packed with method {}", path,
         name, stat.comp_method);
  }
  const bool fits =
      stat.comp_size <= file_bytes &&
      (stored ? stat.size == stat.comp_size : stat.size / kMostDeflated <= stat.comp_size);
  if (!fits) {
    fail(ErrorKind::file,
         "'{}': its entry '{}' claims {} bytes, which is impossible: it is {} in {} bytes of the "
         "file's {}; if the file was cut short, fetch it again",
         path, name, stat.size, stored ? "stored" : "deflated", stat.comp_size, file_bytes);
  }
  return {stat.name, index, stat.size, stat.comp_size, stored};
}

std::string open_error(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string text = zip_error_strerror(&error);
  zip_error_fini(&error);
  return text;
}

OpenEntry open(const ZipFile& file, zip* archive, const ZipEntry& entry) {
  OpenEntry opened(zip_fopen_index(archive, entry.index, ZIP_FL_UNCHANGED));
  if (!opened) {
    fail(ErrorKind::file, "'{}': cannot read its entry '{}': {}", file.path(),
         printable(entry.name), zip_strerror(archive));
  }
  return opened;
}

// Fills `bytes`; false if the entry ends early or turns out to be damaged.
bool read_all(zip_file_t* file, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const zip_int64_t count = zip_fread(file, bytes.data(), bytes.size());
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

// Moves to byte `begin`: by seeking in a stored entry, by unpacking what comes before in a deflated
// one.
bool skip_to(zip_file_t* file, const ZipEntry& entry, std::uint64_t begin) {
  if (begin == 0) return true;
  if (entry.stored && zip_fseek(file, static_cast<zip_int64_t>(begin), SEEK_SET) == 0) return true;
  std::vector<std::byte> piece(std::min<std::uint64_t>(begin, 1 << 16));
  for (std::uint64_t left = begin; left > 0;) {
    const size_t count = std::min<std::uint64_t>(left, piece.size());
    if (!read_all(file, std::span(piece).first(count))) return false;
    left -= count;
  }
  return true;
}

}  // namespace

void ZipFile::Close::operator()(zip* archive) const { zip_discard(archive); }

ZipFile::ZipFile(const std::string& path) : path_(path) {
  const std::uint64_t file_bytes = file_size(path, "weights file");
  int error = 0;
  archive_.reset(zip_open(path.c_str(), ZIP_RDONLY, &error));
  if (!archive_) {
    fail(ErrorKind::file,
         "'{}': cannot read the zip container: {}; if the file was cut short, fetch it again", path,
         open_error(error));
  }
  const zip_int64_t count = zip_get_num_entries(archive_.get(), ZIP_FL_UNCHANGED);
  if (count > kMostEntries) {
    fail(ErrorKind::file, "'{}': the zip container has {} entries, but weights have at most {}",
         path, count, kMostEntries);
  }
  std::set<std::string_view> names;
  for (zip_int64_t i = 0; i < count; ++i) {
    entries_.push_back(entry_of(path, archive_.get(), static_cast<zip_uint64_t>(i), file_bytes));
  }
  for (const ZipEntry& entry : entries_) {
    if (names.insert(entry.name).second) continue;
    fail(ErrorKind::file, "'{}': the zip container has two entries named '{}'", path,
         printable(entry.name));
  }
}

const ZipEntry* ZipFile::find(std::string_view name) const {
  const auto found = std::ranges::find(entries_, name, &ZipEntry::name);
  return found == entries_.end() ? nullptr : &*found;
}

void ZipFile::read(const ZipEntry& entry, std::uint64_t begin, std::span<std::byte> bytes) const {
  if (begin > entry.size || bytes.size() > entry.size - begin) {
    fail(ErrorKind::file,
         "'{}': its entry '{}' should have {} bytes from byte {} on, but it has {} in all", path_,
         printable(entry.name), bytes.size(), begin, entry.size);
  }
  const OpenEntry file = open(*this, archive_.get(), entry);
  bool good = skip_to(file.get(), entry, begin) && read_all(file.get(), bytes);
  // libzip compares the checksum when asked for what is past the end.
  std::array<std::byte, 1> behind;
  if (good && begin + bytes.size() == entry.size)
    good = zip_fread(file.get(), behind.data(), behind.size()) == 0;
  if (good) return;
  fail(ErrorKind::file, "'{}': its entry '{}' is damaged ({}); fetch the file again", path_,
       printable(entry.name), zip_file_strerror(file.get()));
}

std::string ZipFile::read_text(const ZipEntry& entry, std::uint64_t most) const {
  if (entry.size > most) {
    fail(ErrorKind::file, "'{}': its entry '{}' has {} bytes, more than the {} that it may have",
         path_, printable(entry.name), entry.size, most);
  }
  std::string text(entry.size, '\0');
  read(entry, 0, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace limn
