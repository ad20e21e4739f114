#!/usr/bin/env bash
# Every command explains itself.
. "$(dirname "$0")/expect.sh"

# Flags, commands and arguments that stand without a word on what they are for. The words begin in
# column 35, or after a space where the name is that long, or on the next line.
lines_without_words() {
  awk '/:$/ { listing = /^(Options|Positionals|Subcommands|Artistic controls|[A-Z][a-z ]* settings)/ }
       /^$/ { next }
       name { if (substr($0, 1, 34) ~ /[^ ]/ || length($0) < 35) print name; name = "" }
       listing && /^  [^ ]/ && (length($0) < 35 || substr($0, 34, 1) != " ") { name = $0 }
       END { if (name) print name }' stdout
}

check_help() {
  expect_exit 0 limn "$@"
  expect_equal "" "$(< stderr)"
  expect_equal "" "$(lines_without_words)"
  (($(wc -l < stdout) > 5)) || complain "a help of several lines" "$(< stdout)"
}

check_help --help
for command in paint sweep batch evaluate recipes model; do expect_output "  $command "; done
check_help -h

for command in paint sweep batch evaluate recipes "recipes show" model "model fetch" "model list" \
  "model info" "model convert" $(limn --help | grep -o '^  worker'); do
  for flag in --help -h; do
    # shellcheck disable=SC2086
    check_help $command $flag
    expect_output "Usage: limn $command"
    expect_output "Examples:"
    expect_output "  limn $command"
  done
done

check_help paint --help
for flag in --weights --recipe -o,--output --save-every --report --bits --quality --quiet; do
  expect_output "  $flag "
done
for code in "0 painted" "2 bad flag or recipe" "3 bad file" "4 too large" "130 interrupted"; do
  tr '\n' ' ' < stdout | grep -qF "$code" || complain "exit code '$code'" "$(tail -n 3 stdout)"
done
expect_output "Ctrl-C"

# The artistic controls come before all other settings.
expect_equal "Artistic controls" "$(grep -E "^(Artistic|[A-Z].* settings:)" stdout | head -n 1 | cut -c 1-17)"
for flag in --size --strength --style-scale --blend --colors --mask-content --mask-style --mask-keep \
  --seconds --iterations --style-layers --content-layers; do
  sed -n '/^Artistic controls/,/ settings:$/p' stdout | grep -q -e "^  $flag " ||
    complain "$flag among the artistic controls" "$(grep -e "^  $flag " stdout)"
done

# Each flag of the painting's settings says its default, as the recipe limn has it.
settings=$(sed -n '/^Artistic controls/,/^Examples/p' stdout | tr '\n' ' ' | sed 's/  --/\n--/g')
settings=$(grep -e '^--' <<< "$settings" | grep -v -e '^--mask')
expect_equal "$(wc -l <<< "$settings")" "$(grep -c '\[[^]]*\] *\([A-Z][a-z ]* settings:.*\|Examples.*\)\?$' <<< "$settings")"
expect_output "[relu4_2:1]"

# The examples' flags are flags that there are.
sed -n '/^Examples/,/^$/p' stdout | grep -o -e '--[a-z-]*' | sort -u > flags_in_examples
while read -r flag; do expect_output "  $flag "; done < flags_in_examples

expect_exit 0 limn --version
[[ $(< stdout) =~ ^limn\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || complain "limn and a version" "$(< stdout)"

# ---- what is no command ----
expect_refusal 2 "limn --help" limn
expect_refusal 2 "'pain'; did you mean 'paint'?" limn pain photo.png painting.png
expect_refusal 2 "'frobnicate'" limn frobnicate
expect_refusal 2 "'--verison'; did you mean '--version'?" limn --verison
expect_refusal 2 "'--weights'" limn --weights vgg19.safetensors
