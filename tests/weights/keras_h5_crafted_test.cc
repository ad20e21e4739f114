// Files made to mislead: each is a sound one in which a few bytes were set to what no accident
// would make of them.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <string>
#include <vector>

#include "keras_file_test.h"
#include "weights/read.h"

namespace limn {
namespace {

// The bytes of numbers, least significant byte first.
template <typename Number>
std::string bytes_of_numbers(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

class KerasH5Crafted : public KerasFileTest {
 protected:
  const std::vector<hsize_t> sides_ = {3, 3, 16, 64};  // of a chunk: four make the kernel

  // The sample's two layers, the second's kernel in chunks.
  void write_chunked(bool deflate = false) const {
    const Hdf5Handle file = create_hdf5(path_);
    write_keras_layer(file, sample_.convolutions[0]);
    const Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(creation.id(), 4, sides_.data());
    if (deflate) H5Pset_deflate(creation.id(), 6);
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()), H5T_IEEE_F32LE,
                  creation.id());
    write_dataset(group, "bias:0", {64}, second().bias);
  }

  // The `n`th place of `pattern` in the file, which there must be.
  static size_t place_of(const std::string& bytes, const std::string& pattern, int n = 0) {
    size_t place = bytes.find(pattern);
    while (place != std::string::npos && n-- > 0) place = bytes.find(pattern, place + 1);
    EXPECT_NE(place, std::string::npos) << "the file is not what this test expects";
    return place == std::string::npos ? 0 : place;
  }

  // The refusal of the file at path_ with these bytes set at `place`.
  std::string refusal_with_bytes(size_t place, const std::string& set) const {
    std::string bytes = file_bytes(path_);
    bytes.replace(place, set.size(), set);
    write_bytes(path_, bytes);
    return refusal(path_);
  }

  // Where the chunks' sides are in the layout's message.
  size_t place_of_sides() const {
    return place_of(file_bytes(path_), bytes_of_numbers<std::uint32_t>({3, 3, 16, 64, 4}));
  }

  // Where the node of the chunks' B-tree is: of type 1, on level 0, with four entries.
  size_t place_of_chunk_node() const {
    return place_of(file_bytes(path_), std::string("TREE\x01\x00\x04\x00", 8));
  }
};

constexpr size_t kNodeHeadBytes = 24;
constexpr size_t kChunkKeyBytes = 8 + 8 * 5;

TEST_F(KerasH5Crafted, ChunksWithASideOfZero) {
  write_chunked();
  EXPECT_TRUE(says(refusal_with_bytes(place_of_sides() + 8, bytes_of_numbers<std::uint32_t>({0})),
                   "the kernel of layer block1_conv2: its chunks have a side of 0"));
}

TEST_F(KerasH5Crafted, ChunksOfAnySize) {
  for (const std::uint32_t side : {0x100u, 0x10000u, 0xffffffffu}) {
    write_chunked(true);
    const std::string sides = bytes_of_numbers<std::uint32_t>({side, side, side, side});
    EXPECT_TRUE(says(refusal_with_bytes(place_of_sides(), sides), "its chunks are more than"));
  }
}

// Each is not too large, but unpacking all of them would be.
TEST_F(KerasH5Crafted, ChunksThatAreLongAndMany) {
  write_chunked(true);
  const std::string sides = bytes_of_numbers<std::uint32_t>({1, 1, 1, 64 * 64 * 9});
  EXPECT_TRUE(says(refusal_with_bytes(place_of_sides(), sides), "its 576 chunks of 147456 bytes"));
}

TEST_F(KerasH5Crafted, ChunksOfAnotherShape) {
  write_chunked();
  // As large as before, so that only their places are wrong.
  EXPECT_TRUE(
      says(refusal_with_bytes(place_of_sides(), bytes_of_numbers<std::uint32_t>({3, 3, 64, 16})),
           "between chunks"));
}

TEST_F(KerasH5Crafted, AChunkThatIsThereTwice) {
  write_chunked();
  const size_t second_key =
      place_of_chunk_node() + kNodeHeadBytes + kChunkKeyBytes + sizeof(std::uint64_t);
  EXPECT_TRUE(
      says(refusal_with_bytes(second_key + 8, bytes_of_numbers<std::uint64_t>({0, 0, 0, 0, 0})),
           "its chunk 0 is in the file twice"));
}

TEST_F(KerasH5Crafted, AChunkOfAnotherSize) {
  for (const std::uint32_t bytes : {0u, 1u, 0x7fffffffu}) {
    for (const bool deflate : {false, true}) {
      write_chunked(deflate);
      EXPECT_TRUE(says(refusal_with_bytes(place_of_chunk_node() + kNodeHeadBytes,
                                          bytes_of_numbers<std::uint32_t>({bytes})),
                       "the kernel of layer block1_conv2"));
    }
  }
}

TEST_F(KerasH5Crafted, ATreeOfChunksThatContainsItself) {
  write_chunked();
  const size_t node = place_of_chunk_node();
  std::string bytes = file_bytes(path_);
  bytes[node + 5] = 7;  // a level with nodes below it
  write_bytes(path_, bytes);
  EXPECT_TRUE(says(refusal_with_bytes(node + kNodeHeadBytes + kChunkKeyBytes,
                                      bytes_of_numbers<std::uint64_t>({node})),
                   "should be on level 6, but it is on level 7"));
}

TEST_F(KerasH5Crafted, ATreeOfNamesThatContainsItself) {
  write_keras_h5(path_, sample_);
  const size_t node = place_of(file_bytes(path_), std::string("TREE\x00\x00\x01\x00", 8));
  std::string bytes = file_bytes(path_);
  bytes[node + 5] = 1;
  write_bytes(path_, bytes);
  EXPECT_TRUE(
      says(refusal_with_bytes(node + kNodeHeadBytes + 8, bytes_of_numbers<std::uint64_t>({node})),
           "should be on level 0, but it is on level 1"));
}

// A chain of nodes that all lead to the next twice would double the work at each level.
TEST_F(KerasH5Crafted, ATreeOfNamesThatLeadsToTheSameNodesAgainAndAgain) {
  write_keras_h5(path_, sample_);
  std::string bytes = file_bytes(path_);
  const size_t root = place_of(bytes, std::string("TREE\x00\x00\x01\x00", 8));
  constexpr int kLevels = 60;
  size_t below = bytes.size();
  for (int level = 0; level < kLevels; ++level) {
    std::string node = "TREE";
    node += '\0';
    node += static_cast<char>(level);
    node += level == 0 ? std::string(2, '\0') : std::string("\x02\x00", 2);
    node += std::string(16, '\xff');
    node += bytes_of_numbers<std::uint64_t>({0, below, 0, below, 0});
    below = bytes.size();
    bytes += node;
  }
  bytes[root + 5] = kLevels;
  bytes.replace(root + kNodeHeadBytes + 8, 8, bytes_of_numbers<std::uint64_t>({below}));
  write_bytes(path_, bytes);
  EXPECT_TRUE(says(refusal(path_), "or leads in circles"));
}

TEST_F(KerasH5Crafted, AHeaderThatContinuesInItself) {
  {
    const Hdf5Handle file = create_hdf5(path_);
    const Hdf5Handle space(H5Screate(H5S_SCALAR));
    for (const char* name : {"a", "b", "c", "d", "e", "f"}) {
      const Hdf5Handle attribute(
          H5Acreate2(file.id(), name, H5T_NATIVE_DOUBLE, space.id(), H5P_DEFAULT, H5P_DEFAULT));
    }
    write_keras_layer(file, sample_.convolutions[0]);
  }
  const std::string bytes = file_bytes(path_);
  constexpr size_t kRootPlace = 64;  // in the superblock
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data() + kRootPlace, sizeof header);
  // The message of type 16 that leads to 16 bytes: an address and a length.
  const size_t continuation = place_of(bytes, std::string("\x10\x00\x10\x00", 4));
  ASSERT_GT(continuation, header);
  EXPECT_TRUE(
      says(refusal_with_bytes(continuation + 8, bytes_of_numbers<std::uint64_t>({header + 16, 64})),
           "cannot read its root group: "));
}

