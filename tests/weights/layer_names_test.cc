#include "weights/layer_names.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limn/limn.h>

#include "support/errors.h"
#include "weights/checks.h"
#include "weights_files.h"

namespace limn {
namespace {

using Shape = std::vector<std::uint64_t>;

// A tensor of this shape whose values are all `value`.
Tensor tensor(Shape shape, float value = 0) {
  size_t count = 1;
  for (const std::uint64_t dimension : shape) count *= dimension;
  return {std::move(shape), "F32", [count, value] {
            Buffer<float> values(count);
            std::ranges::fill(values, value);
            return values;
          }};
}

// A name for the layer in this place of torchvision's list, with the id "4_2", as number `index` of
// the convolutions.
using NameLayer = std::function<std::string(int place, const std::string& id, int index)>;

// The network's first `count` layers under these names.
TensorTable table_of(const NetworkTable& network, const NameLayer& name, size_t count = 16,
                     float value = 0) {
  const std::vector<std::string> places = torchvision_names(network);
  const std::vector<Convolution> convolutions = planned_convolutions(network);
  TensorTable tensors;
  for (size_t i = 0; i < std::min(count, convolutions.size()); ++i) {
    const auto in = static_cast<std::uint64_t>(convolutions[i].in());
    const auto out = static_cast<std::uint64_t>(convolutions[i].out());
    const std::string layer =
        name(std::stoi(places[i].substr(9)), convolutions[i].id, static_cast<int>(i));
    tensors[layer + ".weight"] = tensor({out, in, 3, 3}, value);
    tensors[layer + ".bias"] = tensor({out});
  }
  return tensors;
}

NameLayer behind(const std::string& prefix) {
  return [=](int place, const std::string&, int) { return fmt::format("{}{}", prefix, place); };
}

void merge(TensorTable& tensors, TensorTable others) { tensors.merge(others); }

FoundLayers find(const TensorTable& tensors) {
  return find_layers("a.pth", tensors, kTorchvisionNaming);
}

std::string refusal_of(const TensorTable& tensors) {
  try {
    find(tensors);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::file);
    EXPECT_TRUE(says(error.what(), "'a.pth'"));
    return error.what();
  }
  ADD_FAILURE() << "should have been refused";
  return "";
}

// Whether the layers that were found are those that torchvision's or Caffe's names would have
// given.
testing::AssertionResult has_all(const FoundLayers& found, const NetworkTable& network,
                                 size_t count = 16) {
  const std::vector<std::string> names = found.naming.layers(network);
  const std::vector<Convolution> convolutions = planned_convolutions(network);
  const size_t layers = std::min(count, convolutions.size());
  if (found.tensors.size() != 2 * layers)
    return testing::AssertionFailure() << found.tensors.size() << " tensors were found";
  for (size_t i = 0; i < layers; ++i) {
    const auto kernel = found.tensors.find(names[i] + ".weight");
    if (kernel == found.tensors.end() || !found.tensors.contains(names[i] + ".bias"))
      return testing::AssertionFailure() << names[i] << " is missing";
    const auto out = static_cast<std::uint64_t>(convolutions[i].out());
    if (kernel->second.shape[0] != out)
      return testing::AssertionFailure() << names[i] << " is another layer";
  }
  return testing::AssertionSuccess();
}

TEST(LayerNames, AreFoundBehindAnyPrefix) {
  for (const char* prefix :
       {"", "features.", "module.features.", "module.module.features.", "features.module.",
        "vgg.features.", "vgg.", "backbone.features.", "_orig_mod.features.", "model.net.encoder.",
        "module._orig_mod.backbone.0.features.", "state_dict.vgg19.features.", "features/"}) {
    for (const NetworkTable* network : {&kVgg16, &kVgg19}) {
      const FoundLayers found = find(table_of(*network, behind(prefix)));
      EXPECT_TRUE(has_all(found, *network)) << prefix;
      EXPECT_EQ(found.naming.layers, &torchvision_names);
      EXPECT_EQ(found.naming.order, KernelOrder::out_in_y_x);
    }
    EXPECT_TRUE(has_all(find(table_of(kVgg19, behind(prefix), 3)), kVgg19, 3)) << prefix;
  }
}

TEST(LayerNames, AreFoundAsCaffesBehindAnyPrefix) {
  for (const char* prefix : {"", "vgg.", "module.net.conv", "a.block"}) {
    const auto name = [&](int, const std::string& id, int) {
      if (!std::string_view(prefix).ends_with("block")) return fmt::format("{}conv{}", prefix, id);
      return fmt::format("{}{}_conv{}", prefix, id[0], id[2]);  // as Keras has it
    };
    const FoundLayers found = find(table_of(kVgg19, name));
    EXPECT_TRUE(has_all(found, kVgg19)) << prefix;
    EXPECT_EQ(found.naming.layers, &caffe_names);
  }
}

TEST(LayerNames, AreFoundWithAnythingBehindTheNumber) {
  const auto name = [](int place, const std::string&, int) {
    return fmt::format("features.{}.conv", place);
  };
  EXPECT_TRUE(has_all(find(table_of(kVgg19, name)), kVgg19));
}

// lpips and others cut the list into pieces, in which modules keep their numbers.
TEST(LayerNames, AreFoundInPiecesThatKeepTheNumbers) {
  const auto name = [](int place, const std::string&, int) {
    return fmt::format("net.slice{}.{}", place < 4 ? 1 : place < 9 ? 2 : place < 18 ? 3 : 4, place);
  };
  for (const NetworkTable* network : {&kVgg16, &kVgg19})
    EXPECT_TRUE(has_all(find(table_of(*network, name)), *network));
}

TEST(LayerNames, AreFoundByOrderWhereAllShapesAreVggs) {
  const auto pieces = [](int, const std::string& id, int) {  // in which numbers begin anew
    return fmt::format("slice{}.{}", id[0], 2 * (id[2] - '1'));
  };
  const auto plain = [](int, const std::string&, int index) {
    return fmt::format("convs.{}", index);  // 2 before 10
  };
  const auto from_one = [](int, const std::string&, int index) {
    return fmt::format("vgg.layer{}", index + 1);
  };
  for (const NameLayer& name : {NameLayer(pieces), NameLayer(plain), NameLayer(from_one)}) {
    EXPECT_TRUE(has_all(find(table_of(kVgg19, name)), kVgg19));
    EXPECT_TRUE(has_all(find(table_of(kVgg16, name)), kVgg16));
    // Fewer layers might have gaps that no shape shows: their order is not believed.
    try {
      EXPECT_LT(find(table_of(kVgg19, name, 15)).tensors.size(), 10u);
    } catch (const Error& error) {
      EXPECT_TRUE(says(error.what(), "is neither VGG-16 nor VGG-19"));
    }
  }
}

TEST(LayerNames, TakeTheOrderOfKernelsFromTheirShapes) {
  TensorTable tensors;
  tensors["conv1_1_W"] = tensor({3, 3, 3, 64});
  tensors["conv1_1_b"] = tensor({64});
  FoundLayers found = find(tensors);
  EXPECT_EQ(found.naming.order, KernelOrder::y_x_in_out);
  EXPECT_TRUE(found.tensors.contains("conv1_1.weight") && found.tensors.contains("conv1_1.bias"));
  tensors["conv1_1_W"] = tensor({64, 3, 3, 3});
  EXPECT_EQ(find(tensors).naming.order, KernelOrder::out_in_y_x);
}

TEST(LayerNames, KnowOtherWordsForKernelAndBias) {
  for (const auto& [kernel, bias] : {std::pair("/kernel:0", "/bias:0"),
                                     {".weights", ".biases"},
                                     {"/W", "/b"},
                                     {"_filter", "_biases"}}) {
    TensorTable tensors;
    tensors[std::string("vgg_19/conv1/conv1_1") + kernel] = tensor({3, 3, 3, 64});
    tensors[std::string("vgg_19/conv1/conv1_1") + bias] = tensor({64});
    EXPECT_EQ(find(tensors).tensors.size(), 2u) << kernel;
  }
}

TEST(LayerNames, AreThoseOfTheNetworkThatIsVgg) {
  TensorTable tensors = table_of(kVgg19, behind("loss.vgg."));
  tensors["generator.0.weight"] = tensor({64, 3, 3, 3});  // begins alike
  tensors["generator.0.bias"] = tensor({64});
  tensors["generator.3.weight"] = tensor({64, 64, 9, 9});
  tensors["classifier.0.weight"] = tensor({10, 512});
  tensors["classifier.0.bias"] = tensor({10});
  EXPECT_TRUE(has_all(find(tensors), kVgg19));
}

TEST(LayerNames, RefuseTwoNetworks) {
  TensorTable tensors = table_of(kVgg19, behind("model.features."), 3);
  merge(tensors, table_of(kVgg19, behind("ema.features."), 3, 1.0f));
  EXPECT_TRUE(says(refusal_of(tensors),
                   "has more than one network that begins like VGG: 'ema.features.0.weight' and "
                   "'model.features.0.weight'"));
}

TEST(LayerNames, TakeEitherOfTwoThatAreTheSame) {
  TensorTable tensors = table_of(kVgg19, behind("model.features."), 3);
  merge(tensors, table_of(kVgg19, behind("loss.vgg."), 3));
  EXPECT_TRUE(has_all(find(tensors), kVgg19, 3));
}

// DnCNN and many others begin as VGG does, with one kernel of 64 x 3 and one of 64 x 64.
TEST(LayerNames, RefuseAnotherNetworkWithVggsBeginning) {
  TensorTable tensors = table_of(kVgg19, behind("model."), 2);
  tensors["model.4.weight"] = tensor({64, 64, 3, 3});
  EXPECT_TRUE(says(refusal_of(tensors),
                   "is neither VGG-16 nor VGG-19: between their layers it has 'model.4.weight' of "
                   "64 x 64 x 3 x 3"));
}

TEST(LayerNames, RefuseNormalisation) {
  TensorTable tensors = table_of(kVgg19, behind("net.features."), 1);
  tensors["net.features.1.weight"] = tensor({64});
  EXPECT_TRUE(says(refusal_of(tensors), "it has 'net.features.1.weight' of 64"));
  tensors["net.features.1.running_mean"] = tensor({64});
  EXPECT_TRUE(says(refusal_of(tensors), "is a VGG with batch normalisation"));

  // By order alone, all its convolutions are VGG's.
  const auto pairs = [](int, const std::string&, int index) {
    return fmt::format("layers.{}.0", index);
  };
  tensors = table_of(kVgg19, pairs);
  for (int i = 0; i < 16; ++i) tensors[fmt::format("layers.{}.1.running_mean", i)] = tensor({64});
  EXPECT_TRUE(says(refusal_of(tensors), "is a VGG with batch normalisation"));
}

TEST(LayerNames, RefuseALayerThatIsThereTwice) {
  TensorTable tensors = table_of(kVgg19, behind("features."), 1);
  tensors["features.00.weight"] = tensor({64, 3, 3, 3}, 1.0f);
  EXPECT_TRUE(says(refusal_of(tensors), "appears twice"));
}

TEST(LayerNames, FindNothingInOtherNetworks) {
  TensorTable resnet;
  resnet["conv1.weight"] = tensor({64, 3, 7, 7});
  resnet["layer1.0.conv1.weight"] = tensor({64, 64, 3, 3});
  resnet["layer1.0.conv2.weight"] = tensor({64, 64, 3, 3});
  resnet["fc.bias"] = tensor({1000});
  EXPECT_TRUE(find(resnet).tensors.empty());
  EXPECT_EQ(describe_tensors(resnet), "4 tensor(s), such as 'conv1.weight' of 64 x 3 x 7 x 7");
  EXPECT_TRUE(find({}).tensors.empty());
  EXPECT_EQ(describe_tensors({}), "no tensors at all");
}

// Then the reader says which layer has which shape.
TEST(LayerNames, LeaveAWrongShapeUnderAUsualNameToBeNamed) {
  TensorTable alexnet;
  alexnet["features.0.weight"] = tensor({64, 3, 11, 11});
  EXPECT_TRUE(find(alexnet).tensors.contains("features.0.weight"));
}

TEST(LayerNames, WithstandOddNames) {
  TensorTable tensors;
  for (const char* name :
       {"", ".", "weight", ".weight", "0", "0.", ".0.weight", "#.weight", "1_1.bias",
        "99999999999999999999.weight", "conv1_1.99999999999999999999.bias", "_W", "/kernel:0", ":0",
        "1.2.3.4.5.6.7.8.9.weight"})
    tensors[name] = tensor({64, 3, 3, 3});
  find(tensors);
}

}  // namespace
}  // namespace limn
