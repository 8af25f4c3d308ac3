#!/usr/bin/env bash
# Provide what the container tests need: an engine that answers, a client that builds and composes, a base image, and
# a browser.
#
#   docker/engine_for_tests.sh          print them as NAME=VALUE lines; whatever is missing is installed, started or made
#   docker/engine_for_tests.sh arm64    the same with a base image for arm64, whose programs then run here, emulated
#   docker/engine_for_tests.sh stop     end the engine that this script started
#
# An engine that runs already is used as it is. Otherwise Debian's packages are installed and started, which needs root.
# Where no registry can be reached, the base image is made of Debian's packages.
set -euo pipefail
unset CDPATH

HOME_OF_ENGINE="${WORKSHOP_ENGINE_HOME:-/var/tmp/ml4music-engine}"   # its images, its log, its process id
TOOLS="$HOME_OF_ENGINE/bin"              # the client that was chosen, to be put first on the PATH
PID_FILE="$HOME_OF_ENGINE/dockerd.pid"
LOG="$HOME_OF_ENGINE/log"
PUBLIC_BASE=debian:trixie-slim
LOCAL_BASE=ml4music-base:trixie
ARM64_BASE=ml4music-base:trixie-arm64
# What programs are told about the network they are in. A build needs it as well as this script does.
NETWORK_SETTINGS="http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_DEFAULT_TIMEOUT"
CERTIFICATE_SETTINGS="PIP_CERT SSL_CERT_FILE REQUESTS_CA_BUNDLE"
BUNDLE=/etc/ssl/certs/ca-certificates.crt

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
fail_with_log() { tail -n 5 "$LOG" >&2; fail "$1 failed: '$LOG' says why."; } # what

# ---- the client ----------------------------------------------------------------------------------

# Since version 23 a client builds with BuildKit through its plugin alone.
can_build() { # docker
  local major
  major="$("$1" version --format '{{.Client.Version}}' 2>/dev/null | cut -d. -f1)" || true
  "$1" buildx version >/dev/null 2>&1 || { [ -n "$major" ] && [ "$major" -lt 23 ]; }
}
can_compose() { "$1" compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null; }

# The first client on the PATH that can do both; Debian's may well come after another one that cannot.
find_client() {
  local candidate
  while IFS= read -r candidate; do
    if [ -n "$candidate" ] && can_build "$candidate" && can_compose "$candidate"; then
      echo "$candidate"
      return
    fi
  done <<<"$(type -aP docker | grep -v "^$TOOLS/" || true)"
  return 1
}

