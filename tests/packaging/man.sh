#!/usr/bin/env bash
# Man pages: one for each command, which says what the command's help says, and which readers of man
# pages take without a warning.   man.sh LIMN DESCRIBED
set -euo pipefail
limn=$1 pages=$2/man1
failures=0
complain() {
  echo "FAILED: $1"
  ((++failures))
}

expected=$({
  echo limn
  "$limn" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/limn-\1/p'
} | sort)
[[ $(cd "$pages" && ls | sed 's/\.1$//' | sort) == "$expected" ]] ||
  complain "pages of $(tr '\n' ' ' <<< "$expected"), not $(ls "$pages")"

# As text, without what the terminal would make bold.
text_of() { groff -man -Tutf8 -P-cbou -rLL=250n "$1"; }

if ! command -v groff > /dev/null; then
  echo "skipped: no groff here to read the pages"
  exit 77
fi
for page in "$pages"/*.1; do
  name=$(basename "$page" .1)
  warnings=$(groff -man -ww -Tutf8 -rLL=80n "$page" 2>&1 > /dev/null)
  [[ -z $warnings ]] || complain "$name: groff warns: $warnings"
  text=$(text_of "$page")
  for title in NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" EXAMPLES "SEE ALSO"; do
    [[ $name == limn && $title =~ EXAMPLES|ALSO ]] && continue  # it lists all the others
    grep -qx "$title" <<< "$text" || [[ $title == OPTIONS && $name =~ ^limn-(model|jobs)$ ]] ||
      complain "$name: no section $title"
  done
  # shellcheck disable=SC2046  # the words of a command
  help=$("$limn" $(sed 's/^limn-*//; s/-/ /g' <<< "$name") --help)
  while read -r flag; do
    grep -q -e "^ *\(-[a-z], \)\?$flag\b" <<< "$text" || complain "$name: nothing about $flag"
  done < <(grep -oP '^  (-\w,)?\K--[a-z0-9-]+' <<< "$help")
  if [[ $name == limn-paint ]]; then
    grep -q 'relu4_2:1' <<< "$text" || complain "$name: a setting without its default"
    grep -q 'limn paint photo.jpg etchings/ -o out.png' <<< "$text" || complain "$name: examples"
    grep -qE '^ +130 +interrupted' <<< "$text" || complain "$name: exit status"
    grep -q 'limn-resume(1)' <<< "$text" || complain "$name: see also"
  fi
done
text_of "$pages/limn.1" | grep -q 'XDG_CACHE_HOME' || complain "limn: environment"

if command -v mandoc > /dev/null; then
  mandoc -T lint -W warning "$pages"/*.1 || complain "mandoc warns"
else
  echo "no mandoc here: pages were read by groff alone"
fi
((failures == 0))
