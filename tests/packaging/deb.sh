#!/usr/bin/env bash
# Installs limn's Debian packages in a clean Debian as a stranger would, paints, builds programs
# with liblimn-dev, and purges all of it: nothing of limn's may be left.
#
#   tests/packaging/deb.sh FOLDER     # of the packages
. "$(dirname "$0")/clean_root.sh"
source=$(cd "$(dirname "$0")/../.." && pwd)
packages=$(ls "$1"/*.deb)

make_root bookworm apt
mkdir "$root/tmp/given"
# shellcheck disable=SC2086  # file names are words
cp -r $packages "$source"/examples/photos/landscape.jpg "$source"/examples/paintings/oil.jpg \
  "$source/tests/install" "$root/tmp/given"
# With the shell's patterns; says what apt said if it fails.
install_in_root() {
  in_root sh -c "apt-get install -y --no-install-recommends $*" > "$root/tmp/apt" 2>&1 ||
    failed "installing $*: $(tail -n 20 "$root/tmp/apt")"
}

# ---- the command ----
cd /
in_root apt-get update -qq
install_in_root "/tmp/given/limn_*.deb"
in_root -u limn --version
in_root -u limn paint /tmp/given/landscape.jpg /tmp/given/oil.jpg -o /tmp/home/out.png \
  --size 128 --iterations 10 --quiet
in_root -u limn info /tmp/home/out.png > /dev/null
for file in man/man1/limn.1.gz man/man1/limn-paint.1.gz bash-completion/completions/limn \
  zsh/vendor-completions/_limn fish/vendor_completions.d/limn.fish applications/limn.desktop \
  icons/hicolor/scalable/apps/limn.svg doc/limn/copyright doc/limn/changelog.gz; do
  [[ -f $root/usr/share/$file ]] || failed "no /usr/share/$file"
done
in_root -u timeout -s INT 5 limn serve --port 0 > "$root/tmp/served" 2> /dev/null || true
grep -q '/?token=' "$root/tmp/served" || failed "limn serve gave no link: $(< "$root/tmp/served")"

# ---- the library: programs by CMake and by pkg-config ----
install_in_root g++ make cmake pkg-config
install_in_root "/tmp/given/liblimn*.deb"
in_root sh -c 'cd /tmp/home && cmake -S /tmp/given/install -B by_cmake > /dev/null &&
  cmake --build by_cmake > /dev/null && by_cmake/consumer &&
  c++ -std=c++20 /tmp/given/install/consumer.cc $(pkg-config --cflags --libs limn) -o by_pkg_config &&
  ./by_pkg_config'

# ---- the Python module ----
install_in_root "/tmp/given/python3-limn*.deb"
in_root -u python3 -c 'import limn
painted = limn.paint("/tmp/given/landscape.jpg", "/tmp/given/oil.jpg", size=96, iterations=2)
painted.save("/tmp/home/python.png")'

# ---- nothing is left ----
names=$(in_root dpkg-query -W -f '${Package} ${Status}\n' '*limn*' |
  awk '/ installed$/ { print $1 }')
[[ $names == *liblimn-dev*limn* ]] || failed "limn and liblimn-dev are not installed: $names"
# shellcheck disable=SC2086
in_root dpkg -L $names | grep -vx '/\.' | sort -u > "$root/tmp/files"
# shellcheck disable=SC2086
in_root apt-get -o Dpkg::Use-Pty=0 purge -y -qq $names > /dev/null
rm -rf "$root/tmp/home" "$root/tmp/given"
left=$(in_root sh -c 'while read -r file; do
    [ ! -e "$file" ] || dpkg -S "$file" > /dev/null 2>&1 || echo "$file"
  done < /tmp/files; find / -xdev -iname "*limn*"')
[[ -z $left ]] || failed "after purging there is still: $left"
echo "installed, painted, linked, purged: nothing of limn's is left"
