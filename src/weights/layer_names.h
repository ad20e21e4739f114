// VGG's layers among a file's tensors, whatever surrounds their names. People save the same network
// under many names:
//
//   features.21.weight                   torchvision's
//   module.features.21.weight            by nn.DataParallel; _orig_mod. by torch.compile
//   net.vgg.features.module.21.weight    inside other modules and dicts
//   21.weight                            the list of layers alone
//   slice4.21.weight                     cut into pieces that keep torchvision's numbers
//   vgg.conv4_2.weight, conv4_2/biases   Caffe's
//
// What they all have in common is numbers: those of torchvision's list, Caffe's pairs or, failing
// both, numbers that put sixteen (or thirteen) kernels of exactly VGG's shapes in order.
#pragma once

#include <string>

#include "weights/tensors.h"

namespace limn {

struct FoundLayers {
  TensorTable tensors;  // only those of the layers, as `naming` calls them
  TensorNaming naming;  // torchvision's names or Caffe's
};

// Finds the layers. `usual` is how the format's files usually name them: it says what the tensors'
// names end in, and which order the kernels have unless names and shapes say otherwise. If nothing
// looks like VGG, the table is empty. No values are read, unless two networks fit equally well:
// then they are compared.
//
// Throws Error (file): two different networks that fit equally well, a layer that appears twice, or
// normalisation between the convolutions.
FoundLayers find_layers(const std::string& path, const TensorTable& tensors,
                        const TensorNaming& usual);

}  // namespace limn
