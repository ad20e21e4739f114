// The public face of weights.
#include <limn/limn.h>

#include "network/weights.h"
#include "weights/read.h"

namespace limn {

Model Model::read(const std::string& path) {
  return Model(std::make_shared<const Weights>(read_weights(path)));
}

Model Model::builtin() { return Model(std::make_shared<const Weights>(read_builtin())); }

std::string_view Model::network() const { return weights_->network->name; }

void Model::write(const std::string& path) const { write_safetensors(*weights_, path); }

}  // namespace limn
