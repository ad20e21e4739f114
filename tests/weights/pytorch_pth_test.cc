#include <gtest/gtest.h>
#include <limn/limn.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "pth_files.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

using namespace std::string_literals;

// ---------------------------------------------------------------------------- what PyTorch writes

TEST(PytorchPth, ReadsBothOfPyTorchsContainers) {
  for (const char* name : {"zip.pth", "stream.pth"}) {
    const Weights weights = read_weights(made_file(name));
    EXPECT_TRUE(same_layers(weights, sample_weights(kVgg19, 1))) << name;
    EXPECT_EQ(weights.convention, kTorchvisionConvention);
    EXPECT_EQ(weights.format, "PyTorch .pth");
    EXPECT_EQ(weights.source, made_file(name));
  }
}

TEST(PytorchPth, ReadsACheckpointOfParametersInHalf) {
  EXPECT_TRUE(
      same_layers(read_weights(made_file("checkpoint_half.pth")), sample_weights(kVgg19, 1)));
}

TEST(PytorchPth, ReadsPermutedViewsOfOneStorageUnderPlainNames) {
  const Weights weights = read_weights(made_file("views_half_stream.pth"));
  EXPECT_TRUE(same_layers(weights, sample_weights(kVgg19, 1)));
  EXPECT_EQ(weights.convention, kCaffeConvention);
}

TEST(PytorchPth, ReadsBfloat16) {
  const Weights weights = read_weights(made_file("bfloat.pth"));
  const Weights exact = sample_weights(kVgg19, 1);
  const Buffer<float>& read = weights.convolutions[0].kernel.values;
  const Buffer<float>& expected = exact.convolutions[0].kernel.values;
  for (size_t i = 0; i < read.size(); ++i)  // 8 bits of fraction, rounded
    ASSERT_LE(std::abs(read[i] - expected[i]), std::abs(expected[i]) / 256) << i;
}

TEST(PytorchPth, RefusesAWholeModelSayingWhatToSave) {
  const std::string message = refusal(made_file("whole_model.pth"));
  EXPECT_TRUE(
      says(message, "is a whole model (it asks for 'torch.nn.modules.container.Sequential"));
  EXPECT_TRUE(says(message, "model.state_dict()"));
}

// ------------------------------------------------------------------------------ files of our own

TEST(PytorchPth, ReadsEveryLayerOfBothNetworks) {
  const TemporaryFolder folder;
  for (const NetworkTable* network : {&kVgg16, &kVgg19}) {
    const Weights weights = sample_weights(*network, 8);  // 3_4 tells them apart
    write_pth_zip(folder.path("zip"), pickle_of(weights), storages_of(weights));
    write_pth_stream(folder.path("stream"), pickle_of(weights), storages_of(weights));
    EXPECT_TRUE(same_layers(read_weights(folder.path("zip")), weights));
    EXPECT_TRUE(same_layers(read_weights(folder.path("stream")), weights));
  }
}

std::string refusal_of_pickle(const std::string& pickle) {
  const TemporaryFolder folder;
  write_pth_stream(folder.path("stream.pth"), pickle, {});
  refusal(folder.path("stream.pth"));
  write_pth_zip(folder.path("zip.pth"), pickle, {});
  return refusal(folder.path("zip.pth"));
}

// The first layer under these names, its kernel the tensor.
struct OneLayer {
  Weights weights = sample_weights(kVgg19, 1);
  PickledTensor kernel = sound_tensor("0", {64, 3, 3, 3});
  PickledTensor bias = sound_tensor("1", {64});
  Storages storages = storages_of(weights);
  std::string prefix = "features.0.";

  std::string pickle() const {
    return pickled_dict({{prefix + "weight", kernel.text()}, {prefix + "bias", bias.text()}});
  }
  // Both containers; what is said of the zip file, once both were seen to be refused.
  std::string refusals() const {
    const TemporaryFolder folder;
    write_pth_stream(folder.path("stream.pth"), pickle(), storages);
    refusal(folder.path("stream.pth"));
    write_pth_zip(folder.path("zip.pth"), pickle(), storages);
    return refusal(folder.path("zip.pth"));
  }
  void expect_read() const {
    const TemporaryFolder folder;
    write_pth_stream(folder.path("stream.pth"), pickle(), storages);
    EXPECT_TRUE(same_layers(read_weights(folder.path("stream.pth")), weights));
    write_pth_zip(folder.path("zip.pth"), pickle(), storages);
    EXPECT_TRUE(same_layers(read_weights(folder.path("zip.pth")), weights));
  }
};

