#!/usr/bin/env bash
# Too little memory: code 4, a message, and nothing left behind.
. "$(dirname "$0")/expect.sh"

# limited MEGABYTES CODE MESSAGE COMMAND...: with as much address space, and no more.
limited() {
  expect_refusal "$2" "$3" bash -c "ulimit -v $(($1 * 1024)) && exec \"\$@\"" -- "${@:4}"
}

# A photo of 1.2 GB as floats; features of 9 GB.
limited 1000 4 "memory" "${paint[@]}" --threads 2 -o out/a.png --size 12000
limited 1500 4 "memory" "${paint[@]}" --threads 2 -o out/a.png --size 3500
expect_message "--size"

# What is wrong besides is found first: memory is what takes long.
large=("${paint[@]}" --threads 2 -o out/a.png --size 12000)
limited 1000 3 "'missing.png'" "${large[@]}" --init missing.png
limited 1000 2 "'relu9_9'" "${large[@]}" --style-layers relu9_9

# Threads take memory too, 8 MB of address space each.
limited 2000 4 "--threads" "${paint[@]}" --threads 1000 -o out/a.png
