#!/usr/bin/env bash
# Installs, from Debian's packages, the programs that the full test run needs and this machine lacks.
# Does nothing where all are there, and says what is missing where it may not install.
set -euo pipefail

declare -A package_of=(
  [ip]=iproute2 [nft]=nftables [conntrack]=conntrack [unshare]=util-linux [nsenter]=util-linux
  [openssl]=openssl [python3]=python3 [setpriv]=util-linux [ss]=iproute2 [chromium]=chromium
  [mariadbd]=mariadb-server [redis-server]=redis-server [dovecot]=dovecot-imapd [prometheus]=prometheus
  [slapd]=slapd [exim4]=exim4-daemon-light [curl]=curl [javac]=default-jdk-headless
  [mosquitto]=mosquitto [nats-server]=nats-server [rabbitmq-server]=rabbitmq-server [sshd]=openssh-server
)

missing=()
for program in "${!package_of[@]}"; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || missing+=("${package_of[$program]}")
done
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)

if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
mapfile -t packages < <(printf '%s\n' "${missing[@]}" | sort -u)

sudo=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=(sudo -n); else
    echo "missing packages, and no right to install them: apt-get install ${packages[*]}" >&2
    exit 0
  fi
fi
if ! command -v apt-get >/dev/null; then
  echo "missing programs, and no apt-get to install them with: ${packages[*]}" >&2
  exit 0
fi
# A server's package would start it on installation; the tests start theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${sudo[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$policy" >/dev/null
  "${sudo[@]}" chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -q
"${sudo[@]}" apt-get install -y -q --no-install-recommends "${packages[@]}"
# Nor at the next boot.
if [ -d /run/systemd/system ]; then
  for package in "${packages[@]}"; do
    mapfile -t units < <(dpkg -L "$package" | sed -nE 's#.*/systemd/system/([^/@]+\.(service|socket))$#\1#p')
    if [ ${#units[@]} -gt 0 ]; then "${sudo[@]}" systemctl disable --quiet "${units[@]}" || true; fi
  done
fi
