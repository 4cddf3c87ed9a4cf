#!/usr/bin/env bash
# Fetches Simulacron, the simulated Cassandra node of the driver tests, from Maven Central into .servers/.
# Does nothing where it is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=0.12.0
sum=705dfe0c73afe24ad15627884129dd64fb0ff8bb18b411ae3bc488d5382aaf80
jar=.servers/simulacron.jar
path=com/datastax/oss/simulacron/simulacron-standalone/$version/simulacron-standalone-$version.jar

if echo "$sum  $jar" | sha256sum --check --status 2>/dev/null; then exit 0; fi
mkdir -p .servers
curl --fail --silent --show-error --location --max-time 120 --output "$jar" "https://repo1.maven.org/maven2/$path"
echo "$sum  $jar" | sha256sum --check --quiet
