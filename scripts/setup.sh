#!/usr/bin/env bash
# Makes this checkout ready to run, and says what is missing where it may not install it itself.
#
#   scripts/setup.sh [start|test|check]     (default: start)
#
# start: programs that boot the image (QEMU, OVMF, swtpm); npm packages from the lock file; compiled TypeScript.
# test:  the same, and what the tests ask besides: independent judges (tpm2-tools, PostgreSQL) and a browser (Chromium).
# check: npm packages only.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-start}

say() { printf '%s\n' "$*"; }
stop() { printf '%s\n' "$@" >&2; exit 1; }

# --- Node.js ---------------------------------------------------------------------------------------------------------
command -v node >/dev/null || stop "Node.js is missing." "Next step: sudo apt install nodejs npm"
node -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a>20||(a===20&&b>=19)?0:1)' ||
  stop "Node.js $(node --version) is too old: cpushare needs 20.19 or newer." \
    "Next step: use Debian 13 (its nodejs fits), or a newer Node.js from nodejs.org"
command -v npm >/dev/null || stop "npm is missing." "Next step: sudo apt install npm"

# --- Host programs: what must exist, and the Debian or Ubuntu package that brings it -----------------------------------
wanted=()
need() { # package, path or command
  case $2 in
    /*) compgen -G "$2" >/dev/null || wanted+=("$1") ;;
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$2" >/dev/null || wanted+=("$1") ;;
  esac
}
if [[ $purpose == start || $purpose == test ]]; then
  need qemu-system-x86 qemu-system-x86_64
  need ovmf /usr/share/OVMF/OVMF_CODE_4M.secboot.fd
  need swtpm swtpm
  need swtpm-tools swtpm_setup
fi
if [[ $purpose == test ]]; then
  need tpm2-tools tpm2_checkquote
  need postgresql '/usr/lib/postgresql/*/bin/postgres'
  need chromium chromium
  need libfaketime '/usr/lib/*/faketime/libfaketimeMT.so.1'
  need gdisk sgdisk
  # Judges of the init programs that the build makes.
  need binutils readelf
  need strace strace
  need libxml2-utils xmllint
  need qemu-utils qemu-img
  # An access point inside a virtual machine, for the wifi image (npm run test:matrix).
  need hostapd hostapd
  need iw iw
  need busybox-static busybox
  # Fresh Debian systems to build the image in (npm run test:matrix).
  need mmdebstrap mmdebstrap
fi

install_packages() {
  local -a sudo=()
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null || { ! [[ -t 0 ]] && ! sudo -n true 2>/dev/null; }; then return 1; fi
    sudo=(sudo)
  fi
  command -v apt-get >/dev/null || return 1
  local log
  log=$(mktemp)
  say "Installing host packages: ${wanted[*]}"
  if ! { "${sudo[@]}" apt-get update -qq &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
if ((${#wanted[@]})); then
  install_packages || stop "These host packages are missing and could not be installed here: ${wanted[*]}" \
    "Next step: sudo apt install ${wanted[*]}"
fi

# --- npm packages, exactly those of the lock file ----------------------------------------------------------------------
stamp=node_modules/.cpushare-lock
if ! cmp -s package-lock.json "$stamp"; then
  say "Installing npm packages from package-lock.json"
  log=$(mktemp)
  npm ci --no-audit --no-fund >"$log" 2>&1 || {
    grep -v '^npm warn' "$log" | tail -n 8 >&2
    rm -f "$log"
    stop "npm could not install the packages of package-lock.json." "Next step: npm ci"
  }
  rm -f "$log"
  cp package-lock.json "$stamp"
fi

# --- Compiled TypeScript -----------------------------------------------------------------------------------------------
if [[ $purpose != check ]]; then
  node_modules/.bin/tsc -b || stop "The TypeScript sources do not compile."
  # attest log as one file, which starts in half the time
  [[ dist/js/attest-log.cjs -nt dist/js/tsconfig.tsbuildinfo ]] || node dist/js/scripts/quick-log-bundle.js ||
    stop "attest log could not be bundled."
fi
