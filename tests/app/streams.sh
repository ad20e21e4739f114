#!/usr/bin/env bash
# Standard output and standard error that are full, or closed.
. "$(dirname "$0")/expect.sh"

# through REDIRECTION COMMAND...
through() { run bash -c 'exec "$@" '"$1" -- "${@:2}"; }

# ---- a result that cannot be printed is an error ----
evaluation="evaluate photo.png painting.png photo.png ${weights[*]}"
for command in "recipes" "recipes show limn" "$evaluation" "$evaluation --json"; do
  for redirection in "> /dev/full" ">&-"; do
    # shellcheck disable=SC2086
    through "$redirection" limn $command
    expect_equal 3 "$exit_code"
    expect_message "limn: "
  done
done

# ---- progress that cannot be shown is none ----
expect_exit 0 "${paint[@]}" -o out/usual.png
for redirection in "2> /dev/full" "2>&-" ">&- 2>&-" "<&- >&- 2>&-"; do
  through "$redirection" "${paint[@]}" -o out/a.png
  expect_equal 0 "$exit_code"
  expect_same out/usual.png out/a.png
  rm -f out/a.png
done
expect_in_folder out usual.png

# ---- an error that cannot be shown still has its code ----
for redirection in "2> /dev/full" "2>&-"; do
  through "$redirection" limn recipes show nothing
  expect_equal 2 "$exit_code"
  through "$redirection" "${paint[@]}" -o nowhere/a.png
  expect_equal 3 "$exit_code"
done