TEST(PytorchPth, ReadsTheNamesThatFeaturesAloneHas) {
  OneLayer file;
  file.expect_read();
  file.prefix = "0.";
  file.expect_read();
  file.prefix = "module.features.0.";
  file.expect_read();
}

// A dict within another pickle.
std::string inner_dict(const std::vector<std::pair<std::string, std::string>>& items) {
  const std::string whole = pickled_dict(items);
  return whole.substr(2, whole.size() - 3);  // without the protocol and the end
}

testing::AssertionResult reads(const std::string& pickle, const OneLayer& file) {
  const TemporaryFolder folder;
  write_pth_zip(folder.path("a.pth"), pickle, file.storages);
  return same_layers(read_weights(folder.path("a.pth")), file.weights);
}

TEST(PytorchPth, ReadsAStateDictUnderAnyKey) {
  const OneLayer file;
  for (const char* prefix :
       {"features.0.", "module.features.0.", "features.module.0.", "vgg.features.0.", "backbone.0.",
        "_orig_mod.features.0.", "module.module.net.encoder.0.", "0."}) {
    const std::string state = inner_dict({{std::string(prefix) + "weight", file.kernel.text()},
                                          {std::string(prefix) + "bias", file.bias.text()}});
    for (const char* key :
         {"state_dict", "model_state_dict", "net", "model", "params_ema", "x y"}) {
      const std::string checkpoint =
          inner_dict({{"epoch", pickled(3)}, {key, state}, {"loss", "N"}});
      EXPECT_TRUE(reads("\x80\x02" + checkpoint + ".", file)) << prefix << " under " << key;
      const std::string outer = pickled_dict({{"args", ")"}, {"model", checkpoint}});
      EXPECT_TRUE(reads(outer, file)) << prefix << " deeper";
      const std::string tuple = "\x80\x02" + pickled_tuple({state, pickled(7)}) + ".";
      EXPECT_TRUE(reads(tuple, file)) << prefix << " in a tuple";
    }
  }
}

// Every kind of thing that lies beside the weights, as PyTorch itself wrote it.
TEST(PytorchPth, ReadsACheckpointOfTraining) {
  const Weights weights = read_weights(made_file("training.pth"));
  EXPECT_TRUE(same_layers(weights, sample_weights(kVgg19, 1)));
  EXPECT_EQ(weights.convention, kTorchvisionConvention);
}

TEST(PytorchPth, SaysWhatIsThereInsteadOfAStateDict) {
  const OneLayer file;
  EXPECT_TRUE(says(refusal_of_pickle(pickled_dict({{"epoch", pickled(3)}, {"arch", pickled("x")}})),
                   "it has no tensors at all, in a dict of 'epoch', 'arch'"));
  EXPECT_TRUE(
      says(refusal_of_pickle(
               pickled_dict({{"net", inner_dict({{"conv1.weight", file.kernel.text()}})}})),
           "it has 1 tensor(s), such as 'net.conv1.weight' of 64 x 3 x 3 x 3, in a dict of 'net'"));
  EXPECT_TRUE(says(refusal_of_pickle("\x80\x02" + file.kernel.text() + "."),
                   "but it holds a single tensor of 64 x 3 x 3 x 3"));
  EXPECT_TRUE(says(refusal_of_pickle("\x80\x02](" + file.kernel.text() + file.bias.text() + "e."),
                   "but it holds a list of 2 unnamed value(s)"));
  EXPECT_TRUE(
      says(refusal_of_pickle("\x80\x02" + pickled("hello") + "."), "but it holds a string"));
}

TEST(PytorchPth, RefusesTwoNetworksInOneFile) {
  OneLayer file;
  const std::string other = inner_dict(
      {{"0.weight", sound_tensor("2", {64, 3, 3, 3}).text()}, {"0.bias", file.bias.text()}});
  const std::string state =
      inner_dict({{"0.weight", file.kernel.text()}, {"0.bias", file.bias.text()}});
  file.storages.emplace_back("2", std::string(4 * 1728, '\0'));
  const std::string pickle = pickled_dict({{"model", state}, {"ema", other}});
  const TemporaryFolder folder;
  write_pth_zip(folder.path("a.pth"), pickle, file.storages);
  EXPECT_TRUE(says(refusal(folder.path("a.pth")), "'ema.0.weight' and 'model.0.weight'"));
  EXPECT_TRUE(reads(pickled_dict({{"model", state}, {"ema", state}}), file));  // the same twice
}

