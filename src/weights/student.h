// What a safetensors file holds for a student (network/student.h) besides its convolutions, as
// tools/train/export.py writes it.
//
// In the metadata, beside network ("builtin") and input convention:
//   widths            "16,16/32,32/...": of the convolutions, level by level
//   taps              "relu1_1=1_1 relu4_2=4_2 ...": for layers of VGG-19, the convolution whose
//                     ReLU imitates them; a different one for each
//   teacher_channels  "relu1_1=64 ...": those of VGG-19's layers
//   pooling           "max"
//   imitates, training, attribution, license: where it comes from (Provenance)
// and for each tap the tensor "tap.relu4_2", [C_s][C_s]: R (network/imitation.h).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "network/student.h"
#include "weights/tensors.h"

namespace limn {

// The tensor that holds a tap's R: "tap.relu4_2".
std::string tap_tensor(const std::string& layer);

// The student in a file with this metadata and these tensors. Throws Error (file): entries missing
// or not as above, tensors missing, of the wrong shape or not finite.
std::shared_ptr<const Student> read_student(const std::string& path, const TensorTable& tensors,
                                            const std::map<std::string, std::string>& metadata);

// Throws Error (file) unless the weights reach down to the student's last tap.
void check_reaches_taps(const std::string& path, const Weights& weights);

// The metadata entries from which read_student makes an equal student.
std::vector<std::pair<std::string, std::string>> student_metadata(const Student& student);

}  // namespace limn
