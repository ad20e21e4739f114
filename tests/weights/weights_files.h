// Small weights, files of them, sound and unsound, and what tests ask of reading them.
//
// VGG's first two convolutions are small (38,720 values), and a file may end after them: so most
// files here do.
#pragma once

#include <gtest/gtest.h>
#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/weights.h"

namespace limn {

// A folder of its own for one test, removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

 private:
  std::string folder_;
};

// The network's first `layers` convolutions, every value another multiple of 1/512 below 4 (until
// they repeat after 4,001), which a 16-bit float holds exactly.
Weights sample_weights(const NetworkTable& network, size_t layers);

// ------------------------------------------------------------------------------------- reading --

// Whether `message` contains `part`.
testing::AssertionResult says(const std::string& message, std::string_view part);

// The message with which read_weights refuses the file; a failure of the test unless it throws
// Error (file) and names the path.
std::string refusal(const std::string& path);

// Whether layers, shapes and all values are the same to the bit.
testing::AssertionResult same_layers(const Weights& a, const Weights& b);

// Whether the convolutions are the network's first, each of its shape, all values finite.
testing::AssertionResult well_formed(const Weights& weights);

// A line of /proc/self/status in bytes ("VmHWM": the most memory this process has had resident).
double status_bytes(const std::string& key);

// --------------------------------------------------------------------------------------- bytes --

std::string file_bytes(const std::string& path);
void write_bytes(const std::string& path, std::string_view bytes);

// A safetensors file: this header behind its length, then this data.
void write_raw_safetensors(const std::string& path, const std::string& header,
                           const std::string& data);

// ---------------------------------------------------------------------------------------- HDF5 --

// Written by the HDF Group's own library, so that limn's reader and it check each other.

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

 private:
  hid_t id_ = H5I_INVALID_HID;
};

// Of what age the structure of a file is that the library writes.
enum class Hdf5Age {
  oldest,  // as every version reads it, and as h5py writes it unless it is asked
  newest,
};

Hdf5Handle create_hdf5(const std::string& path, Hdf5Age age = Hdf5Age::oldest);
Hdf5Handle create_group(const Hdf5Handle& parent, const std::string& name);
void write_dataset(const Hdf5Handle& group, const std::string& name,
                   const std::vector<hsize_t>& shape, std::span<const float> values,
                   hid_t file_type = H5T_IEEE_F32LE, hid_t creation = H5P_DEFAULT,
                   const std::vector<hsize_t>& most_shape = {});  // empty: it cannot grow

// The kernel in Keras's order, [3][3][in][out], by the plainest of loops.
std::vector<float> keras_order(const Convolution& convolution);

enum class KerasLayout {
  direct,  // block1_conv1/block1_conv1_W_1:0
  nested,  // block1_conv1/block1_conv1/kernel:0
};

// IEEE 754's half, which HDF5 has no name for, as h5py writes it.
Hdf5Handle half_type(H5T_order_t order);

// The layer's group in `parent`, with kernel and bias in the layout.
void write_keras_layer(const Hdf5Handle& parent, const Convolution& convolution,
                       KerasLayout layout = KerasLayout::direct, hid_t file_type = H5T_IEEE_F32LE);

void write_keras_h5(const std::string& path, const Weights& weights,
                    KerasLayout layout = KerasLayout::direct, Hdf5Age age = Hdf5Age::oldest);

}  // namespace limn
