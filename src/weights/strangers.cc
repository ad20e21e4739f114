#include "weights/strangers.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/lower_case.h"

namespace limn {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf"sv;  // as UTF-8 has it
constexpr std::string_view kBlanks = " \t\r\n\v\f\0"sv;

// What people mistake for weights, or get when a download goes wrong.
struct Stranger {
  std::string_view signature;
  std::string_view name;
};

constexpr Stranger kStrangers[] = {
    {"MATLAB 7.3 MAT-file"sv,
     "a MATLAB 7.3 file; load it in MATLAB and save it with -v7, which limn reads"},
    {"\x80\x02"sv, "a Python pickle, but not PyTorch's"},
    {"\x80\x03"sv, "a Python pickle, but not PyTorch's"},
    {"\x80\x04"sv, "a Python pickle, but not PyTorch's"},
    {"\x80\x05"sv, "a Python pickle, but not PyTorch's"},
    {"sys_info\0"sv,
     "a PyTorch .pth of 2016 (in a tar container); load it with PyTorch and save it again"},
    {"\x1f\x8b"sv, "packed with gzip; unpack it first"},
    {"BZh"sv, "packed with bzip2; unpack it first"},
    {"\xfd"
     "7zXZ\0"sv,
     "packed with xz; unpack it first"},
    {"\x28\xb5\x2f\xfd"sv, "packed with zstd; unpack it first"},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7-Zip archive; unpack it first"},
    {"Rar!\x1a"sv, "a RAR archive; unpack it first"},
    {"GGUF"sv, "a GGUF file of a language model, not weights of VGG"},
    {"\x89PNG\r\n\x1a\n"sv, "a PNG picture, not weights"},
    {"\xff\xd8\xff"sv, "a JPEG picture, not weights"},
    {"GIF8"sv, "a GIF picture, not weights"},
    {"RIFF"sv, "a WebP picture or another RIFF file, not weights"},
    {"II*\0"sv, "a TIFF picture, not weights"},
    {"MM\0*"sv, "a TIFF picture, not weights"},
    {"%PDF"sv, "a PDF document, not weights"},
    {"version https://git-lfs"sv,
     "a Git LFS pointer, not the file itself; fetch it with 'git lfs pull'"},
    {"/annex/objects/"sv,
     "a git-annex pointer, not the file itself; fetch it with 'git annex get'"},
};

// The head with one byte per character: without a byte order mark, without the zeros of UTF-16, and
// without leading blanks.
std::string plain_text(std::string_view head) {
  std::string text(head);
  if (head.starts_with("\xff\xfe") || head.starts_with("\xfe\xff")) {
    text.erase(0, 2);
    std::erase(text, '\0');
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  text.erase(0, std::min(text.find_first_not_of(kBlanks), text.size()));
  return text;
}

// What the first <tag ...> of this name holds, with blanks collapsed to single spaces; "" if there
// is none.
std::string tagged(const std::string& text, std::string_view tag) {
  const std::string lower = lower_case(text);
  const size_t open = lower.find(fmt::format("<{}", tag));
  const size_t begin = lower.find('>', open);
  const size_t end = lower.find("</", begin);
  if (open == lower.npos || begin == lower.npos || end == lower.npos) return "";
  std::string inside;
  for (const char c : text.substr(begin + 1, end - begin - 1)) {
    const bool is_blank = kBlanks.find(c) != kBlanks.npos;
    if (!is_blank)
      inside += c;
    else if (!inside.empty() && inside.back() != ' ')
      inside += ' ';
  }
  if (inside.ends_with(' ')) inside.pop_back();
  return printable(inside);
}

bool is_web_page(const std::string& text) {
  const std::string lower = lower_case(text);
  constexpr std::string_view kTags[] = {"<!doctype html", "<html", "<head>", "<body", "<title>"};
  return std::ranges::any_of(kTags,
                             [&](std::string_view tag) { return lower.find(tag) != lower.npos; });
}

bool is_xml(const std::string& text) {
  return text.size() > 1 && text[0] == '<' &&
         (text[1] == '?' || text[1] == '!' || std::isalpha(static_cast<unsigned char>(text[1])));
}

std::string describe_web_page(const std::string& text) {
  const std::string title = tagged(text, "title");
  return fmt::format(
      "a web page{}, not weights: the download brought it instead of the file; open the link in a "
      "browser and download the file itself",
      title.empty() ? "" : fmt::format(" (\"{}\")", title));
}

// Amazon's and Google's storage services answer like this.
std::string describe_xml(const std::string& text) {
  if (lower_case(text).find("<svg") != text.npos) return "an SVG picture, not weights";
  const std::string code = tagged(text, "code");
  const std::string message = tagged(text, "message");
  if (code.empty() && message.empty()) return "XML, not weights; fetch the file itself";
  return fmt::format(
      "a server's error message (\"{}{}{}\"), not weights; fetch the file from an address that "
      "still has it",
      code, code.empty() || message.empty() ? "" : ": ", message);
}

std::string describe_text(const std::string& text) {
  if (is_xml(text)) return describe_xml(text);
  const bool is_json = text.starts_with('{') || text.starts_with('[');
  return fmt::format("{}, not weights; it begins \"{}\"", is_json ? "JSON" : "text",
                     printable(std::string_view(text).substr(0, text.find_first_of("\r\n"))));
}

}  // namespace

bool is_text(std::string_view bytes) {
  size_t follow = 0;  // bytes of this character still to come
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_following = (byte & 0xc0) == 0x80;
    if (is_following != (follow > 0)) return false;
    if (is_following) {
      --follow;
    } else if (byte >= 0x80) {
      if (byte < 0xc2 || byte > 0xf4) return false;
      follow = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    } else if ((byte < ' ' && byte != '\t' && byte != '\r' && byte != '\n' && byte != '\f') ||
               byte == 0x7f) {
      return false;
    }
  }
  return !bytes.empty();
}

bool is_markup(std::string_view head) {
  const std::string text = plain_text(head);
  return is_web_page(text) || is_xml(text);
}

std::string describe_stranger(std::string_view head) {
  if (head.empty()) return "empty";
  const std::string text = plain_text(head);
  for (const Stranger& stranger : kStrangers) {
    if (head.starts_with(stranger.signature) || text.starts_with(stranger.signature))
      return std::string(stranger.name);
  }
  if (is_web_page(text)) return describe_web_page(text);
  if (text.empty())
    return "not weights: it begins with nothing but blanks or zeros; if it was downloaded, fetch "
           "it again";
  if (is_text(text)) return describe_text(text);
  return "not weights in any format that limn recognises by its first bytes";
}

}  // namespace limn
