#!/usr/bin/env bash
# limn batch --sheet and --html: they are there, well formed, and show what was painted.
. "$(dirname "$0")/expect.sh"

mkdir photos paintings
cp photo.png "photos/harbour & <quay>.png"
cp grey.png photos/street.png
cp red.png paintings/
cp blue.png "paintings/#blue 100%.png"
batch=(limn batch photos --paintings paintings "${weights[@]}" -o "out/of us" --size 48)
expect_exit 0 "${batch[@]}" --sheet out/s.png --html out/g.html --quiet
expect_equal "" "$(cat stdout stderr)"
# Three rows and columns of cells 160 pixels wide, with 13 between and around.
expect_picture out/s.png "532 x 277 opaque"

# check_page FILE: tags are closed, ids are unique, each picture has words, links lead to files, and
# nothing is asked of anyone.
check_page() {
  command_run="$1"
  python3 - "$1" > found 2>&1 <<'PYTHON' || complain "a well-formed page" "$(< found)"
import html.parser, pathlib, re, sys, urllib.parse
VOID = {"meta", "link", "img", "input", "br"}
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.links, self.figures, self.images = [], [], [], 0, 0
    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        assert len(given) == len(attributes), (tag, attributes)
        if tag not in VOID: self.open.append(tag)
        if "id" in given: self.ids.append(given["id"])
        if tag == "figure": self.figures += 1
        if tag == "img" and "src" in given:
            self.images += 1
            assert given["src"].startswith("data:image/jpeg;base64,/9j/"), given["src"][:40]
            assert "alt" in given
            assert self.open[-2:] != ["figure", "a"] or given["alt"], "a result without words"
        if tag == "a" and "href" in given: self.links.append(given["href"])
    def handle_startendtag(self, tag, attributes): pass  # of drawings
    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag
path = pathlib.Path(sys.argv[1])
text = path.read_text(encoding="utf-8")
page = Page()
page.feed(text)
assert not page.open, page.open
assert len(set(page.ids)) == len(page.ids)
assert page.figures == 4 and page.images == 8, (page.figures, page.images)
for link in page.links:
    file = path.parent / urllib.parse.unquote(link)
    assert file.is_file(), link
assert not re.search(r"https?:|//[a-z]|@import|url\(", text.replace("data:image", "")), "a request"
assert "<quay>" not in text and "harbour &amp; &lt;quay&gt;" in text
PYTHON
}
check_page out/g.html
# The same from what is there already: nothing is painted, and every byte is the same.
expect_exit 0 "${batch[@]}" --sheet out/t.png --html out/h.html
expect_message "0 to paint, 4 up to date"
cmp -s out/g.html out/h.html || complain "the same page" "another"
cmp -s out/s.png out/t.png || complain "the same sheet" "another"
# A page elsewhere links to where the results are.
mkdir elsewhere
expect_exit 0 "${batch[@]}" --html elsewhere/g.html
check_page elsewhere/g.html

# A list is shown picture by picture, with the settings in which they differ.
cat > list.csv <<'CSV'
photo,painting,style-weight
photo.png,red.png,0.1
photo.png,red.png,0.2
CSV
expect_exit 0 limn batch --list list.csv "${weights[@]}" -o out/list --html out/l.html \
  --sheet out/l.png
grep -q "style-weight 0.2" out/l.html || complain "the settings in the page" "none"
expect_picture out/l.png "opaque"
