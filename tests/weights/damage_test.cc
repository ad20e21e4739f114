// Files cut short, with single bits flipped, or with numbers blown up: whatever the damage, a
// reader either throws one clean Error that names the file, or returns weights of the right shape
// (flipping a bit of a value is no damage that anyone could see). It never crashes or hangs, nor
// takes memory that only the damage asks for.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <fstream>
#include <numeric>
#include <random>

#include "caffe_writer.h"
#include "mat_writer.h"
#include "npy_writer.h"
#include "pth_files.h"
#include "support/sanitized.h"
#include "tensorflow_js_writer.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

// Places of a file that are damaged, one at a time; fewer where each takes long.
constexpr int kFlips = kSanitized ? 200 : 1000;

enum class Fate { refused, read };

// What becomes of a file with these bytes.
Fate fate_of(const std::string& bytes) {
  const TemporaryFolder folder;
  const std::string path = folder.path("damaged");
  write_bytes(path, bytes);
  try {
    EXPECT_TRUE(well_formed(read_weights(path)));
    return Fate::read;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file);
    EXPECT_TRUE(says(error.what(), "'" + path + "'"));
    return Fate::refused;
  }
}

// A sound Keras file of each kind: how its datasets are found, how old its structure is, whether
// they are in chunks with all filters, and in how large a crowd its layers are.
struct KerasKind {
  const char* name;
  KerasLayout layout = KerasLayout::direct;
  Hdf5Age age = Hdf5Age::oldest;
  bool packed = false;
  int other_groups = 0;
};
const KerasKind kKerasKinds[] = {
    {"direct"},
    {"nested", KerasLayout::nested},
    {"newest", KerasLayout::direct, Hdf5Age::newest},
    {"packed", KerasLayout::direct, Hdf5Age::oldest, true},
    {"packed, newest", KerasLayout::direct, Hdf5Age::newest, true},
    {"many groups", KerasLayout::direct, Hdf5Age::oldest, false, 40},
    {"many groups, newest", KerasLayout::direct, Hdf5Age::newest, false, 40},
};

