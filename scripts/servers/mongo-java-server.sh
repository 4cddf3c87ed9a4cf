#!/usr/bin/env bash
# Fetches mongo-java-server, whose change streams the driver tests use, from Maven Central into .servers/, and compiles
# the class that starts it. Does nothing where it is there already, and says what is missing where it can't be had.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=.servers/mongo-java-server
source=test/support/servers/MongoWithOplog.java
repository=https://repo1.maven.org/maven2
if [ "$folder/MongoWithOplog.class" -nt "$source" ]; then exit 0; fi
if ! command -v javac >/dev/null; then
  echo "mongo-java-server is not installed: it takes a JDK 17 or later (Debian: default-jdk-headless)" >&2
  exit 0
fi

# sha256, and path within the repository
jars='
9a34c9ad6ac6261906295481838256033ec1efc8c93a3e3828e5d47a006b0bd4 de/bwaldvogel/mongo-java-server-core/1.47.0/mongo-java-server-core-1.47.0.jar
82864f8a2ede1514f64c2cd3a70e8022c259eb3d78975cfa208c1668ac1f12bb de/bwaldvogel/mongo-java-server-memory-backend/1.47.0/mongo-java-server-memory-backend-1.47.0.jar
4820eeb2d3db269b20b30711e3d7d21979664249aaf10fc67f90dee935810747 io/netty/netty-buffer/4.2.2.Final/netty-buffer-4.2.2.Final.jar
76987614ccb2fda7d3292b69ba5b61351f30e91bf5c7d8fa4b51bc32c9f67456 io/netty/netty-codec-base/4.2.2.Final/netty-codec-base-4.2.2.Final.jar
5d022f3acad74cb0f195f60213500a4000d1340e5e941edaf1a0e756686b9bae io/netty/netty-common/4.2.2.Final/netty-common-4.2.2.Final.jar
d4ef582c78125457baa0cfa52992b5fb1bb9172d1a2c03b726e8b26e17d3fe2c io/netty/netty-handler/4.2.2.Final/netty-handler-4.2.2.Final.jar
fa7841ffe2e39d52251814fb8560d6936b10ae7c67453ee50426b83fd5170ba0 io/netty/netty-resolver/4.2.2.Final/netty-resolver-4.2.2.Final.jar
116d766a1af4722fe76a4cdaed969644985d44e08ec1337d2dbab697dd109603 io/netty/netty-transport/4.2.2.Final/netty-transport-4.2.2.Final.jar
aa8821a7ea2ca47f62740bd1f37d67deb97824cc77e76dde6ae2c439a923fc9d io/netty/netty-transport-native-unix-common/4.2.2.Final/netty-transport-native-unix-common-4.2.2.Final.jar
7b751d952061954d5abfed7181c1f645d336091b679891591d63329c622eb832 org/slf4j/slf4j-api/2.0.17/slf4j-api-2.0.17.jar
'

mkdir -p "$folder"
while read -r sum path; do
  [ -n "$sum" ] || continue
  jar="$folder/${path##*/}"
  if ! echo "$sum  $jar" | sha256sum --check --status 2>/dev/null; then
    curl --fail --silent --show-error --location --max-time 120 --output "$jar" "$repository/$path"
    echo "$sum  $jar" | sha256sum --check --quiet
  fi
done <<<"$jars"
javac -cp "$folder/*" -d "$folder" "$source"