// libhdf5 1.10.8 follows this list for ever. limn writes nothing and so needs no gaps.
TEST_F(KerasH5Crafted, AHeapWhoseGapsLeadInACircleIsReadAllTheSame) {
  write_keras_h5(path_, sample_);
  std::string bytes = file_bytes(path_);
  for (size_t heap = bytes.find("HEAP"); heap != std::string::npos;
       heap = bytes.find("HEAP", heap + 1)) {
    std::uint64_t content = 0;
    std::uint64_t gap = 0;
    std::memcpy(&gap, bytes.data() + heap + 16, sizeof gap);
    std::memcpy(&content, bytes.data() + heap + 24, sizeof content);
    if (content + gap + 8 <= bytes.size())
      bytes.replace(content + gap, 8, bytes_of_numbers<std::uint64_t>({gap}));
  }
  write_bytes(path_, bytes);
  EXPECT_TRUE(same_layers(read_weights(path_), sample_));
}

TEST_F(KerasH5Crafted, AChunkThatWouldInflateToAHundredTimesItsSize) {
  const hsize_t begin[] = {0, 0, 0, 0};
  const std::string zeros(20'000'000, '\0');
  std::string packed(compressBound(zeros.size()), '\0');
  uLongf packed_bytes = packed.size();
  ASSERT_EQ(compress2(reinterpret_cast<Bytef*>(packed.data()), &packed_bytes,
                      reinterpret_cast<const Bytef*>(zeros.data()), zeros.size(), 9),
            Z_OK);
  write_chunked(true);
  {
    const Hdf5Handle file(H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
    const Hdf5Handle kernel(H5Dopen2(file.id(), "block1_conv2/kernel:0", H5P_DEFAULT));
    ASSERT_GE(H5Dwrite_chunk(kernel.id(), H5P_DEFAULT, 0, begin, packed_bytes, packed.data()), 0);
  }
  EXPECT_TRUE(says(refusal(path_), "cannot be inflated"));
}

TEST_F(KerasH5Crafted, ValuesThatLieBeyondTheFile) {
  write_keras_h5(path_, sample_);
  // The layout's message: version 3, class 1, then address and size.
  const std::string size = bytes_of_numbers<std::uint64_t>({3 * 3 * 64 * 64 * 4});
  const size_t place = place_of(file_bytes(path_), size);
  for (const std::uint64_t address : {std::uint64_t{1} << 40, ~std::uint64_t{0} - 4}) {
    EXPECT_TRUE(says(refusal_with_bytes(place - 8, bytes_of_numbers<std::uint64_t>({address})),
                     "but the file has only"));
  }
}

}  // namespace
}  // namespace limn
