// What a server and its live painters say to each other, whole, in pieces, and damaged.
#include "work/live_protocol.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace limn {
namespace {

LiveMessage frame() {
  return {LiveKind::frame, 7, to_text(LiveFigures{128, 96, 9, 72, 0.25}), "JPEG"};
}

TEST(LiveProtocol, ReadsWhatItWrites) {
  LiveReader reader;
  reader.add(to_bytes(frame()) + to_bytes({LiveKind::finished, 8}));
  const std::optional<LiveMessage> first = reader.next(), second = reader.next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->kind, LiveKind::frame);
  EXPECT_EQ(first->number, 7U);
  EXPECT_EQ(first->body, "JPEG");
  const LiveFigures figures = parse_live_figures(first->head);
  EXPECT_EQ(figures.width, 128);
  EXPECT_EQ(figures.height, 96);
  EXPECT_EQ(figures.iteration, 9);
  EXPECT_EQ(figures.iterations, 72);
  EXPECT_DOUBLE_EQ(figures.seconds, 0.25);
  EXPECT_EQ(second->kind, LiveKind::finished);
  EXPECT_EQ(second->number, 8U);
  EXPECT_FALSE(reader.next());
}

TEST(LiveProtocol, ReadsByteByByte) {
  LiveReader reader;
  const std::string bytes = to_bytes(frame());
  for (size_t i = 0; i < bytes.size(); ++i) {
    reader.add(bytes.substr(i, 1));
    EXPECT_EQ(reader.next().has_value(), i + 1 == bytes.size()) << i;
  }
}

TEST(LiveProtocol, RefusesWhatIsNoMessage) {
  const std::string good = to_bytes(frame());
  const auto refuses = [&](size_t at, char c) {
    std::string bad = good;
    bad[at] = c;
    LiveReader reader;
    reader.add(bad);
    try {
      reader.next();
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  EXPECT_TRUE(refuses(0, 'l'));
  EXPECT_TRUE(refuses(4, 'q'));  // no kind
  EXPECT_TRUE(refuses(5, 1));
  EXPECT_TRUE(refuses(11, 1));  // a head of 16 MB, before there is memory for it
  EXPECT_TRUE(refuses(15, 1));  // a body of as many
  EXPECT_FALSE(refuses(16, 1));
}

TEST(LiveProtocol, RefusesFiguresThatCannotBe) {
  const auto refuses = [](const LiveFigures& figures) {
    try {
      parse_live_figures(to_text(figures));
    } catch (const Error&) {
      return true;
    }
    return false;
  };
  EXPECT_FALSE(refuses({1, 1, 0, 0, 0}));
  EXPECT_TRUE(refuses({0, 1, 0, 0, 0}));
  EXPECT_TRUE(refuses({1, kMostLiveSide + 1, 0, 0, 0}));
  EXPECT_TRUE(refuses({1, 1, 2, 1, 0}));
  EXPECT_TRUE(refuses({-1, 1, 0, 0, 0}));
  EXPECT_THROW(parse_live_figures("short"), Error);
}

TEST(LiveProtocol, DoesNotWriteWhatIsTooLong) {
  EXPECT_THROW(to_bytes({LiveKind::paint, 1, std::string(kMostLiveHead + 1, ' ')}), Error);
}

TEST(LiveProtocol, KeepsAJob) {
  LiveJob job;
  job.request.kind = JobKind::texture;
  job.request.recipe = "name = \"ü\"\n";
  job.request.inputs = {{"exemplar", "a \"b\".jpg", std::string(64, 'a')}, {"mask", "none", ""}};
  job.request.flags = {{"size", "64x32"}};
  job.size = 100;
  const LiveJob read = parse_live_job(to_text(job));
  EXPECT_EQ(read.request.kind, JobKind::texture);
  EXPECT_EQ(read.request.recipe, job.request.recipe);
  ASSERT_EQ(read.request.inputs.size(), 2U);
  EXPECT_EQ(read.request.inputs[0].name, "a \"b\".jpg");
  EXPECT_EQ(read.request.inputs[0].file, std::string(64, 'a'));
  EXPECT_EQ(read.request.flags, job.request.flags);
  EXPECT_EQ(read.size, 100);
  EXPECT_THROW(parse_live_job("{}"), Error);
  EXPECT_THROW(parse_live_job("{\"kind\":"), Error);
}

}  // namespace
}  // namespace limn
