#include "base/digest.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

using Digest = InAFolder;

// The algorithms' own published examples (RFC 1321, FIPS 180-4).
TEST_F(Digest, OfNothing) {
  const std::string file = with_text("empty", "");
  EXPECT_EQ(md5_of_file(file), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(sha256_of_file(file),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(Digest, OfAbc) {
  const std::string file = with_text("abc", "abc");
  EXPECT_EQ(md5_of_file(file), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(sha256_of_file(file),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(Digest, OfAMillionLettersWhichIsAlmostOnePiece) {
  EXPECT_EQ(sha256_of_file(with_text("a", std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// Each byte counts, in whichever piece of the file it lies.
TEST_F(Digest, DiffersForEveryPiece) {
  const std::string text(3'000'000, 'a');
  std::set<std::string> digests = {sha256_of_file(with_text("same", text))};
  for (const size_t place : {0, 1'048'575, 1'048'576, 2'999'999}) {
    std::string changed = text;
    changed[place] = 'b';
    digests.insert(sha256_of_file(with_text("changed", changed)));
  }
  digests.insert(sha256_of_file(with_text("longer", text + "a")));
  EXPECT_EQ(digests.size(), 6u);
}

TEST_F(Digest, RefusesWhatIsNoFile) {
  EXPECT_TRUE(says(error_of([&] { sha256_of_file(path("none"), "weights file"); }), ErrorKind::file,
                   "there is no weights file"));
  EXPECT_TRUE(says(error_of([&] { md5_of_file(folder()); }), ErrorKind::file, "is a folder"));
}

}  // namespace
}  // namespace limn