std::string sound_keras_h5(const KerasKind& kind) {
  const TemporaryFolder folder;
  const std::string path = folder.path("sound.h5");
  {
    const Hdf5Handle file = create_hdf5(path, kind.age);
    const Hdf5Handle packed(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t sides[] = {2, 3, 3, 40};
    H5Pset_chunk(packed.id(), 4, sides);
    H5Pset_shuffle(packed.id());
    H5Pset_deflate(packed.id(), 6);
    H5Pset_fletcher32(packed.id());
    for (const Convolution& layer : sample_weights(kVgg19, 2).convolutions) {
      if (!kind.packed) {
        write_keras_layer(file, layer, kind.layout);
        continue;
      }
      const Hdf5Handle group =
          create_group(file, layer.id == "1_1" ? "block1_conv1" : "block1_conv2");
      const auto in = static_cast<hsize_t>(layer.in());
      write_dataset(group, "kernel", {3, 3, in, 64}, keras_order(layer), H5T_IEEE_F32LE,
                    packed.id());
      write_dataset(group, "bias", {64}, layer.bias);
    }
    for (int i = 0; i < kind.other_groups; ++i) create_group(file, "other" + std::to_string(i));
  }
  return file_bytes(path);
}

std::string sound_safetensors() {
  const TemporaryFolder folder;
  write_safetensors(sample_weights(kVgg19, 2), folder.path("sound.safetensors"));
  return file_bytes(folder.path("sound.safetensors"));
}

std::vector<std::string> sound_mats() {
  const Weights weights = sample_weights(kVgg19, 2);
  return {mat_file(weights, false), mat_file(weights, false, MatNesting::fields),
          mat_file(weights, true)};
}

std::vector<std::string> sound_caffemodels() {
  const Weights weights = sample_weights(kVgg19, 2);
  return {caffe_file(CaffeVersion::old, weights), caffe_file(CaffeVersion::now, weights)};
}

std::string sound_npz() {
  const TemporaryFolder folder;
  write_npz(folder.path("sound.npz"), sample_weights(kVgg19, 2));
  return file_bytes(folder.path("sound.npz"));
}

using WritePth = void (*)(const std::string&, const std::string&, const Storages&);
std::string sound_pth(WritePth write) {
  const TemporaryFolder folder;
  const Weights weights = sample_weights(kVgg19, 2);
  write(folder.path("sound.pth"), pickle_of(weights), storages_of(weights));
  return file_bytes(folder.path("sound.pth"));
}
std::string sound_pth_zip() { return sound_pth(write_pth_zip); }
std::string sound_pth_stream() {
  return sound_pth([](const std::string& path, const std::string& pickle,
                      const Storages& storages) { write_pth_stream(path, pickle, storages); });
}

// The places of all bytes that can mislead a reader: not the layers' values, and not the zeros of
// HDF5's spare room (those with 15 others before them).
std::vector<size_t> structure_of(const std::string& file) {
  std::vector<bool> is_value(file.size(), false);
  const auto mark = [&](std::span<const float> values) {
    const std::string bytes(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(float));
    const size_t begin = file.find(bytes);
    for (size_t i = 0; begin != std::string::npos && i < bytes.size(); ++i)
      is_value[begin + i] = true;
  };
  for (const Convolution& layer : sample_weights(kVgg19, 2).convolutions) {
    mark(unpacked(layer.kernel));
    mark(keras_order(layer));
    mark(matlab_order(layer));
    mark(layer.bias);
  }
  std::vector<size_t> places;
  size_t zeros = 0;
  for (size_t i = 0; i < file.size(); ++i) {
    zeros = file[i] == 0 ? zeros + 1 : 0;
    if (!is_value[i] && zeros < 16) places.push_back(i);
  }
  return places;
}

struct Fates {
  int refused = 0;
  int read = 0;
};

// One file for each of `count` places of `places`, which damage(bytes, place, bit) has changed.
template <typename Damage>
Fates fates_of(const std::string& sound, const std::vector<size_t>& places, int count,
               unsigned seed, const Damage& damage) {
  std::mt19937 random(seed);  // the same numbers on every machine
  Fates fates;
  for (int i = 0; i < count; ++i) {
    const size_t place = places[random() % places.size()];
    const unsigned bit = random() % 8;
    SCOPED_TRACE("bit " + std::to_string(bit) + " of byte " + std::to_string(place));
    std::string damaged = sound;
    damage(damaged, place, bit);
    ++(fate_of(damaged) == Fate::refused ? fates.refused : fates.read);
  }
  return fates;
}

void flip(std::string& bytes, size_t place, unsigned bit) {
  bytes[place] = static_cast<char>(bytes[place] ^ (1 << bit));
}

Fates fates_of_flips(const std::string& sound, const std::vector<size_t>& places, int count,
                     unsigned seed) {
  return fates_of(sound, places, count, seed, flip);
}

// Sets 1, 2, 4 or 8 bytes to all ones, or to the largest number that has a sign.
void blow_up(std::string& bytes, size_t place, unsigned bit) {
  const size_t count = std::min(size_t{1} << bit / 2, bytes.size() - place);
  bytes.replace(place, count, count, '\xff');
  if (bit % 2 == 1) bytes[place + count - 1] = '\x7f';
}

// Cuts the file at each place of its first 64 bytes and at about a hundred more, evenly spread.
void expect_all_cuts_refused(const std::string& sound) {
  ASSERT_EQ(fate_of(sound), Fate::read);
  testing::internal::CaptureStderr();
  for (size_t bytes = 0; bytes < sound.size(); bytes += bytes < 64 ? 1 : sound.size() / 100) {
    EXPECT_EQ(fate_of(sound.substr(0, bytes)), Fate::refused) << "cut to " << bytes << " bytes";
  }
  EXPECT_EQ(fate_of(sound.substr(0, sound.size() - 1)), Fate::refused);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "a library printed something";
}

TEST(Damage, EveryCutOfAKerasFileIsRefusedInSilence) {
  for (const KerasKind& kind : kKerasKinds) {
    SCOPED_TRACE(kind.name);
    expect_all_cuts_refused(sound_keras_h5(kind));
  }
}

TEST(Damage, EveryCutOfASafetensorsFileIsRefusedInSilence) {
  expect_all_cuts_refused(sound_safetensors());
}

TEST(Damage, FlippedBitsOfAKerasFileAreRefusedOrHarmless) {
  unsigned seed = 1;
  for (const KerasKind& kind : kKerasKinds) {
    SCOPED_TRACE(kind.name);
    const std::string sound = sound_keras_h5(kind);
    const Fates fates = fates_of_flips(sound, structure_of(sound), kFlips, seed++);
    // Some of HDF5's structure does not matter to limn; but flips of nothing else would be no test,
    // nor would flips after which nothing is read.
    EXPECT_GT(fates.refused, 20);
    // What is new in HDF5 has checksums, what is old has none.
    if (kind.age == Hdf5Age::oldest) {
      EXPECT_GT(fates.read, 5);
    }
  }
}

TEST(Damage, BlownUpNumbersOfAKerasFileTakeNoMemory) {
  std::ofstream("/proc/self/clear_refs") << "5";  // sets VmHWM back to what is resident now
  const double before = status_bytes("VmHWM");
  unsigned seed = 1;
  for (const KerasKind& kind : kKerasKinds) {
    SCOPED_TRACE(kind.name);
    const std::string sound = sound_keras_h5(kind);
    const Fates fates = fates_of(sound, structure_of(sound), kFlips, seed++, blow_up);
    EXPECT_GT(fates.refused, 20);
  }
  if (kSanitized) return;  // the sanitizers' own memory would be counted
  // The files have 160 KB; a chunk may take 1 MB and more of small ones (hdf5_chunks.cc).
  EXPECT_LT(status_bytes("VmHWM") - before, 32e6);
}

TEST(Damage, FlippedBitsOfASafetensorsFileAreRefusedOrHarmless) {
  const std::string sound = sound_safetensors();
  const Fates fates = fates_of_flips(sound, structure_of(sound), kFlips, 3);
  EXPECT_GT(fates.refused, 100);
  EXPECT_GT(fates.read, 0);  // a digit of the mean, say
}

TEST(Damage, EveryCutOfAMatFileIsRefused) {
  for (const std::string& sound : sound_mats()) expect_all_cuts_refused(sound);
}

TEST(Damage, FlippedBitsOfAMatFileAreRefusedOrHarmless) {
  unsigned seed = 5;
  for (const std::string& sound : sound_mats()) {
    const Fates fates = fates_of_flips(sound, structure_of(sound), kFlips, seed++);
    EXPECT_GT(fates.refused, 40);
    // Of the header's text, say. What zlib packed seldom outlives a flip.
    EXPECT_GT(fates.read, sound == sound_mats().back() ? 0 : 20);
  }
}

TEST(Damage, EveryCutOfACaffemodelIsRefused) {
  for (const std::string& sound : sound_caffemodels()) expect_all_cuts_refused(sound);
}

TEST(Damage, FlippedBitsOfACaffemodelAreRefusedOrHarmless) {
  unsigned seed = 8;
  for (const std::string& sound : sound_caffemodels()) {
    const Fates fates = fates_of_flips(sound, structure_of(sound), kFlips, seed++);
    EXPECT_GT(fates.refused, 20);
    EXPECT_GT(fates.read, 20);
  }
}

// All lengths of both formats are numbers of 4 bytes or fewer; blown up, they ask for up to 4 GB.
TEST(Damage, BytesBlownUpAreRefusedOrHarmless) {
  std::vector<std::string> files = sound_mats();
  for (const std::string& file : sound_caffemodels()) files.push_back(file);
  std::mt19937 random(10);
  for (const std::string& sound : files) {
    const std::vector<size_t> places = structure_of(sound);
    for (int i = 0; i < 200; ++i) {
      const size_t place = places[random() % places.size()];
      SCOPED_TRACE("byte " + std::to_string(place));
      std::string damaged = sound;
      for (size_t at = place; at < std::min(place + 1 + random() % 4, damaged.size()); ++at)
        damaged[at] = '\xff';
      fate_of(damaged);
    }
  }
}

TEST(Damage, FlippedBitsAndCutsOfATensorFlowJsModelAreRefusedOrHarmless) {
  const TemporaryFolder folder;
  const std::string path = folder.path("model.json");
  const nlohmann::json group = write_js_shards(folder, js_group(sample_weights(kVgg19, 2)));
  const std::string sound = js_model(nlohmann::json::array({group}));
  Fates fates;
  const auto try_out = [&](const std::string& bytes) {
    write_bytes(path, bytes);
    try {
      EXPECT_TRUE(well_formed(read_weights(path)));
      ++fates.read;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::file);
      EXPECT_TRUE(says(error.what(), "'" + path + "'"));
      ++fates.refused;
    }
  };
  for (size_t bytes = 0; bytes < sound.size(); ++bytes) try_out(sound.substr(0, bytes));
  EXPECT_EQ(fates.read, 0);
  fates = {};
  for (size_t place = 0; place < sound.size(); ++place) {
    SCOPED_TRACE("byte " + std::to_string(place));
    std::string damaged = sound;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << place % 8));
    try_out(damaged);
  }
  EXPECT_GT(fates.refused, 100);
  EXPECT_GT(fates.read, 20);  // of the description of the layers
}