has_package() { [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null)" ]; }

install_packages() { # packages
  [ "$(id -u)" = 0 ] || fail "Installing $* needs root: run this as root, or install them yourself and run this again."
  command -v apt-get >/dev/null || fail "Only Debian's packages can be installed from here: install Docker with compose."
  say "Installing $* from Debian's packages ..."
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"; } \
    >>"$LOG" 2>&1 || fail_with_log "Installing $*"
}

install_client() {
  local packages="docker.io docker-compose iptables" further
  # Newer Debians have separate packages for the client and its build plugin.
  for further in docker-cli docker-buildx; do
    if has_package "$further"; then packages="$packages $further"; fi
  done
  # shellcheck disable=SC2086 # a list of words
  install_packages $packages
}

# ---- the engine ----------------------------------------------------------------------------------

engine_answers() { "$CLIENT" info >/dev/null 2>&1; }

# Our own engine keeps everything in one folder, so that it can be removed, and leaves a system's engine alone.
start_engine() {
  local seconds=0
  command -v dockerd >/dev/null || install_client
  [ "$(id -u)" = 0 ] || fail "No Docker engine answers, and starting one needs root: start it, or run this as root."
  say "Starting a Docker engine in '$HOME_OF_ENGINE' ..."
  setsid dockerd --data-root "$HOME_OF_ENGINE/data" --exec-root "$HOME_OF_ENGINE/exec" --pidfile "$PID_FILE" \
    >>"$HOME_OF_ENGINE/dockerd.log" 2>&1 </dev/null &
  until engine_answers; do
    seconds=$((seconds + 1))
    if [ "$seconds" -gt 60 ]; then
      tail -n 5 "$HOME_OF_ENGINE/dockerd.log" >&2
      fail "The Docker engine did not start within a minute: '$HOME_OF_ENGINE/dockerd.log' says why."
    fi
    sleep 1
  done
}

stop_engine() {
  local pid
  pid="$(cat "$PID_FILE" 2>/dev/null || true)"
  if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
    kill "$pid"
    say "The Docker engine (process $pid) is told to end."
  else
    say "No Docker engine was started from here."
  fi
}

# ---- the base image ------------------------------------------------------------------------------

has_image() { "$CLIENT" image inspect "$1" >/dev/null 2>&1; }

# Print the base image's name.
provide_base() { # native or arm64
  if [ "$1" = arm64 ]; then
    has_image "$ARM64_BASE" || make_base "$ARM64_BASE" arm64
    echo "$ARM64_BASE"
  elif has_image "$PUBLIC_BASE" || "$CLIENT" pull --quiet "$PUBLIC_BASE" >>"$LOG" 2>&1; then
    echo "$PUBLIC_BASE"
  else
    has_image "$LOCAL_BASE" || make_base "$LOCAL_BASE" "$(dpkg --print-architecture)"
    echo "$LOCAL_BASE"
  fi
}

# Debian's smallest set of packages, with what this machine knows about its network: certificates, proxies, apt's and
# pip's settings. Such an image serves on this machine and is not to be handed on.
make_base() { # its name, its architecture
  local context="$HOME_OF_ENGINE/base" name root
  root="$context/root"
  command -v debootstrap >/dev/null || install_packages debootstrap
  [ "$(id -u)" = 0 ] || fail "Making the base image needs root: run this as root."
  say "Making the base image of Debian's packages (some minutes) ..."
  rm -rf "$context"
  mkdir -p "$context"
  debootstrap --arch="$2" --variant=minbase --include=ca-certificates trixie "$root" >>"$LOG" 2>&1 ||
    fail_with_log "Making the base image"
  rm -rf "${root:?}"/var/cache/apt/*.bin "${root:?}"/var/cache/apt/archives/*.deb "${root:?}"/var/lib/apt/lists/*
  rm -rf "${root:?}"/usr/share/doc/* "${root:?}"/usr/share/locale/* "${root:?}"/usr/share/man/*
  apt-config dump 2>/dev/null | grep -E '^Acquire::(Check|http|https)' >"$root/etc/apt/apt.conf.d/99network" || true
  if [ -f "$BUNDLE" ]; then cp -L "$BUNDLE" "$root$BUNDLE"; fi
  tar --numeric-owner -C "$root" -cf "$context/root.tar" .
  rm -rf "$root"
  {
    printf '%s\n' 'FROM scratch' 'ADD root.tar /' 'CMD ["bash"]'
    for name in $NETWORK_SETTINGS; do
      if [ -n "${!name:-}" ]; then echo "ENV $name=\"${!name}\""; fi
    done
    for name in $CERTIFICATE_SETTINGS; do
      if [ -n "${!name:-}" ]; then echo "ENV $name=$BUNDLE"; fi
    done
    # Without SVE, as Apple's processors are: with the emulator's own choice, which has it, OpenBLAS multiplies wrongly.
    if [ "$2" = arm64 ]; then echo "ENV QEMU_CPU=neoverse-n1"; fi
  } >"$context/Dockerfile"
  DOCKER_BUILDKIT=1 "$CLIENT" build --quiet --platform "linux/$2" --tag "$1" "$context" >>"$LOG" 2>&1 ||
    fail_with_log "Making the base image"
  rm -rf "$context"
}

# Programs for arm64 run on another processor because the kernel hands them to an emulator.
emulate_arm64() {
  local formats=/proc/sys/fs/binfmt_misc description=/usr/lib/binfmt.d/qemu-aarch64.conf
  if [ "$(uname -m)" = aarch64 ] || [ -e "$formats/qemu-aarch64" ]; then return; fi
  [ -f "$description" ] || install_packages qemu-user-static
  [ -e "$formats/register" ] || mount -t binfmt_misc none "$formats"
  # The package's installation may have registered it.
  [ -e "$formats/qemu-aarch64" ] || cat "$description" >"$formats/register"
}

# ---- the browser ---------------------------------------------------------------------------------

find_browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

provide() { # native or arm64
  local base browser
  mkdir -p "$TOOLS" || fail "Cannot write in '$HOME_OF_ENGINE': set WORKSHOP_ENGINE_HOME to a folder of your own."
  : >"$LOG"
  CLIENT="$(find_client)" || { install_client && CLIENT="$(find_client)"; } ||
    fail "No client was found that builds with BuildKit and composes: install docker-buildx and docker-compose."
  engine_answers || start_engine
  if [ "$1" = arm64 ]; then emulate_arm64; fi
  base="$(provide_base "$1")"
  find_browser >/dev/null || install_packages chromium
  browser="$(find_browser)"
  ln -sfn "$CLIENT" "$TOOLS/docker"
  printf '%s\n' "ENGINE_TOOLS=$TOOLS" "WORKSHOP_BASE_IMAGE=$base" "BROWSER=$browser"
}

case "${1:-}" in
  "") provide native ;;
  arm64) provide arm64 ;;
  stop) stop_engine ;;
  *) fail "'$1' is not known: give nothing, 'arm64' or 'stop'." ;;
esac
