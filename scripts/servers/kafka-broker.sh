#!/usr/bin/env bash
# Builds the Kafka broker of the driver tests, franz-go's kfake, from the Go module proxy into .servers/.
# Does nothing where it is there already, and says what is missing where it can't be built.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Later ones take a franz-go that is not released.
version=v0.0.0-20260218055430-fc72d8313608
folder=.servers
binary="$PWD/$folder/kafka-broker"
main=test/support/servers/kafka-broker.go
if [ "$binary" -nt "$main" ]; then exit 0; fi
if ! command -v go >/dev/null; then
  echo "the Kafka broker is not built: it takes Go 1.24 or later (https://go.dev/dl)" >&2
  exit 0
fi

mkdir -p "$folder"
source=$(mktemp -d)
trap 'rm -rf "$source"' EXIT
cp "$main" "$source/main.go"
cd "$source"
go mod init kafka-broker
go get "github.com/twmb/franz-go/pkg/kfake@$version"
CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$binary" .