TEST(Damage, FlippedBitsOfValuesAreMostlyHarmless) {
  for (const std::string& sound :
       {sound_keras_h5({}), sound_safetensors(), sound_mats()[0], sound_caffemodels()[0]}) {
    std::vector<size_t> anywhere(sound.size());
    std::iota(anywhere.begin(), anywhere.end(), 0);
    EXPECT_GT(fates_of_flips(sound, anywhere, kFlips, 4).read, 150);
  }
}

TEST(Damage, EveryCutOfZipContainersAndPytorchStreamsIsRefusedInSilence) {
  expect_all_cuts_refused(sound_npz());
  expect_all_cuts_refused(file_bytes(made_file("deflated.npz")));
  expect_all_cuts_refused(sound_pth_zip());
  expect_all_cuts_refused(sound_pth_stream());
}

// Of a zip container much is said twice, and of its directory limn needs little: flips that change
// nothing are the rule.
TEST(Damage, FlippedBitsOfZipContainersAreRefusedOrHarmless) {
  for (const std::string& sound :
       {sound_npz(), file_bytes(made_file("deflated.npz")), sound_pth_zip(),
        file_bytes(made_file("zip.pth")), file_bytes(made_file("checkpoint_half.pth"))}) {
    const Fates fates = fates_of_flips(sound, structure_of(sound), kFlips, 5);
    EXPECT_GT(fates.refused, 50);
    EXPECT_GT(fates.read, 0);
  }
}

