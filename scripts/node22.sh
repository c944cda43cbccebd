#!/bin/sh
# Installs Node 22 and the given npm packages into a folder, and prints its bin
# folder:
# scripts/node22.sh FOLDER PACKAGE@VERSION…
# Prints nothing and fails if npm is missing or cannot install them.
set -eu
folder=$1
shift
command -v npm >/dev/null 2>&1 || { echo "npm is not installed" >&2; exit 1; }
mkdir -p "$folder"
[ -f "$folder/package.json" ] || printf '{"private": true}\n' >"$folder/package.json"
npm install --prefix "$folder" --no-audit --no-fund --loglevel=error node@22.23.3 "$@" >&2
"$folder/node_modules/.bin/node" --version | grep -q '^v22' || { echo "the Node 22 installed by npm does not run" >&2; exit 1; }
printf '%s\n' "$folder/node_modules/.bin"
