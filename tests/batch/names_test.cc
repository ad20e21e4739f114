#include "batch/names.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace limn {
namespace {

BatchTask task(const std::string& photo, std::vector<std::string> paintings,
               std::map<std::string, std::string> settings = {}, const std::string& name = "") {
  BatchTask task;
  task.photo = photo;
  task.paintings = std::move(paintings);
  task.settings = std::move(settings);
  task.name = name;
  return task;
}

std::vector<std::string> names_of(std::vector<BatchTask> tasks) {
  give_names(tasks);
  std::vector<std::string> names;
  for (const BatchTask& each : tasks) names.push_back(each.name);
  return names;
}

using Names = std::vector<std::string>;

TEST(BatchNames, SayWhatTheyAreMadeFrom) {
  EXPECT_EQ(names_of({task("in/harbour.jpg", {"p/oil.png"}),
                      task("b.c.jpg", {"oil.jpg", "ink.jpg"}), task("a.gif[3]", {"oil.jpg"})}),
            (Names{"harbour-oil", "b.c-oil-ink", "a-oil"}));
}

TEST(BatchNames, TellApartWhatIsAlike) {
  // By folder, by ending, by painting, by settings.
  EXPECT_EQ(names_of({task("x/a.jpg", {"oil.jpg"}), task("y/a.jpg", {"oil.jpg"})}),
            (Names{"x-a-oil", "y-a-oil"}));
  EXPECT_EQ(names_of({task("x/a.jpg", {"oil.jpg"}), task("x/a.png", {"oil.jpg"})}),
            (Names{"a.jpg-oil", "a.png-oil"}));
  EXPECT_EQ(names_of({task("a.jpg", {"p/oil.jpg"}), task("a.jpg", {"q/oil.jpg"})}),
            (Names{"a-p-oil", "a-q-oil"}));
  EXPECT_EQ(names_of({task("a.jpg", {"oil.jpg"}),
                      task("a.jpg", {"oil.jpg"}, {{"balance.strength", "0.7"}}),
                      task("a.jpg", {"oil.jpg"}, {{"picture.init", "x/y z.png"}})}),
            (Names{"a-oil", "a-oil-strength-0.7", "a-oil-init-x-y-z.png"}));
  // The others keep their names.
  EXPECT_EQ(names_of({task("x/a.jpg", {"oil.jpg"}), task("b.jpg", {"oil.jpg"}),
                      task("y/a.jpg", {"oil.jpg"})}),
            (Names{"x-a-oil", "b-oil", "y-a-oil"}));
}

TEST(BatchNames, CountWhatIsTheSame) {
  EXPECT_EQ(names_of({task("a.jpg", {"oil.jpg"}), task("a.jpg", {"oil.jpg"}),
                      task("a.jpg", {"oil.jpg"})}),
            (Names{"a-oil", "a-oil-2", "a-oil-3"}));
  // Where dashes are of names, and where a number is taken.
  EXPECT_EQ(names_of({task("x/a-b.jpg", {"x/c.jpg"}), task("x/a.jpg", {"x/b-c.jpg"}),
                      task("x/z.jpg", {"c.jpg"}, {}, "a-b.jpg-c.jpg")}),
            (Names{"a-b.jpg-c.jpg-2", "a.jpg-b-c.jpg", "a-b.jpg-c.jpg"}));
}

TEST(BatchNames, KeepThoseThatAreGiven) {
  EXPECT_EQ(names_of({task("a.jpg", {"oil.jpg"}), task("b.jpg", {"oil.jpg"}, {}, "a-oil")}),
            (Names{"a-oil-2", "a-oil"}));
  const Error error = error_of([] {
    names_of({task("a.jpg", {"oil.jpg"}, {}, "x"), task("b.jpg", {"oil.jpg"}, {}, "x")});
  });
  EXPECT_TRUE(says(error, ErrorKind::usage, "has the name 'x', as has"));
}

}  // namespace
}  // namespace limn
