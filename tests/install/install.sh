#!/usr/bin/env bash
# Installs the build into an empty folder and builds a user's program against it, once through
# find_package and once through pkg-config.   install.sh BUILD SOURCE
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
lib=$(dirname "$(find "$work/prefix" -name 'liblimn.so')")

cmake -S "$source/tests/install" -B "$work/consumer" -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/consumer" >/dev/null
"$work/consumer/consumer"

export PKG_CONFIG_PATH="$lib/pkgconfig"
# shellcheck disable=SC2046  # flags are words
c++ -std=c++20 "$source/tests/install/consumer.cc" -o "$work/linked" $(pkg-config --cflags --libs limn)
LD_LIBRARY_PATH="$lib" "$work/linked"

"$work/prefix/bin/limn" --version
if "$work/prefix/bin/limn" serve --help >/dev/null 2>&1; then
  grep -q '^ExecStart=/.*/bin/limn serve ' "$work/prefix/lib/systemd/system/limn.service"
  for file in applications/limn.desktop icons/hicolor/scalable/apps/limn.svg \
    metainfo/limn.metainfo.xml; do
    [[ -f $work/prefix/share/$file ]]
  done
fi
for file in man/man1/limn.1 man/man1/limn-paint.1 bash-completion/completions/limn \
  zsh/site-functions/_limn fish/vendor_completions.d/limn.fish; do
  [[ -f $work/prefix/share/$file ]]
done

# The Python module, where it is built.
module=$(find "$work/prefix" -path '*/limn/__init__.py')
if [ -n "$module" ]; then
  PYTHONPATH=$(dirname "$(dirname "$module")") LD_LIBRARY_PATH="$lib" /usr/bin/python3 -c '
import limn
picture = limn.resized([[[0.5] * 3] * 40] * 30, 32, 24)
print("Python:", limn.__version__, limn.paint(picture, picture, size=0, iterations=1))'
fi
