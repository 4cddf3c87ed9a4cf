#!/usr/bin/env bash
# Builds FerretDB, the MongoDB-compatible server of the driver tests, from the Go module proxy into .servers/.
# Does nothing where it is there already, and says what is missing where it can't be built.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=v1.24.2
folder=.servers
binary="$PWD/$folder/ferretdb"
if [ -x "$binary" ]; then exit 0; fi
if ! command -v go >/dev/null; then
  echo "FerretDB is not built: it takes Go 1.22 or later (https://go.dev/dl)" >&2
  exit 0
fi

mkdir -p "$folder"
source=$(mktemp -d)
trap 'chmod -R u+w "$source" && rm -rf "$source"' EXIT
module=$(cd "$source" && go mod download -json "github.com/FerretDB/FerretDB@$version" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cp -r "$module/." "$source"
chmod -R u+w "$source"
# The module leaves out the file its build stamps, and the server refuses to start without it.
echo "$version" >"$source/build/version/version.txt"
(cd "$source" && CGO_ENABLED=0 go build -o "$binary" ./cmd/ferretdb)
