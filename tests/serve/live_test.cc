// Live painters and those who wait for them. The painter is a script that speaks the protocol, and
// does what the recipe of its request says: so each way to go wrong can be had.
#include "serve/live.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <thread>

#include "serve/live_reply.h"
#include "serve/live_request.h"
#include "serve/served.h"

namespace limn {
namespace {

constexpr const char* kScript = R"(#!/usr/bin/python3
import json, os, select, struct, sys, time
def say(kind, number, head=b'', body=b''):
    os.write(1, b'LIMN' + kind + b'\0\0\0' + struct.pack('<III', len(head), len(body), number) +
             head + body)
def read(count):
    data = b''
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            os._exit(0)
        data += more
    return data
def message():
    start = read(20)
    head, body, number = struct.unpack('<III', start[8:])
    return start[4:5], number, read(head), read(body)
def figures(iteration, most=100):
    return struct.pack('<5I', 128, 96, iteration, most, 1500)
say(b'r', 0)
while True:
    kind, number, head, _ = message()
    if kind != b'p':
        continue
    order = json.loads(head)['recipe']
    if order == 'die':
        os._exit(5)
    elif order == 'nonsense':
        os.write(1, b'what is this? nothing that anybody says')
    elif order == 'long':
        os.write(1, b'LIMNf\0\0\0' + struct.pack('<III', 20, 1 << 30, number))
    elif order == 'html':
        say(b'f', number, figures(1), b'<script>')
    elif order == 'other':
        say(b'f', number + 1, figures(1), b'\xff\xd8\xff')
    elif order == 'refuse':
        say(b'x', number, b'f' + sys.argv[3].encode() + b'/' + b'a' * 64 + b' is no picture\n')
    elif order == 'three':
        for i in range(1, 4):
            say(b'f', number, figures(i), b'\xff\xd8\xff' + bytes([i]) * 1000)
        say(b'e', number, figures(100))
    elif order == 'deaf':
        say(b'f', number, figures(1), b'\xff\xd8\xff')
        time.sleep(600)
    else:  # until it is told to stop
        i = 0
        while not select.select([0], [], [], 0.01)[0]:
            i += 1
            say(b'f', number, figures(min(i, 100)), b'\xff\xd8\xff' + b'x' * 100000)
        kind, stopped, _, _ = message()
        say(b'x', number, b'ustopped')
)";

class LivePaintersTest : public ::testing::Test {
 protected:
  LivePaintersTest() {
    std::ofstream(script_) << kScript;
    chmod(script_.c_str(), 0755);
  }

  LiveOptions options(int painters = 2) const {
    LiveOptions options;
    options.painters = painters;
    options.program = script_;
    options.patience = 0.5;
    options.grace = 0.5;
    options.waiting = 2;
    return options;
  }

  static LiveJob job(const std::string& order) {
    LiveJob wanted;
    wanted.request.recipe = order;
    wanted.request.inputs = {{"photo", "beach.jpg", std::string(64, 'a')}};
    return wanted;
  }

