# A clean Debian in a folder, for the tests beside this file, which source it:
#
#   make_root bookworm apt       # $root is it: mmdebstrap's variant "apt", gone when the test ends
#   in_root [-u] COMMAND...      # -u: as an ordinary user, whose home is /tmp/home
#
# It comes from where this machine's apt gets Debian. Exits 77, saying why, where it cannot be made.
set -euo pipefail

skip() {
  echo "skipped: $1"
  exit 77
}

failed() {
  echo "FAILED: $1"
  exit 1
}

root=
remove_root() {
  [[ -n $root ]] || return 0
  umount "$root/proc" 2> /dev/null || true
  rm -rf --one-file-system "$root"
}
trap remove_root EXIT

# Lines of sources.list for the suite, with its updates where this machine's apt has them.
sources_of() {  # SUITE
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' \
    'Created-By: Packages' | awk -v suite="$1" '
    $4 == "Debian" && mirror == "" { mirror = $1 }
    $4 == "Debian" && ($2 == suite || index($2, suite "-") == 1) {
      print "deb", $1, $2, $3
      ++lines
    }
    END { if (!lines && mirror) print "deb", mirror, suite, "main" }'
}

make_root() {  # SUITE VARIANT
  ((EUID == 0)) || skip "making a clean Debian needs root"
  command -v mmdebstrap > /dev/null || skip "mmdebstrap is not here (make deb installs it)"
  local from
  mapfile -t from < <(sources_of "$1")
  ((${#from[@]})) || skip "apt on this machine does not know where Debian is; apt-get update"
  root=$(mktemp -d)
  chmod 755 "$root"
  if ! mmdebstrap --quiet --mode=root --variant="$2" "$1" "$root" "${from[@]}" 2> "$root.log"; then
    tail -n 3 "$root.log"
    rm "$root.log"
    skip "no clean Debian $1 could be made from '${from[0]}'"
  fi
  rm "$root.log"
  mount -t proc proc "$root/proc" 2> /dev/null || true
  install -d -m 1777 "$root/tmp"
  install -d -o 65534 -g 65534 "$root/tmp/home"
}

in_root() {
  local user=()
  if [[ $1 == -u ]]; then
    user=(--userspec=65534:65534)
    shift
  fi
  chroot "${user[@]}" "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    ${http_proxy:+"http_proxy=$http_proxy"} HOME=/tmp/home DEBIAN_FRONTEND=noninteractive "$@"
}
