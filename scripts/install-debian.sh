#!/usr/bin/env bash
# Installs, from Debian's packages, the programs that the full test run needs and this machine lacks.
# Does nothing where all are there, and says what is missing where it may not install.
set -euo pipefail

declare -A package_of=(
  [ip]=iproute2 [nft]=nftables [conntrack]=conntrack [unshare]=util-linux [nsenter]=util-linux
  [openssl]=openssl [python3]=python3 [setpriv]=util-linux [ss]=iproute2 [chromium]=chromium
  [mariadbd]=mariadb-server [redis-server]=redis-server [dovecot]=dovecot-imapd
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
# A database package would start its own server on installation; the tests start theirs.
export DEBIAN_FRONTEND=noninteractive
"${sudo[@]}" apt-get update -q
"${sudo[@]}" apt-get install -y -q --no-install-recommends "${packages[@]}"