  // Until there is something, or half a minute is over.
  static PartStream::Step await(PartStream& parts) {
    for (int i = 0; i < 3000; ++i) {
      PartStream::Step step = parts.next();
      if (!step.text.empty() || step.end) return step;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "nothing comes";
    return {"", true};
  }
  static std::string all(PartStream& parts) {
    std::string text;
    for (;;) {
      const PartStream::Step step = await(parts);
      text += step.text;
      if (step.end) return text;
    }
  }
  static bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 3000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  // The status with which a request ends that has shown nothing.
  static int refusal(PartStream& parts, std::string* what = nullptr) {
    try {
      while (true) {
        if (await(parts).end) return 0;
      }
    } catch (const Problem& problem) {
      if (what != nullptr) *what = problem.what();
      return problem.status();
    }
  }

  TestFolder folder_;
  const std::string script_ = folder_.path() + "/painter";
  Files files_{folder_.path() + "/data"};
};

TEST_F(LivePaintersTest, ShowPicturesAndThenTheEnd) {
  LivePainters painters(files_, options());
  const auto parts = painters.paint(job("three"), "seat");
  const std::string text = all(*parts);
  EXPECT_TRUE(
      text.starts_with("--limn\r\nContent-Type: image/jpeg\r\nContent-Length: 1003\r\n"
                       "Limn-Progress: {\"width\":128,\"height\":96,"))
      << text.substr(0, 200);
  EXPECT_NE(text.find("\xff\xd8\xff\x03"), text.npos) << "the last picture is missing";
  EXPECT_TRUE(text.ends_with(
      "Content-Type: application/json\r\nContent-Length: 53\r\n\r\n"
      "{\"done\":true,\"width\":128,\"height\":96,\"seconds\":1.500}\r\n--limn--\r\n"))
      << text.substr(text.size() - 200);
}

TEST_F(LivePaintersTest, TellWhoeverWaits) {
  LivePainters painters(files_, options());
  const auto parts = painters.paint(job("three"), "seat");
  std::atomic<int> news = 0;
  parts->on_news([&] { ++news; });
  all(*parts);
  EXPECT_GE(news, 1);
}

TEST_F(LivePaintersTest, GiveASlowReaderTheLatest) {
  LivePainters painters(files_, options());
  const auto parts = painters.paint(job("on"), "seat");
  await(*parts);
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const PartStream::Step step = parts->next();
  EXPECT_LT(step.text.size(), 110'000U) << "more than one picture is held";
  EXPECT_EQ(step.text.find("\"iteration\":2,"), step.text.npos) << "it is not the latest";
}

TEST_F(LivePaintersTest, EndWhatTheSameSeatSupersedes) {
  LivePainters painters(files_, options(1));
  const auto first = painters.paint(job("on"), "seat");
  await(*first);
  const auto second = painters.paint(job("three"), "seat");
  EXPECT_NE(all(*first).find("{\"problem\":{\"type\":\"about:blank\",\"title\":\"Conflict\""),
            std::string::npos);
  EXPECT_NE(all(*second).find("\"done\":true"), std::string::npos);
  EXPECT_EQ(painters.figures().superseded, 1U);
  EXPECT_EQ(painters.figures().died, 0U) << "it was killed rather than stopped";
}

TEST_F(LivePaintersTest, GiveAnotherSeatAnotherPainter) {
  LivePainters painters(files_, options(2));
  const auto first = painters.paint(job("on"), "one"), second = painters.paint(job("on"), "two");
  await(*first);
  await(*second);
  EXPECT_EQ(painters.figures().painting, 2);
  EXPECT_FALSE(first->next().end);
}

TEST_F(LivePaintersTest, LetRequestsWaitForAWhile) {
  LivePainters painters(files_, options(1));
  auto first = painters.paint(job("on"), "one");
  await(*first);
  const auto second = painters.paint(job("three"), "two");
  EXPECT_EQ(refusal(*second), 503);
  const auto third = painters.paint(job("three"), "three");
  first.reset();
  EXPECT_NE(all(*third).find("\"done\":true"), std::string::npos);
}

TEST_F(LivePaintersTest, LetNoMoreThanSomeWait) {
  LivePainters painters(files_, options(1));
  const auto first = painters.paint(job("on"), "one");
  await(*first);
  const auto second = painters.paint(job("on"), "two"), third = painters.paint(job("on"), "three");
  EXPECT_EQ(problem_of([&] { painters.paint(job("on"), "four"); }), 503);
}

TEST_F(LivePaintersTest, StopWhenNobodyReads) {
  LivePainters painters(files_, options(1));
  auto parts = painters.paint(job("on"), "seat");
  await(*parts);
  parts.reset();
  EXPECT_TRUE(until([&] { return painters.figures().painting == 0; }));
  EXPECT_EQ(painters.figures().died, 0U);
}

TEST_F(LivePaintersTest, KillWhatDoesNotStop) {
  LivePainters painters(files_, options(1));
  auto parts = painters.paint(job("deaf"), "seat");
  await(*parts);
  parts.reset();
  EXPECT_TRUE(until([&] { return painters.figures().died == 1; }));
  EXPECT_NE(all(*painters.paint(job("three"), "seat")).find("\"done\":true"), std::string::npos);
}

TEST_F(LivePaintersTest, EndWhatTakesTooLong) {
  LiveOptions quick = options(1);
  quick.longest = 0.3;
  LivePainters painters(files_, quick);
  const auto parts = painters.paint(job("on"), "seat");
  EXPECT_NE(all(*parts).find("\"status\":422"), std::string::npos);
}

TEST_F(LivePaintersTest, ReplaceAPainterThatDies) {
  LivePainters painters(files_, options(1));
  std::string what;
  EXPECT_EQ(refusal(*painters.paint(job("die"), "seat"), &what), 503);
  EXPECT_NE(what.find("it ended with code 5"), what.npos) << what;
  EXPECT_NE(all(*painters.paint(job("three"), "seat")).find("\"done\":true"), std::string::npos);
  EXPECT_EQ(painters.figures().died, 1U);
}

TEST_F(LivePaintersTest, KillAPainterThatSaysWhatNoPainterSays) {
  LivePainters painters(files_, options(1));
  for (const char* order : {"nonsense", "long", "html", "other"}) {
    EXPECT_EQ(refusal(*painters.paint(job(order), "seat")), 503) << order;
  }
  EXPECT_NE(all(*painters.paint(job("three"), "seat")).find("\"done\":true"), std::string::npos);
  EXPECT_EQ(painters.figures().died, 4U);
}

TEST_F(LivePaintersTest, NameFilesAsTheClientDoes) {
  LivePainters painters(files_, options(1));
  std::string what;
  EXPECT_EQ(refusal(*painters.paint(job("refuse"), "seat"), &what), 422);
  EXPECT_EQ(what, "beach.jpg is no picture ");
}

TEST_F(LivePaintersTest, EndWithTheServer) {
  std::unique_ptr<PartStream> parts;
  {
    LivePainters painters(files_, options(1));
    parts = painters.paint(job("on"), "seat");
    await(*parts);
    painters.stop();
    EXPECT_EQ(problem_of([&] { painters.paint(job("on"), "seat"); }), 503);
  }
  EXPECT_NE(all(*parts).find("\"status\":503"), std::string::npos);
}

TEST_F(LivePaintersTest, MayBeNone) {
  LivePainters painters(files_, options(0));
  EXPECT_EQ(problem_of([&] { painters.paint(job("three"), "seat"); }), 503);
}

// ------------------------------------------------------------------------------------ requests --

class LiveRequestTest : public ::testing::Test {
 protected:
  LiveRequest read(const std::string& more) {
    Request request = Served::request("POST", "/api/v1/live");
    request.text =
        R"({"photo": ")" + photo_ + R"(", "painting": ")" + painting_ + "\"" + more + "}";
    return read_live_request(request, served_.files);
  }
  std::string pointer_of(const std::string& more) {
    std::string pointer;
    EXPECT_EQ(problem_of([&] { read(more); }, &pointer), 422) << more;
    return pointer;
  }

  Served served_;
  const std::string photo_ = served_.upload("a photo"), painting_ = served_.upload("a painting");
};

TEST_F(LiveRequestTest, IsAJobWithASizeAndASeat) {
  const LiveRequest plain = read("");
  EXPECT_EQ(plain.job.size, 256);
  EXPECT_EQ(plain.seat, "");
  EXPECT_EQ(plain.job.request.inputs.size(), 2U);
  const LiveRequest full = read(R"(, "size": 64, "seat": "tab 1", "recipe": "gram")");
  EXPECT_EQ(full.job.size, 64);
  EXPECT_EQ(full.seat, "tab 1");
  EXPECT_EQ(parse_recipe(full.job.request.recipe, "").name, "gram");
}

TEST_F(LiveRequestTest, PointsAtWhatIsWrong) {
  EXPECT_EQ(pointer_of(R"(, "size": 63)"), "/size");
  EXPECT_EQ(pointer_of(R"(, "size": 1e9)"), "/size");
  EXPECT_EQ(pointer_of(R"(, "size": "64")"), "/size");
  EXPECT_EQ(pointer_of(R"(, "seat": 1)"), "/seat");
  EXPECT_EQ(pointer_of(R"(, "seat": "a\nb")"), "/seat");
  EXPECT_EQ(pointer_of(R"(, "seat": ")" + std::string(65, 'a') + "\""), "/seat");
  EXPECT_EQ(pointer_of(R"(, "kind": "sweep", "flags": {"vary": "style-weight=1,2"})"), "/kind");
  EXPECT_EQ(pointer_of(R"(, "settings": {"picture": {"init": "/etc/passwd"}})"),
            "/settings/picture/init");
  EXPECT_EQ(pointer_of(R"(, "mask-keep": "passwd")"), "/mask-keep");
}

}  // namespace
}  // namespace limn