// A dict in each of ten places of a dict in each of ten places ...: to who walks all, 10^8 tensors.
TEST(PytorchPth, TakesBillionLaughsLightly) {
  const OneLayer file;
  std::string text = inner_dict(
      {{"features.0.weight", file.kernel.text()}, {"features.0.bias", file.bias.text()}});
  for (char level = 0; level < 8; ++level) {
    text += "q"s + level + "0}(";
    for (int i = 0; i < 10; ++i) text += pickled(i) + "h"s + level;
    text += "u";
  }
  EXPECT_TRUE(reads("\x80\x02" + text + ".", file));
}

TEST(PytorchPth, BoundsTheNumberOfTensors) {
  const OneLayer file;
  std::string text = "\x80\x02" + file.bias.text() +
                     "q\x01"
                     "0}(";
  for (int i = 0; i < 20'001; ++i) text += pickled(i) + "h\x01";
  EXPECT_TRUE(says(refusal_of_pickle(text + "u."), "at most 20000 tensors"));
}

TEST(PytorchPth, ReadsWhatPython2Wrote) {
  const TemporaryFolder folder;
  const OneLayer file;
  const auto string = [](const std::string& text) {
    return "U"s + static_cast<char>(text.size()) + text;
  };
  const std::string pickle =
      "\x80\x02"
      "ccollections\nOrderedDict\n](](" +
      string("features.0.weight") + file.kernel.text() + "e](" + string("features.0.bias") +
      file.bias.text() + "ee\x85R.";
  write_pth_stream(folder.path("a.pth"), pickle, file.storages);
  EXPECT_TRUE(same_layers(read_weights(folder.path("a.pth")), file.weights));
}

TEST(PytorchPth, ReadsTensorsOfTheGpu) {
  OneLayer file;
  file.kernel.type = "cuda.FloatStorage";
  std::string text = file.pickle();
  const size_t place = text.find("ctorch\ncuda.FloatStorage");
  text.replace(place, 24, "ctorch.cuda\nFloatStorage");
  const TemporaryFolder folder;
  write_pth_zip(folder.path("a.pth"), text, file.storages);
  EXPECT_TRUE(same_layers(read_weights(folder.path("a.pth")), file.weights));
}

TEST(PytorchPth, ReadsBigEndianNumbersWhereTheFileSaysSo) {
  OneLayer file;
  for (auto& [key, bytes] : file.storages) {
    for (size_t i = 0; i < bytes.size(); i += 4) std::reverse(&bytes[i], &bytes[i] + 4);
  }
  const auto write = [&](const std::string& path, const std::string& order) {
    write_zip(path, {{"a/data.pkl", file.pickle()},
                     {"a/byteorder", order},
                     {"a/data/0", file.storages[0].second},
                     {"a/data/1", file.storages[1].second, true}});
  };
  const TemporaryFolder folder;
  write(folder.path("big.pth"), "big");
  EXPECT_TRUE(same_layers(read_weights(folder.path("big.pth")), file.weights));
  write(folder.path("odd.pth"), "middle");
  EXPECT_TRUE(says(refusal(folder.path("odd.pth")), "should be little or big, but it is 'middle'"));
}

TEST(PytorchPth, RefusesTensorsThatCannotBe) {
  const auto refused = [](const char* message, auto&& change) {
    OneLayer file;
    change(file.kernel);
    EXPECT_TRUE(says(file.refusals(), message));
  };
  refused("tensor 'features.0.weight' should have sizes of 0 or more, but has -3",
          [](PickledTensor& kernel) { kernel.shape[1] = pickled(-3); });
  refused("should have strides of 0 or more, but has -1",
          [](PickledTensor& kernel) { kernel.strides[3] = pickled(-1); });
  refused("should have offset of 0 or more, but has -1",
          [](PickledTensor& kernel) { kernel.offset = pickled(-1); });
  refused("reaches beyond its storage of 1728 values",
          [](PickledTensor& kernel) { kernel.offset = pickled(1); });
  refused("reaches beyond its storage",
          [](PickledTensor& kernel) { kernel.offset = pickled_long(INT64_MAX); });
  refused("reaches beyond its storage",
          [](PickledTensor& kernel) { kernel.strides[0] = pickled_long(INT64_MAX); });
  refused("reaches beyond its storage",
          [](PickledTensor& kernel) { kernel.strides[0] = pickled_long(1ull << 62); });
  refused("has 4 sizes, but 3 strides", [](PickledTensor& kernel) { kernel.strides.pop_back(); });
  refused("should have a weight of 64 x 3 x 3 x 3, but it is 9223372036854775807 x 3 x 3 x 3",
          [](PickledTensor& kernel) { kernel.shape[0] = pickled_long(INT64_MAX); });
  refused("should have a weight of 64 x 3 x 3 x 3, but it is 0 x 3 x 3 x 3",
          [](PickledTensor& kernel) { kernel.shape[0] = pickled(0); });
  refused("should have whole numbers for sizes",
          [](PickledTensor& kernel) { kernel.shape[0] = pickled("64"); });
  refused("should hold floats", [](PickledTensor& kernel) { kernel.type = "IntStorage"; });
}

TEST(PytorchPth, RefusesStoragesThatCannotBe) {
  const auto refused = [](const char* message, auto&& change) {
    OneLayer file;
    change(file);
    EXPECT_TRUE(says(file.refusals(), message));
  };
  refused("should have 1728 values of 4 bytes, but has 6908 bytes",
          [](OneLayer& file) { file.storages[0].second.resize(6908); });
  refused("should have 1728 values of 4 bytes, but has 6916 bytes",
          [](OneLayer& file) { file.storages[0].second.resize(6916); });
  refused("should have 1728 values of 4 bytes, but is missing",
          [](OneLayer& file) { file.storages.erase(file.storages.begin()); });
  refused("should have 2000 values of 4 bytes",
          [](OneLayer& file) { file.kernel.count = pickled(2000); });
  refused("but is not", [](OneLayer& file) { file.kernel.count = pickled(-1); });
  refused("asks for 'torch.OddStorage'", [](OneLayer& file) { file.kernel.type = "OddStorage"; });
}

TEST(PytorchPth, RefusesValuesSpreadOverAStorage) {
  OneLayer file;
  file.storages[0].second += file.storages[0].second;
  file.kernel.count = pickled(2 * 1728);
  for (std::string& stride : file.kernel.strides) stride[1] = static_cast<char>(2 * stride[1]);
  EXPECT_TRUE(says(file.refusals(), "tensor.contiguous()"));
}

TEST(PytorchPth, RefusesValuesThatAreNotFinite) {
  OneLayer file;
  file.storages[1].second.replace(0, 4, "\0\0\x80\x7f"s);
  EXPECT_TRUE(says(file.refusals(), "should be finite"));
}

// ---------------------------------------------------------------------------------- other pickles

TEST(PytorchPth, ExecutesNothing) {
  const TemporaryFolder folder;
  const std::string mark = folder.path("executed");
  const std::string command = pickled("touch " + mark);
  for (const char* function :
       {"posix\nsystem", "os\nsystem", "subprocess\ncall", "builtins\nexec"}) {
    const std::string message = refusal_of_pickle(
        "\x80\x02"
        "c"s +
        function + "\n" + command + "\x85R.");
    std::string name = function;
    name[name.find('\n')] = '.';
    EXPECT_TRUE(says(message, "asks for '" + name +
                                  "', which no weights need; limn executes "
                                  "nothing in a weights file"));
  }
  EXPECT_FALSE(std::filesystem::exists(mark));
}

TEST(PytorchPth, RefusesModelsOfEveryKind) {
  for (const char* name : {"torchvision.models.vgg\nVGG", "__main__\nNet", "__torch__\nNet"})
    EXPECT_TRUE(says(refusal_of_pickle("c"s + name + "\n)R."), "is a whole model"));
}

TEST(PytorchPth, RefusesWhatIsNoStateDict) {
  EXPECT_TRUE(says(refusal_of_pickle("K\1."), "should hold a dict of tensors by name"));
  EXPECT_TRUE(says(refusal_of_pickle("}."), "has no layer features.0"));
  EXPECT_TRUE(says(refusal_of_pickle("}K\1K\2s."), "has no layer features.0"));
  EXPECT_TRUE(says(refusal_of_pickle(pickled_dict({{"features.0.weight", "K\1"}})),
                   "has no layer features.0"));
  // A dict that is its own state_dict.
  EXPECT_TRUE(says(refusal_of_pickle("}q\0"s + pickled("state_dict") + "h\0s."s), "no layer"));
}

TEST(PytorchPth, RefusesCallsOfAnotherForm) {
  const auto refused = [](const std::string& value) {
    refusal_of_pickle(pickled_dict({{"features.0.weight", value}}));
  };
  const std::string rebuild = pickled_global("torch._utils", "_rebuild_tensor_v2");
  const std::string parameter = pickled_global("torch._utils", "_rebuild_parameter");
  refused(rebuild + ")R");
  refused(rebuild + "(NNNNtR");
  refused(rebuild + "(K\1QNNNtR");
  refused(rebuild + "()QNNNtR");
  refused(rebuild + "((NNNNNtQNNNtR");
  refused(parameter + ")R");
  refused(parameter + "N\x85R");
  std::string nested = "N";
  for (int i = 0; i < 1000; ++i) nested = parameter + nested + "\x85R";
  refused(nested);
  refused(pickled_global("torch._tensor", "_rebuild_from_type_v2") + "(NNNNtR");
}

TEST(PytorchPth, SaysWhenBatchNormalisationIsInIt) {
  OneLayer file;
  const std::string pickle = pickled_dict(
      {{"features.0.weight", file.kernel.text()}, {"features.1.running_mean", file.bias.text()}});
  EXPECT_TRUE(says(refusal_of_pickle(pickle), "batch normalisation"));
}

TEST(PytorchPth, RefusesOtherZipContainers) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.docx"), {{"word/document.xml", "<xml/>"}});
  EXPECT_TRUE(
      says(refusal(folder.path("a.docx")), "neither PyTorch's data.pkl nor NumPy's arrays"));
  write_zip(folder.path("a.keras"), {{"config.json", "{}"}, {"model.weights.h5", "x"}});
  EXPECT_TRUE(says(refusal(folder.path("a.keras")),
                   "is a zip archive that contains 'model.weights.h5'; unpack it"));
  EXPECT_TRUE(says(refusal(folder.path("a.docx")), "the first 'word/document.xml'"));
  write_zip(folder.path("b.pth"), {{"a/data.pkl", "N."}, {"b/data.pkl", "N."}});
  EXPECT_TRUE(says(refusal(folder.path("b.pth")), "should have one data.pkl"));
  write_zip(folder.path("c.pth"), {{"a/data.pkl", std::string(5 << 20, 'N'), true}});
  EXPECT_TRUE(says(refusal(folder.path("c.pth")), "has 5242880 bytes, more than the 4194304"));
}

