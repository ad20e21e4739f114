#include "containers/zip_file.h"

#include <gtest/gtest.h>
#include <limn/limn.h>

#include "support/errors.h"
#include "weights/pth_files.h"
#include "weights/weights_files.h"

namespace limn {
namespace {

const std::string kText = "the quick brown fox jumps over the lazy dog, again and again and again";

std::string read(const ZipFile& file, const std::string& name, std::uint64_t begin, size_t count) {
  std::string bytes(count, '\0');
  file.read(*file.find(name), begin, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

// The error of reading the file's every entry whole.
Error error_of_reading(const std::string& path) {
  return error_of([&] {
    const ZipFile file(path);
    for (const ZipEntry& entry : file.entries()) file.read_text(entry, 1 << 20);
  });
}

TEST(ZipFile, ReadsStoredAndDeflatedEntries) {
  const TemporaryFolder folder;
  const std::string long_text(300'000, 'x');
  write_zip(folder.path("a.zip"),
            {{"stored", kText}, {"folder/deflated", long_text, true}, {"empty", ""}});
  const ZipFile file(folder.path("a.zip"));
  ASSERT_EQ(file.entries().size(), 3u);
  EXPECT_TRUE(file.find("stored")->stored);
  EXPECT_FALSE(file.find("folder/deflated")->stored);
  EXPECT_LT(file.find("folder/deflated")->packed_size, 1000u);
  EXPECT_EQ(file.find("deflated"), nullptr);
  EXPECT_EQ(file.read_text(*file.find("stored"), 100), kText);
  EXPECT_EQ(file.read_text(*file.find("folder/deflated"), 300'000), long_text);
  EXPECT_EQ(file.read_text(*file.find("empty"), 0), "");
}

TEST(ZipFile, ReadsAnyPartOfAnEntry) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.zip"), {{"stored", kText}, {"deflated", kText, true}});
  const ZipFile file(folder.path("a.zip"));
  for (size_t begin = 0; begin <= kText.size(); ++begin) {
    for (size_t count = 0; count <= kText.size() - begin; count += 7) {
      EXPECT_EQ(read(file, "stored", begin, count), kText.substr(begin, count));
      EXPECT_EQ(read(file, "deflated", begin, count), kText.substr(begin, count));
    }
  }
}

TEST(ZipFile, RefusesToReadOutsideOfAnEntry) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.zip"), {{"stored", kText}});
  const ZipFile file(folder.path("a.zip"));
  for (const std::uint64_t begin : {std::uint64_t{61}, ~std::uint64_t{0}}) {
    EXPECT_TRUE(says(error_of([&] { read(file, "stored", begin, 10); }), ErrorKind::file, "a.zip",
                     "'stored' should have 10 bytes"));
  }
  EXPECT_TRUE(says(error_of([&] { file.read_text(*file.find("stored"), 69); }), ErrorKind::file,
                   "has 70 bytes, more than the 69"));
}

TEST(ZipFile, RefusesEncryptedEntries) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.zip"), {{"open", kText}, {"closed", kText, false, true}});
  EXPECT_TRUE(says(error_of_reading(folder.path("a.zip")), ErrorKind::file, "a.zip",
                   "'closed' is encrypted"));
}

TEST(ZipFile, RefusesTwoEntriesOfOneName) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.zip"), {{"name1", kText}, {"name2", kText}});
  std::string bytes = file_bytes(folder.path("a.zip"));
  for (size_t at; (at = bytes.find("name2")) != std::string::npos;) bytes[at + 4] = '1';
  write_bytes(folder.path("b.zip"), bytes);
  EXPECT_TRUE(says(error_of_reading(folder.path("b.zip")), ErrorKind::file, "b.zip",
                   "two entries named 'name1'"));
}

// A size in the directory, which ends 46 bytes before an entry's name there.
void claim_size(std::string& bytes, const std::string& name, size_t offset, std::uint32_t size) {
  const size_t place = bytes.rfind(name) - 46 + offset;
  ASSERT_EQ(bytes.substr(bytes.rfind(name) - 46, 4), "PK\x01\x02");
  for (size_t i = 0; i < 4; ++i) bytes[place + i] = static_cast<char>(size >> (8 * i) & 255);
}

constexpr size_t kPackedSize = 20;
constexpr size_t kSize = 24;

TEST(ZipFile, RefusesSizesThatCannotBe) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.zip"),
            {{"stored", kText}, {"deflated", std::string(70'000, 'x'), true}});
  const std::string sound = file_bytes(folder.path("a.zip"));
  struct Claim {
    std::string name;
    size_t field;
    std::uint32_t size;
  };
  for (const Claim& claim :
       {Claim{"stored", kSize, 71}, Claim{"stored", kSize, 0xfffffffe},
        Claim{"stored", kPackedSize, 1'000'000}, Claim{"deflated", kSize, 0xfffffffe},
        Claim{"deflated", kPackedSize, 0xfffffffe}}) {
    std::string bytes = sound;
    claim_size(bytes, claim.name, claim.field, claim.size);
    write_bytes(folder.path("b.zip"), bytes);
    EXPECT_TRUE(says(error_of_reading(folder.path("b.zip")), ErrorKind::file, "b.zip"))
        << claim.name << " " << claim.size;
  }
  std::string bytes = sound;
  claim_size(bytes, "deflated", kSize, 0x7fffffff);
  write_bytes(folder.path("b.zip"), bytes);
  EXPECT_TRUE(says(error_of_reading(folder.path("b.zip")), ErrorKind::file,
                   "'deflated' claims 2147483647 bytes, which is impossible"));
}

TEST(ZipFile, RefusesDamagedData) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.zip"), {{"stored", kText}, {"deflated", kText, true}});
  std::string bytes = file_bytes(folder.path("a.zip"));
  bytes[bytes.find("quick")] ^= 1;
  write_bytes(folder.path("b.zip"), bytes);
  EXPECT_TRUE(says(error_of_reading(folder.path("b.zip")), ErrorKind::file, "'stored' is damaged"));
}

TEST(ZipFile, RefusesAMissingFile) {
  EXPECT_TRUE(says(error_of([] { ZipFile("none.zip"); }), ErrorKind::file, "there is no"));
}

}  // namespace
}  // namespace limn
