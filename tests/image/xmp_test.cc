// Notes as XMP: what is written is read back, and what is no XMP says nothing.
#include "image/xmp.h"

#include <gtest/gtest.h>

#include "support/drawn.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

const Notes kNotes = {{"Recipe", "name = \"a\"\n[style]\nweight = 1 # <&> \"quoted\" 'too'\n"},
                      {"Seed", "7"},
                      {"Inputs", "[{\"name\":\"gr\xC3\xBC\xC3\x9F.jpg\"}]"},
                      {"Empty", ""}};

TEST(Xmp, IsReadBack) { EXPECT_EQ(notes_in_xmp(xmp_of(kNotes, "limn 1")), kNotes); }

TEST(Xmp, NamesItsCreatorAndBeginsAsAPacket) {
  const std::string packet = xmp_of(kNotes, "limn <1>");
  EXPECT_TRUE(packet.starts_with("<?xpacket begin="));
  EXPECT_TRUE(packet.ends_with("<?xpacket end=\"w\"?>"));
  EXPECT_NE(packet.find("limn &lt;1&gt;"), std::string::npos);
}

// Other programs write properties as attributes, with prefixes of their own.
TEST(Xmp, OfOtherProgramsIsReadToo) {
  const char* packet = R"(<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:q="urn:limn:painting/" xmlns:dc="other" q:Seed="9" dc:Seed="1">
   <q:Recipe>name = &quot;b&quot;</q:Recipe>
   <dc:title>Seed</dc:title>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta><?xpacket end="w"?>)";
  EXPECT_EQ(notes_in_xmp(packet), (Notes{{"Recipe", "name = \"b\""}, {"Seed", "9"}}));
}

TEST(Xmp, OfBytesThatXmlCannotHoldIsStillXmp) {
  const Notes found = notes_in_xmp(xmp_of({{"Name",
                                            "a\x01"
                                            "b\xFF"
                                            "c"}},
                                          "limn"));
  EXPECT_EQ(found.at("Name"), "a?b?c");
}

TEST(Xmp, ThatIsNoneSaysNothing) {
  for (const std::string& text :
       {std::string(), std::string("text"), std::string("<a>"), std::string("<a/>"),
        std::string(100, '\0'), xmp_of(kNotes, "limn").substr(0, 200)}) {
    EXPECT_EQ(notes_in_xmp(text), Notes()) << text;
  }
  // Entities that grow are not expanded.
  std::string bomb = "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\">";
  for (char c = 'b'; c <= 'k'; ++c) {
    bomb += std::string("<!ENTITY ") + c + " \"";
    for (int i = 0; i < 10; ++i) bomb += std::string("&") + static_cast<char>(c - 1) + ";";
    bomb += "\">";
  }
  bomb += "]><a xmlns:l=\"urn:limn:painting/\"><l:Seed>&k;</l:Seed></a>";
  EXPECT_EQ(notes_in_xmp(bomb), Notes());
}

class WrittenNotes : public InAFolder {};

TEST_F(WrittenNotes, AreReadFromEachFormatThatCarriesThem) {
  const Image image = smooth_picture(20, 12, 1);
  for (const char* ending : {".png", ".jpg", ".webp", ".tif"}) {
    WriteOptions options;
    options.notes = kNotes;
    const std::string file = path(std::string("a") + ending);
    write_image(image, file, options);
    EXPECT_EQ(read_notes(file), kNotes) << ending;
    write_image(image, file);
    EXPECT_EQ(read_notes(file), Notes()) << ending;
  }
}

// A JPEG has one segment of 64 KB for them: the longest goes.
TEST_F(WrittenNotes, ThatAreTooLongForAJpegAreLeftOut) {
  WriteOptions options;
  options.notes = kNotes;
  options.notes["Inputs"] = std::string(80'000, 'x');
  const Image image = smooth_picture(20, 12, 1);
  write_image(image, path("a.jpg"), options);
  Notes expected = kNotes;
  expected.erase("Inputs");
  EXPECT_EQ(read_notes(path("a.jpg")), expected);
  write_image(image, path("a.png"), options);
  EXPECT_EQ(read_notes(path("a.png")), options.notes);
}

}  // namespace
}  // namespace limn
