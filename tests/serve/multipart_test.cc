#include "serve/multipart.h"

#include <chrono>
#include <thread>
#include <vector>

#include "serve/body.h"
#include "serve/served.h"

namespace limn {
namespace {

struct ReadPart {
  std::string name, filename, bytes;
  bool is_file = false, ended = false;
};

std::vector<ReadPart> read_form(const std::string& form, const std::string& boundary,
                                size_t piece) {
  std::vector<ReadPart> parts;
  MultipartReader reader(boundary,
                         {[&](const MultipartReader::Part& part) {
                            parts.push_back({part.name, part.filename, "", part.is_file, false});
                          },
                          [&](std::span<const std::byte> bytes) {
                            parts.back().bytes.append(reinterpret_cast<const char*>(bytes.data()),
                                                      bytes.size());
                          },
                          [&] { parts.back().ended = true; }});
  for (size_t at = 0; at < form.size(); at += piece) {
    const std::string bytes = form.substr(at, piece);
    reader.take(std::as_bytes(std::span(bytes)));
  }
  reader.finish();
  return parts;
}

const std::string kForm =
    "--B\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\npaint\r\n"
    "--B\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"../a\\b/cat.jpg\"\r\n"
    "Content-Type: image/jpeg\r\n\r\n\r\n--C\r\n-\r\n--\r\n\r\n"
    "--B\r\ncontent-disposition: FORM-DATA; name=empty\r\n\r\n\r\n"
    "--B--\r\n";

TEST(Multipart, IsReadInPiecesOfAnyLength) {
  for (size_t piece = 1; piece <= kForm.size(); ++piece) {
    const std::vector<ReadPart> parts = read_form(kForm, "B", piece);
    ASSERT_EQ(parts.size(), 3U) << piece;
    EXPECT_EQ(parts[0].name, "kind");
    EXPECT_EQ(parts[0].bytes, "paint");
    EXPECT_FALSE(parts[0].is_file);
    EXPECT_EQ(parts[1].filename, "cat.jpg");
    EXPECT_TRUE(parts[1].is_file);
    EXPECT_EQ(parts[1].bytes, "\r\n--C\r\n-\r\n--\r\n") << piece;
    EXPECT_EQ(parts[2].bytes, "");
    for (const ReadPart& part : parts) EXPECT_TRUE(part.ended);
  }
}

// A sweep takes what nobody has touched since the one before, and no job uses these files yet.
TEST(Multipart, AFormsFirstFilesStayWhileItsLastOnesCome) {
  for (const bool holds : {true, false}) {
    const TestFolder folder;
    Files files(folder.path());
    Request request;
    request.fields = {{"content-type", "multipart/form-data; boundary=B"}};
    BodyLimits limits;
    limits.hold_seconds = holds ? 0 : 1000;
    BodyReader reader(BodyKind::form, request, files, limits);
    const auto take = [&](std::string_view bytes) { reader.take(std::as_bytes(std::span(bytes))); };
    const auto part = [](const std::string& name) {
      return "--B\r\nContent-Disposition: form-data; name=\"" + name +
             "\"; filename=\"a.png\"\r\n\r\n";
    };
    take(part("photo") + "the photo\r\n" + part("painting"));
    ASSERT_EQ(request.files.size(), 1U);
    const std::string photo = request.files.front().id;
    const Files::Users nobody = {.uses = [](const std::string&) { return false; },
                                 .is_job = [](const std::string&) { return false; }};
    files.sweep(nobody, 1000);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    take("the painting comes slowly");
    files.sweep(nobody, 0.1);
    EXPECT_EQ(files.has(photo), holds);
    take("\r\n--B--\r\n");
    reader.finish();
    ASSERT_EQ(request.files.size(), 2U);
    EXPECT_TRUE(files.has(request.files.back().id));  // on its way in, it was locked
  }
}

TEST(Multipart, RefusesWhatIsNotExactlyAForm) {
  const std::string head = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";
  for (const std::string& form : {
           std::string(""),
           std::string("--B"),
           std::string("--B--"),
           std::string("x") + kForm,
           kForm.substr(0, kForm.size() - 4),
           kForm + "x",
           std::string("--B\r\n\r\nx\r\n--B--\r\n"),
           head + "x\r\n--Bx\r\n--B--",
           head + "x",
           std::string("--B\r\nContent-Disposition: form-data\r\n\r\nx\r\n--B--"),
           std::string("--B\r\nContent-Disposition: form-data; name=\"a/b\"\r\n\r\nx\r\n--B--"),
           std::string(
               "--B\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\nx\r\n--B--"),
           std::string("--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx\r\n--B--"),
           std::string("--B\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--B--"),
           std::string("--B\r\nContent-Disposition: form-data; name=\"a\"\r\n"
                       "Content-Transfer-Encoding: base64\r\n\r\nx\r\n--B--"),
           "--B\r\nX: " + std::string(5000, 'x') + "\r\n\r\nx\r\n--B--",
       }) {
    EXPECT_EQ(problem_of([&] { read_form(form, "B", 7); }), 400) << form.substr(0, 100);
  }
}

TEST(Multipart, HasAtMostAHundredParts) {
  const auto form = [](size_t parts) {
    std::string text;
    for (size_t i = 0; i < parts; ++i) {
      text += "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
    }
    return text + "--B--\r\n";
  };
  EXPECT_EQ(read_form(form(100), "B", 50).size(), 100U);
  EXPECT_EQ(problem_of([&] { read_form(form(101), "B", 50); }), 413);
}

TEST(Boundary, IsThatOfTheContentType) {
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=B"), "B");
  EXPECT_EQ(boundary_of("Multipart/Form-Data; charset=x; boundary=\"a b\""), "a b");
  EXPECT_EQ(problem_of([] { boundary_of("application/json"); }), 415);
  for (const std::string& type : std::vector<std::string>{
           "multipart/form-data", "multipart/form-data; boundary=\"\"",
           "multipart/form-data; boundary=\"a \"", "multipart/form-data; boundary=\"\xc3\xa4\"",
           "multipart/form-data; boundary=" + std::string(71, 'x')}) {
    EXPECT_EQ(problem_of([&] { boundary_of(type); }), 400) << type;
  }
}

TEST(DisplayNames, AreNoPaths) {
  EXPECT_EQ(display_name("/etc/passwd"), "passwd");
  EXPECT_EQ(display_name("C:\\pictures\\a.png"), "a.png");
  EXPECT_EQ(display_name(".."), "");
  EXPECT_EQ(display_name("a\nb\x1b"), "a?b?");
  EXPECT_EQ(display_name("\xff"), "?");
  EXPECT_EQ(display_name("gem\u00e4lde.jpg"), "gem\u00e4lde.jpg");
  EXPECT_TRUE(is_utf8(display_name(std::string(199, 'a') + "\u20ac\u20ac")));
  EXPECT_LE(display_name(std::string(1000, 'a')).size(), 200U);
}

}  // namespace
}  // namespace limn
