#include "containers/pickle.h"

#include <gtest/gtest.h>
#include <limn/limn.h>

#include <chrono>

#include "base/error.h"
#include "support/errors.h"
#include "weights/pth_files.h"

namespace limn {
namespace {

using namespace std::string_literals;

// Knows "known.name" only.
void check(const std::string& name) {
  if (name != "known.name") fail(ErrorKind::file, "'a.pth' asks for '{}'", name);
}

Pickle read(std::string_view text) { return read_pickle("a.pth", "data.pkl", text, check); }

template <typename... Parts>
testing::AssertionResult refused(const std::string& text, const Parts&... parts) {
  return says(error_of([&] { read(text); }), ErrorKind::file, "'a.pth'", parts...);
}

template <typename T>
T root(const std::string& text) {
  const Pickle pickle = read(text);
  const T* value = pickle.root->as<T>();
  EXPECT_NE(value, nullptr) << text;
  return value ? *value : T{};
}

std::string root_text(const std::string& text) { return root<PickleText>(text).text; }

TEST(Pickle, ReadsWholeNumbers) {
  EXPECT_EQ(root<std::int64_t>("K\xff."), 255);
  EXPECT_EQ(root<std::int64_t>("M\xff\xff."), 65535);
  EXPECT_EQ(root<std::int64_t>("J\xff\xff\xff\xff."), -1);
  EXPECT_EQ(root<std::int64_t>("J\0\0\0\x80."s), -2147483648LL);
  EXPECT_EQ(root<std::int64_t>("\x8a\0."s), 0);
  EXPECT_EQ(root<std::int64_t>("\x8a\x01\xff."), -1);
  EXPECT_EQ(root<std::int64_t>("\x8a\x02\xff\0."s), 255);
  EXPECT_EQ(root<std::int64_t>("\x8a\x08\0\0\0\0\0\0\0\x80."s),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(root<std::int64_t>("\x8b\x03\0\0\0\0\0\x01."s), 65536);
  EXPECT_EQ(root<std::int64_t>("I-12\n."), -12);
  EXPECT_EQ(root<std::int64_t>("L-9223372036854775808L\n."),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(root<PickleLong>("L119547037146038801333356L\n.").bytes, "119547037146038801333356");
  EXPECT_EQ(root<PickleLong>("\x8a\x09\0\0\0\0\0\0\0\0\x01."s).bytes, "\0\0\0\0\0\0\0\0\x01"s);
}

TEST(Pickle, ReadsOtherPlainValues) {
  EXPECT_TRUE(root<bool>("\x88."));
  EXPECT_FALSE(root<bool>("\x89."));
  EXPECT_TRUE(root<bool>("I01\n."));
  EXPECT_FALSE(root<bool>("I00\n."));
  root<PickleNone>("N.");
  EXPECT_EQ(root<double>("G\x3f\xf8\0\0\0\0\0\0."s), 1.5);
  EXPECT_EQ(root<double>("F-2.25e1\n."), -22.5);
}

TEST(Pickle, ReadsTexts) {
  for (const std::string& text :
       {"U\x02hi."s, "T\x02\0\0\0hi."s, "X\x02\0\0\0hi."s, "\x8c\x02hi."s, "C\x02hi."s,
        "\x96\x02\0\0\0\0\0\0\0hi."s, "B\x02\0\0\0hi."s, "\x8d\x02\0\0\0\0\0\0\0hi."s,
        "\x8e\x02\0\0\0\0\0\0\0hi."s, "Vhi\n."s, "S'hi'\n."s, "S\"hi\"\n."s,
        "\x80\x04\x95\x05\0\0\0\0\0\0\0\x8c\x02hi."s}) {
    EXPECT_EQ(root_text(text), "hi");
  }
}

TEST(Pickle, ReadsCollections) {
  EXPECT_EQ(root<PickleTuple>("(K\1K\2t.").items.size(), 2u);
  EXPECT_EQ(root<PickleTuple>(").").items.size(), 0u);
  EXPECT_EQ(root<PickleTuple>("K\1\x85.").items.size(), 1u);
  EXPECT_EQ(root<PickleTuple>("K\1K\2\x86.").items.size(), 2u);
  EXPECT_EQ(root<PickleTuple>("K\1K\2K\3\x87.").items.size(), 3u);
  EXPECT_EQ(root<PickleList>("]K\1a(K\2K\3e.").items.size(), 3u);
  EXPECT_EQ(root<PickleList>("(K\1K\2l.").items.size(), 2u);
  EXPECT_EQ(root<PickleDict>("}K\1K\2s(K\3K\4K\5K\6u.").items.size(), 3u);
  EXPECT_EQ(root<PickleDict>("(K\1K\2d.").items.size(), 1u);
}

TEST(Pickle, KeepsTheOrderOfItems) {
  const Pickle pickle = read("(K\1K\2K\3t.");
  const auto& items = pickle.root->as<PickleTuple>()->items;
  for (size_t i = 0; i < 3; ++i)
    EXPECT_EQ(*items[i]->as<std::int64_t>(), static_cast<std::int64_t>(i + 1));
}

TEST(Pickle, RecallsWhatItKept) {
  for (const std::string& text : {"K\7q\5"
                                  "0h\5."s,
                                  "K\7r\5\1\0\0"
                                  "0j\5\1\0\0."s,
                                  "K\7p5\n0g5\n."s,
                                  "K\7\x94"
                                  "0h\0."s,
                                  "K\7(1."s,
                                  "K\7"
                                  "2"
                                  "0."s,
                                  "K\7(0."s}) {
    EXPECT_EQ(root<std::int64_t>(text), 7) << text;
  }
  // Shared, not copied.
  const Pickle pickle = read("]q\0h\0\x86."s);
  const auto& items = pickle.root->as<PickleTuple>()->items;
  EXPECT_EQ(items[0], items[1]);
}

TEST(Pickle, ReadsAnOrderedDictOfEveryKind) {
  const std::string dict = "ccollections\nOrderedDict\n";
  EXPECT_EQ(root<PickleDict>(dict + ")R.").items.size(), 0u);
  EXPECT_EQ(root<PickleDict>(dict + ")\x81.").items.size(), 0u);
  EXPECT_EQ(root<PickleDict>(dict + ")RK\1K\2s.").items.size(), 1u);
  EXPECT_EQ(root<PickleDict>(dict + ")RK\1K\2s}b.").items.size(), 1u);  // attributes
  // Python 2: made of a list of lists.
  EXPECT_EQ(root<PickleDict>(dict + "](](K\1K\2e](K\3K\4ee\x85R.").items.size(), 2u);
  EXPECT_EQ(root<PickleDict>("\x8c\x0b"
                             "collections\x8c\x0bOrderedDict\x93)R.")
                .items.size(),
            0u);
  for (const char* bad : {"K\1\x85R.", "](K\1e\x85R.", "]]a\x85R.", "]]\x86R."})
    EXPECT_TRUE(refused(dict + bad, "an OrderedDict should be made from")) << bad;
}

TEST(Pickle, DescribesCallsAndExecutesNone) {
  const Pickle pickle = read("cknown\nname\n(K\1K\2tR}b.");
  const PickleCall* call = pickle.root->as<PickleCall>();
  ASSERT_NE(call, nullptr);
  EXPECT_EQ(call->callable->as<PickleGlobal>()->name, "known.name");
  EXPECT_EQ(call->arguments->as<PickleTuple>()->items.size(), 2u);
}

TEST(Pickle, KeepsWhatWouldBeSetOnAnObject) {
  const Pickle pickle = read("cknown\nname\n)RK\7bK\5b.");
  EXPECT_EQ(*pickle.root->as<PickleCall>()->state->as<std::int64_t>(), 5);  // as Python: the last
}

TEST(Pickle, LeavesLongTextsWhereTheyAre) {
  const std::string before = "(B\x01\x10\0\0"s;
  const Pickle pickle = read(before + std::string(4097, 'x') + "K\1t.");
  const auto& items = pickle.root->as<PickleTuple>()->items;
  ASSERT_NE(items[0]->as<PickleBytes>(), nullptr);
  EXPECT_EQ(items[0]->as<PickleBytes>()->begin, before.size());
  EXPECT_EQ(items[0]->as<PickleBytes>()->bytes, 4097u);
  EXPECT_EQ(*items[1]->as<std::int64_t>(), 1);
  EXPECT_TRUE(refused(before + std::string(4096, 'x'), "4097 byte(s) should follow"));
}

TEST(Pickle, BoundsItsTexts) {
  std::string texts;
  const std::string text = "0B\0\x10\0\0"s + std::string(4096, 'x');
  for (int i = 0; i < 30'000; ++i) texts += text;  // 120 MB, none of them kept on the stack
  EXPECT_TRUE(refused("N" + texts + ".", "more than 1000000 values"));
}

TEST(Pickle, ReadsADefaultDict) {
  EXPECT_EQ(root<PickleDict>("ccollections\ndefaultdict\ncknown\nname\n\x85RK\1K\2s.").items.size(),
            1u);
}

TEST(Pickle, LeavesWhatFollowsIt) { EXPECT_EQ(read("K\1.K\2.").bytes, 3u); }

TEST(Pickle, RefusesUnknownFunctionsByName) {
  EXPECT_TRUE(refused("cposix\nsystem\n(S'touch /tmp/x'\ntR.", "asks for 'posix.system'"));
  EXPECT_TRUE(refused("c__builtin__\neval\n.", "asks for '__builtin__.eval'"));
  EXPECT_TRUE(refused("\x80\x04\x8c\x05posix\x8c\x06system\x93.", "asks for 'posix.system'"));
  EXPECT_TRUE(
      refused("\x80\x04\x8c\x08"
              "builtins\x94\x8c\x04"
              "eval\x94"
              "00h\0h\1\x93."s,
              "asks for 'builtins.eval'"));
  EXPECT_TRUE(refused("(iposix\nsystem\n.", "asks for 'posix.system'"));
  EXPECT_TRUE(refused("(cposix\nsystem\no.", "asks for 'posix.system'"));
  EXPECT_TRUE(refused("ccollections\nOrderedDict.__init__\n.", "asks for"));
  EXPECT_TRUE(refused("cknown.name\neval\n.", "asks for 'known.name.eval'"));
}

TEST(Pickle, RefusesOtherWaysToMakeObjects) {
  EXPECT_TRUE(refused("(iknown\nname\n.", "makes an object of 'known.name'"));
  EXPECT_TRUE(refused("(cknown\nname\no.", "the instruction 0x6f"));
  EXPECT_TRUE(refused("cknown\nname\n)}\x92.", "the instruction 0x92"));
  EXPECT_TRUE(refused("\x82\1.", "0x82 (a function by its number)"));
  EXPECT_TRUE(refused("\x84\1\0\0\0."s, "0x84 (a function by its number)"));
  EXPECT_TRUE(refused("Pid\n.", "the instruction 0x50"));
  EXPECT_TRUE(refused("\x8f.", "the instruction 0x8f"));
  EXPECT_TRUE(refused("\xff.", "the instruction 0xff"));
  EXPECT_TRUE(refused("S'posix.system'\n)R.", "there should be a function"));
  EXPECT_TRUE(refused("cknown\nname\nK\1R.", "there should be a tuple of arguments"));
  EXPECT_TRUE(refused("K\1}b.", "sets attributes of a value that has none"));
}

TEST(Pickle, RefusesWhatIsOutOfOrder) {
  for (const std::string& text :
       {"."s,           "0."s,       "t."s,        "1."s,    "(."s,          "K\1K\2."s, "(K\1."s,
        "R."s,          "b."s,       "2."s,        "q\0."s,  "s."s,          "}s."s,     "}K\1s."s,
        "K\1K\2K\3s."s, "}(K\1u."s,  "(K\1d."s,    "]a."s,   "K\1K\2a."s,    "e."s,      "(e."s,
        "\x85."s,       "K\1\x86."s, "K\1(\x85."s, "\x93."s, "K\1K\2\x93."s, "Q."s,      "u."s}) {
    EXPECT_TRUE(refused(text, "data.pkl")) << text;
  }
}

TEST(Pickle, RefusesWhatItNeverKept) {
  EXPECT_TRUE(refused("h\5.", "recalls value 5"));
  EXPECT_TRUE(refused("j\xff\xff\xff\xff.", "recalls value 4294967295"));
  EXPECT_TRUE(refused("g-1\n.", "recalls value"));
  EXPECT_TRUE(refused("gx\n.", "'x' should be a whole number"));
  EXPECT_EQ(root<std::int64_t>("K\7r\xff\xff\xff\xff"
                               "0j\xff\xff\xff\xff."),
            7);
  EXPECT_EQ(root<std::int64_t>("K\7p99999999999999\n0g99999999999999\n."), 7);
}

TEST(Pickle, RefusesCutTextAndBadNumbers) {
  const std::string whole = pickle_of(Weights{&kVgg19, {}, {}, "", ""});
  EXPECT_NO_THROW(read(whole));
  for (const std::string& text : {""s,
                                  "K"s,
                                  "M\1"s,
                                  "J\1\1\1"s,
                                  "X\5\0\0\0hi"s,
                                  "X\xff\xff\xff\xffhi"s,
                                  "\x8d\xff\xff\xff\xff\xff\xff\xff\xffhi"s,
                                  "\x8b\xff\xff\xff\x7f"s,
                                  "\x8a\xff"s,
                                  "G\1"s,
                                  "Vno end"s,
                                  "cposix"s,
                                  "\x80"s,
                                  "\x80\x06."s,
                                  "\x95\1."s,
                                  "Ix\n."s,
                                  "I1 \n."s,
                                  "L\n."s,
                                  "L--1\n."s,
                                  "F\n."s,
                                  "F1x\n."s,
                                  "S'\n."s,
                                  "Shi\n."s}) {
    EXPECT_TRUE(refused(text, "data.pkl")) << text;
  }
}

TEST(Pickle, TakesBillionLaughsLightly) {
  // A list of ten times a list of ten times ...: 10^9 elements to who counts, 11 lists in memory.
  std::string text = "]";
  for (char level = 0; level < 9; ++level) {
    text += "q"s + level + "0](";
    for (int i = 0; i < 10; ++i) text += "h"s + level;
    text += "e";
  }
  const Pickle pickle = read(text + ".");
  EXPECT_EQ(pickle.pool.size(), 10u);
}

TEST(Pickle, BoundsNumbersOfValues) {
  EXPECT_TRUE(refused(std::string(3'000'000, 'N') + ".", "more than 1000000 values"));
  EXPECT_TRUE(refused(std::string(3'000'000, '(') + ".", "more than 1000000 values"));
  EXPECT_TRUE(refused("N" + std::string(3'000'000, '2') + ".", "more than 1000000 values"));
  std::string memo = "N";
  for (int i = 0; i < 600'000; ++i) memo += "\x94";
  EXPECT_TRUE(refused(memo + ".", "more than 1000000 values"));
  // A list of 100,000 pairs, of which a dict is made again and again.
  std::string pairs =
      "ccollections\nOrderedDict\nq\1"
      "0](";
  for (int i = 0; i < 100'000; ++i) pairs += i == 0 ? "NN\x86q\2" : "h\2";
  pairs +=
      "e\x85q\3"
      "0";
  for (int i = 0; i < 100'000; ++i) pairs += "h\1h\3R0";
  EXPECT_TRUE(refused(pairs + "N.", "more than 1000000 values"));
}

TEST(Pickle, TakesAnyDepthAndCycles) {
  std::string deep(150'000, ']');
  deep += std::string(149'999, 'a') + ".";
  EXPECT_NO_THROW(read(deep));
  std::string tuples = "N";
  for (int i = 0; i < 150'000; ++i) tuples += "\x85";
  EXPECT_NO_THROW(read(tuples + "."));
  const Pickle pickle = read("]q\0h\0a."s);
  EXPECT_EQ(pickle.root->as<PickleList>()->items[0], pickle.root);
}

}  // namespace
}  // namespace limn