TEST(PytorchPth, RefusesDamagedStreams) {
  const TemporaryFolder folder;
  const OneLayer file;
  const auto refused = [&](const char* message, auto&& change) {
    write_pth_stream(folder.path("a.pth"), file.pickle(), file.storages);
    std::string bytes = file_bytes(folder.path("a.pth"));
    change(bytes);
    write_bytes(folder.path("a.pth"), bytes);
    EXPECT_TRUE(says(refusal(folder.path("a.pth")), message));
  };
  refused("have protocol 1001", [](std::string& bytes) { bytes[18] ^= 1; });
  refused("which no tensor uses", [](std::string& bytes) {
    const size_t key = bytes.find("](X\1\0\0\0"s + "0");
    bytes[key + 7] = '7';
  });
  refused("which it already had", [](std::string& bytes) {
    const size_t key = bytes.find("](X\1\0\0\0"s + "0");
    bytes[key + 13] = '0';
  });
  refused("the file ends before", [&](std::string& bytes) {
    const size_t count = bytes.find(file.storages[0].second) - 8;
    bytes[count + 7] = '\x7f';
  });
  refused("the file ends before", [](std::string& bytes) { bytes.pop_back(); });
  refused("the file ends before", [](std::string& bytes) { bytes.resize(bytes.size() - 260); });
}

TEST(PytorchPth, KnowsTheTarContainerOf2016) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a.pth"), "sys_info" + std::string(504, '\0'));
  EXPECT_TRUE(says(refusal(folder.path("a.pth")), "in a tar container"));
}

}  // namespace
}  // namespace limn
