// Uploads as a page sees them, and the examples: without sandboxes, which have tests of their own.
#include <filesystem>

#include "serve/examples.h"
#include "serve/served.h"
#include "serve/upload_about.h"

namespace limn {
namespace {

class Uploads : public ::testing::Test {
 protected:
  // A picture's bytes in this format.
  std::string bytes_of(int width, int height, const std::string& format, WriteOptions options = {},
                       bool transparent = false) {
    Image image = {width, height, {}, {}};
    const size_t plane = static_cast<size_t>(width) * height;
    image.rgb.assign(3 * plane, 0.25F);
    if (transparent) {
      image.alpha.assign(plane, 1.0F);
      image.alpha.front() = 0;
    }
    const std::string path = served_.folder.path() + "/made." + format;
    write_image(image, path, options);
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Json about(const std::string& id) {
    const Reply reply = served_.get("/api/v1/uploads/" + id);
    EXPECT_EQ(reply.status, 200) << reply.body;
    return Json::parse(reply.body);
  }

  Served served_;
};

TEST_F(Uploads, SayWhatTheyAre) {
  const std::string id = served_.upload(bytes_of(30, 20, "tif", {.bits = 16}));
  const Json json = about(id);
  EXPECT_EQ(json["id"], id);
  EXPECT_EQ(json["width"], 30);
  EXPECT_EQ(json["height"], 20);
  EXPECT_EQ(json["format"], "TIFF");
  EXPECT_EQ(json["bits"], 16);
  EXPECT_TRUE(json["made_by"].is_null());
  EXPECT_EQ(about(served_.upload(bytes_of(8, 8, "png")))["format"], "PNG");
  EXPECT_EQ(about(served_.upload(bytes_of(8, 8, "webp")))["format"], "WebP");
}

TEST_F(Uploads, SayHowTheyWerePainted) {
  Recipe recipe = named_recipe("season");
  recipe.balance.strength = 0.625;
  const Notes notes = {{"Version", "1.0"},
                       {"Recipe", to_toml(recipe)},
                       {"Inputs", R"([{"role": "photo", "name": "summer.jpg", "sha256": ""},
                     {"role": "painting", "name": "winter.jpg", "sha256": ""},
                     {"role": "weights", "name": "builtin", "sha256": ""}])"}};
  const Json made = about(served_.upload(bytes_of(8, 8, "png", {.notes = notes})))["made_by"];
  EXPECT_EQ(made["kind"], "season");
  EXPECT_EQ(made["recipe"], "season");
  EXPECT_EQ(made["settings"].dump(), R"({"balance":{"strength":0.625}})");
  EXPECT_EQ(made["inputs"].dump(),
            R"([{"role":"photo","name":"summer.jpg"},{"role":"painting","name":"winter.jpg"}])");
  const Notes damaged = {{"Recipe", "[[["}};
  EXPECT_TRUE(
      about(served_.upload(bytes_of(8, 8, "png", {.notes = damaged})))["made_by"].is_null());
}

TEST_F(Uploads, AreShrunkForAPage) {
  const std::string id = served_.upload(bytes_of(300, 200, "tif"));
  const std::string target = "/api/v1/uploads/" + id + "/picture?width=";
  const Reply reply = served_.get(target + "100");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.type, "image/jpeg");
  const std::string kept = served_.files.folder_of_pictures() + "/" + id + "-100";
  const Image image = read_image(kept);
  EXPECT_EQ(image.width, 100);
  EXPECT_EQ(image.height, 67);
  served_.get(target + "2048");
  EXPECT_EQ(read_image(served_.files.folder_of_pictures() + "/" + id + "-2048").width, 300);
  const std::string clear = served_.upload(bytes_of(30, 20, "png", {}, true));
  EXPECT_EQ(served_.get("/api/v1/uploads/" + clear + "/picture?width=16").type, "image/png");
}

TEST_F(Uploads, AreRefusedForWhatTheyAreNot) {
  const std::string id = served_.upload("no picture");
  EXPECT_EQ(served_.get("/api/v1/uploads/token").status, 404);
  EXPECT_EQ(served_.get("/api/v1/uploads/" + std::string(64, '0')).status, 404);
  EXPECT_EQ(served_.get("/api/v1/uploads/" + id + "/picture").status, 400);
  EXPECT_EQ(served_.get("/api/v1/uploads/" + id + "/picture?width=15").status, 400);
  EXPECT_EQ(served_.get("/api/v1/uploads/" + id + "/picture?width=2049").status, 400);
}

TEST_F(Uploads, TakePicturesWithThemWhenTheyGo) {
  const std::string id = served_.upload(bytes_of(30, 20, "png"));
  served_.get("/api/v1/uploads/" + id + "/picture?width=16");
  const Files::Users nobody = {[](const std::string&) { return false; },
                               [](const std::string&) { return false; }};
  served_.files.sweep(nobody, 0);  // sees them
  served_.files.sweep(nobody, 0);
  served_.files.sweep(nobody, 0);
  EXPECT_TRUE(std::filesystem::is_empty(served_.files.folder_of_pictures()));
}

TEST_F(Uploads, AreDescribedByNoOneElse) {
  const std::string good =
      R"({"width":1,"height":1,"format":"PNG","bits":8,"transparent":false,"made_by":null})";
  EXPECT_EQ(upload_json("id", good)["id"], "id");
  for (
      const char* bad :
      {"", "null", "{", "[]", R"({"width":1})",
       R"({"width":0,"height":1,"format":"PNG","bits":8,"transparent":false,"made_by":null})",
       R"({"width":1,"height":1,"format":1,"bits":8,"transparent":false,"made_by":null})",
       R"({"width":1,"height":1,"format":"","bits":8,"transparent":false,"made_by":{"kind":1}})"}) {
    EXPECT_EQ(problem_of([&] { upload_json("id", bad); }), 503) << bad;
  }
}

TEST(Examples, HaveTheSizesThatTheyHave) {
  TestFolder folder;
  const std::string path = folder.path() + "/example.jpg";
  ASSERT_GE(examples().size(), 20U);
  for (const Example& example : examples()) {
    std::ofstream(path, std::ios::binary) << example.file->bytes;
    const Image image = read_image(path);
    EXPECT_EQ(image.width, example.width) << example.name;
    EXPECT_EQ(image.height, example.height) << example.name;
    EXPECT_EQ(find_example(example.file->name), &example) << "two have this name";
  }
  EXPECT_EQ(find_example("../token"), nullptr);
}

}  // namespace
}  // namespace limn
