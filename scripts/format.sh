#!/usr/bin/env bash
# Formats all C++ of the project; with --check only says which files are not formatted (exit 1).
# The style is that of clang-format 14 (Debian 12); another version lays out a few things otherwise
# and is refused (exit 77).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v clang-format >/dev/null || { echo "format: no clang-format: run scripts/deps.sh test" >&2; exit 77; }
version=$(clang-format --version | grep -oE '[0-9]+' | head -n 1)
[ "$version" = 14 ] || { echo "format: clang-format $version, but the style is version 14's" >&2; exit 77; }

folders=()
for folder in include src tests bench; do [ -d "$folder" ] && folders+=("$folder"); done
mapfile -d '' files < <(find "${folders[@]}" -name node_modules -prune -o \
  \( -name '*.cpp' -o -name '*.hpp' \) -type f -print0)
if [ "${1:-}" = --check ]; then
  clang-format --dry-run --Werror "${files[@]}" || { echo "format: run scripts/format.sh" >&2; exit 1; }
  echo "format: ${#files[@]} files are formatted"
else
  clang-format -i "${files[@]}"
fi