TEST(Damage, FlippedBitsOfPytorchStreamsAreRefusedOrHarmless) {
  for (const std::string& sound : {sound_pth_stream(), file_bytes(made_file("stream.pth"))}) {
    const Fates fates = fates_of_flips(sound, structure_of(sound), kFlips, 6);
    EXPECT_GT(fates.refused, 50);
    EXPECT_GT(fates.read, 10);
  }
}

TEST(Damage, EveryCutOfANpyFileIsRefusedInSilence) {
  expect_all_cuts_refused(npy_file(sample_weights(kVgg19, 2)));
  // All of the structure of real ones, every few bytes of their values.
  for (const char* name : {"dict.npy", "protocol2.npy", "protocol4.npy", "protocol5.npy"}) {
    const std::string sound = file_bytes(made_file(name));
    for (size_t bytes = 0; bytes < sound.size(); bytes += 7)
      ASSERT_EQ(fate_of(sound.substr(0, bytes)), Fate::refused) << name << " cut to " << bytes;
  }
}

TEST(Damage, FlippedBitsOfNpyFilesAreRefusedOrHarmless) {
  for (const std::string& sound :
       {npy_file(sample_weights(kVgg19, 2)), file_bytes(made_file("dict.npy")),
        file_bytes(made_file("protocol4.npy")), file_bytes(made_file("protocol5.npy"))}) {
    const Fates fates = fates_of_flips(sound, structure_of(sound), kFlips, 9);
    EXPECT_GT(fates.refused, kFlips / 25);
    EXPECT_GT(fates.read, 10);
    fates_of(sound, structure_of(sound), kFlips, 10, blow_up);
  }
}

// A zip container has checksums.
TEST(Damage, FlippedBitsOfValuesInZipContainersAreRefused) {
  for (const std::string& sound : {sound_npz(), sound_pth_zip()}) {
    std::vector<size_t> values(140'000);  // of conv1_2, which lies in the middle
    std::iota(values.begin(), values.end(), 9'000);
    EXPECT_EQ(fates_of_flips(sound, values, 50, 7).read, 0);
  }
}

}  // namespace
}  // namespace limn
