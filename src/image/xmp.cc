#include "image/xmp.h"

#include <libxml/parser.h>
#include <libxml/tree.h>

#include <memory>

namespace limn {
namespace {

constexpr const char* kNamespace = "urn:limn:painting/";
constexpr const char* kRdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
// Longer packets are not limn's.
constexpr std::size_t kMostBytes = 16 << 20;

const xmlChar* xml(const char* text) { return reinterpret_cast<const xmlChar*>(text); }
std::string text_of(const xmlChar* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

bool is_limns(const xmlNs* space) { return space && text_of(space->href) == kNamespace; }

// What XML cannot represent, even escaped, becomes a question mark: file names may hold any bytes.
std::string cleaned(const std::string& text) {
  std::string clean;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    clean += control ? '?' : c;
  }
  const bool is_utf8 = xmlCheckUTF8(xml(clean.c_str())) == 1;
  for (char& c : clean) {
    if (!is_utf8 && static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return clean;
}

using Document = std::unique_ptr<xmlDoc, decltype(&xmlFreeDoc)>;

// Properties are elements in rdf:Description or, as some programs rewrite them, its attributes.
void collect(const xmlNode* parent, Notes& notes) {
  for (const xmlNode* node = parent->children; node; node = node->next) {
    if (node->type != XML_ELEMENT_NODE) continue;
    for (const xmlAttr* attribute = node->properties; attribute; attribute = attribute->next) {
      if (!is_limns(attribute->ns)) continue;
      xmlChar* value = xmlNodeListGetString(node->doc, attribute->children, 1);
      notes[text_of(attribute->name)] = text_of(value);
      xmlFree(value);
    }
    if (is_limns(node->ns)) {
      xmlChar* value = xmlNodeGetContent(node);
      notes[text_of(node->name)] = text_of(value);
      xmlFree(value);
    } else {
      collect(node, notes);
    }
  }
}

}  // namespace

std::string xmp_of(const Notes& notes, const std::string& creator) {
  const Document document(xmlNewDoc(xml("1.0")), xmlFreeDoc);
  xmlNode* meta = xmlNewNode(nullptr, xml("xmpmeta"));
  xmlSetNs(meta, xmlNewNs(meta, xml("adobe:ns:meta/"), xml("x")));
  xmlDocSetRootElement(document.get(), meta);
  xmlNode* rdf = xmlNewChild(meta, nullptr, xml("RDF"), nullptr);
  xmlNs* rdf_space = xmlNewNs(rdf, xml(kRdf), xml("rdf"));
  xmlSetNs(rdf, rdf_space);
  xmlNode* description = xmlNewChild(rdf, rdf_space, xml("Description"), nullptr);
  xmlNewNsProp(description, rdf_space, xml("about"), xml(""));
  xmlNs* xmp = xmlNewNs(description, xml("http://ns.adobe.com/xap/1.0/"), xml("xmp"));
  xmlNs* limn = xmlNewNs(description, xml(kNamespace), xml("limn"));
  xmlNewTextChild(description, xmp, xml("CreatorTool"), xml(cleaned(creator).c_str()));
  for (const auto& [name, text] : notes) {
    xmlNewTextChild(description, limn, xml(name.c_str()), xml(cleaned(text).c_str()));
  }
  xmlChar* bytes = nullptr;
  int size = 0;
  xmlDocDumpMemoryEnc(document.get(), &bytes, &size, "UTF-8");
  std::string body(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  xmlFree(bytes);
  body.erase(0, body.find("?>") + 2);  // a packet has a beginning of its own
  return "<?xpacket begin=\"\xEF\xBB\xBF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>" + body +
         "<?xpacket end=\"w\"?>";
}

Notes notes_in_xmp(std::string_view packet) {
  Notes notes;
  if (packet.size() > kMostBytes) return notes;
  // No network access, no messages, no entity expansion.
  constexpr int kOptions = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
  const Document document(
      xmlReadMemory(packet.data(), static_cast<int>(packet.size()), "", "UTF-8", kOptions),
      xmlFreeDoc);
  if (!document || document->intSubset) return notes;  // XMP has no document type
  collect(reinterpret_cast<const xmlNode*>(document.get()), notes);
  return notes;
}

}  // namespace limn
