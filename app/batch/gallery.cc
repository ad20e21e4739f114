#include "batch/gallery.h"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <vector>

#include "base/base64.h"
#include "batch/overview.h"
#include "image/write.h"

namespace limn {
namespace {

namespace fs = std::filesystem;

// Longest sides of the pictures in the page, in pixels, for screens with two of them to a point;
// and the quality of their JPEGs.
constexpr int kResultSide = 720;
constexpr int kSourceSide = 640;
constexpr int kQuality = 82;

std::string counted(size_t count, const char* thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// An <img> with the picture inside.
std::string image_tag(const Image& picture, const std::string& alt) {
  return fmt::format(
      R"(<img src="data:image/jpeg;base64,{}" width="{}" height="{}" alt="{}" decoding="async">)",
      base64(jpeg_in_memory(picture, kQuality)), picture.width, picture.height, escaped(alt));
}

// A path in a link: bytes that mean something there are given by number.
std::string link_text(const std::string& path) {
  std::string link;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        std::isalnum(byte) != 0 || std::string_view("-_.~/,+").find(c) != std::string_view::npos;
    if (plain && byte < 0x80) {
      link += c;
    } else {
      link += fmt::format("%{:02X}", byte);
    }
  }
  // What looks like a scheme, "a:b", is none after "./".
  return link.starts_with('/') || link.starts_with('.') ? link : "./" + link;
}

std::string link_from(const std::string& page, const std::string& file) {
  std::error_code ignored;
  const fs::path folder = fs::absolute(page, ignored).lexically_normal().parent_path();
  return link_text(fs::absolute(file, ignored).lexically_normal().lexically_relative(folder));
}

struct Source {
  std::string title, file;
};

// The photos or the paintings; what cannot be read any more has only its name.
std::string strip(const char* id, const char* heading, std::span<const Source> sources) {
  std::string text = fmt::format(
      "<div><h2 id=\"{}-title\">{}</h2>\n<ul class=\"strip\" id=\"{}\" "
      "aria-labelledby=\"{}-title\">\n",
      id, heading, id, id);
  for (const auto& [title, file] : sources) {
    std::string image;
    try {
      image = image_tag(small_picture(file, kSourceSide), "");
    } catch (const Error&) {
      image = R"(<img alt="" width="1" height="1">)";
    }
    text += fmt::format(
        "<li><button type=\"button\" aria-pressed=\"false\" "
        "disabled>{}<span>{}</span></button></li>\n",
        image, escaped(title));
  }
  return text + "</ul></div>\n";
}

std::string tile(const Overview& overview, size_t number, const std::string& page, bool grouped) {
  const Overview::Picture& picture = overview.pictures[number];
  const std::string photo = title_of(overview.photos[picture.photo]);
  const std::string style = title_of(overview.styles[picture.style]);
  const Image small = small_picture(picture.item->request.output, kResultSide);
  const auto [height, width] = picture.item->size;
  const std::string settings =
      picture.settings.empty() ? "" : fmt::format("<br>{}", escaped(picture.settings));
  const std::string caption =
      grouped ? fmt::format("<b>{}</b>", escaped(style))
              : fmt::format("<b>{}</b> in the style of {}", escaped(photo), escaped(style));
  return fmt::format(
      "<figure class=\"tile\" id=\"p{}\" data-photo=\"{}\" data-style=\"{}\" data-size=\"{} × {}\" "
      "data-settings=\"{}\" style=\"--ratio:{:.4f}\"><a href=\"{}\">{}</a>"
      "<figcaption>{}{}</figcaption></figure>\n",
      number + 1, picture.photo, picture.style, width, height, escaped(picture.settings),
      1.0 * small.width / small.height, escaped(link_from(page, picture.item->request.output)),
      image_tag(small, photo + ", in the style of " + style), caption, settings);
}

// The pictures, in a room for each photo if several are of the same.
std::string rooms(const Overview& overview, const std::string& page, bool grouped) {
  std::string text = fmt::format("<main id=\"rooms\"{}>\n", grouped ? " data-grouped" : "");
  int photo = -1;
  for (size_t i = 0; i < overview.pictures.size(); ++i) {
    const bool new_room = i == 0 || (grouped && overview.pictures[i].photo != photo);
    photo = overview.pictures[i].photo;
    if (new_room && i > 0) text += "</div></section>\n";
    if (new_room) text += "<section class=\"room\">";
    if (new_room && grouped) {
      text += fmt::format("<h2>{}</h2>", escaped(title_of(overview.photos[photo])));
    }
    if (new_room) text += "<div class=\"row\">\n";
    text += tile(overview, i, page, grouped);
  }
  return text + (overview.pictures.empty() ? "" : "</div></section>\n") + "</main>\n";
}

std::string not_there(const Overview& overview) {
  if (overview.not_there.empty()) return "";
  std::string text =
      "<section class=\"failed\" aria-label=\"Not painted\"><h2>Not painted</h2><ul>\n";
  for (const BatchItem* const item : overview.not_there) {
    const InputNames& names = item->request.names;
    text += fmt::format("<li><b>{}, in the style of {}</b><br>{}</li>\n",
                        escaped(title_of(names.photo)), escaped(title_of(names.paintings)),
                        item->trouble.empty() ? "not yet" : escaped(trouble_text(*item)));
  }
  return text + "</ul></section>\n";
}

// "12 pictures: 3 photos in the style of 4 paintings"
std::string summary(const Overview& overview) {
  return fmt::format("{}: {} in the style of {}", counted(overview.pictures.size(), "picture"),
                     counted(overview.photos.size(), "photo"),
                     counted(overview.styles.size(), "painting"));
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string gallery_page(std::span<const BatchItem> items, const std::string& title,
                         const std::string& path) {
  const Overview overview = overview_of(items);
  const bool grouped = overview.photos.size() < overview.pictures.size();
  std::vector<Source> photos, styles;
  photos.reserve(overview.photos.size());
  styles.reserve(overview.styles.size());
  for (const std::string& photo : overview.photos) photos.push_back({title_of(photo), photo});
  for (const Overview::StyleFiles& style : overview.styles) {
    styles.push_back({title_of(style), style.front()});
  }
  std::string page(gallery_head());
  page += fmt::format("<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n", escaped(title),
                      gallery_style());
  page += fmt::format(
      "<header><div><h1>{}</h1><p>{}</p></div>\n<div class=\"controls\">{}{}</div>"
      "</header>\n",
      escaped(title), summary(overview), grouped ? gallery_sorting() : std::string_view(),
      gallery_theme());
  page += "<section class=\"strips\" aria-label=\"What they were painted from\">\n" +
          strip("photos", "Photos", photos) + strip("styles", "Paintings", styles) + "</section>\n";
  page +=
      "<p class=\"unseen\" id=\"said\" aria-live=\"polite\"></p>\n"
      "<p class=\"nothing\" id=\"nothing\" hidden>None of the pictures is of these photos in "
      "the style of these paintings.</p>\n";
  page += rooms(overview, path, grouped) + not_there(overview);
  page += fmt::format(
      "<footer>Painted by limn {}.</footer>\n{}<script>\n{}</script>\n</body>\n"
      "</html>\n",
      version(), gallery_viewer(), gallery_script());
  return page;
}

}  // namespace limn
