#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a bare Debian machine able to build and run this project: installs the Debian packages that are missing and,
# when Go is missing or too old, the Go toolchain (a Go module, verified against the Go checksum database).
# Safe to run again: with everything present it takes well under a second and changes nothing.
#
# usage: hack/bootstrap.sh [--check]     --check: only say what is missing, exit 1 if anything is
set -euo pipefail

GO_VERSION=1.26.8 # at least this minor is needed; see go.mod
CACHE=${SPINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spine}
PACKAGES=(
  build-essential ca-certificates curl git make           # to fetch and build
  debootstrap                                             # host and image root file systems
  systemd-container e2fsprogs iproute2 nftables procps kmod # the virtual rack
  openssh-client jq                                       # for people and the end-to-end suite
)

missing_packages() {
  local p
  for p in "${PACKAGES[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || echo "$p"
  done
}

# go_ok GO: is this go at least GO_VERSION's minor?
go_ok() {
  local have
  have=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n%s\n' "${GO_VERSION%.*}" "${have#go}" | sort -V | head -1)" = "${GO_VERSION%.*}" ]
}

install_go() {
  local base=go tmp dir arch
  arch=$(dpkg --print-architecture)
  if ! command -v go >/dev/null; then
    echo "bootstrap: installing Debian's Go, to fetch Go $GO_VERSION with" >&2
    apt-get install -y -qq --no-install-recommends golang-go >/dev/null
    base=/usr/bin/go
  fi
  echo "bootstrap: fetching Go $GO_VERSION through the Go module proxy" >&2
  tmp=$(mktemp -d)
  dir=$(cd "$tmp" && printf 'module bootstrap\n' >go.mod && GOTOOLCHAIN=local GOFLAGS=-mod=mod \
    "$base" mod download -json "golang.org/toolchain@v0.0.1-go$GO_VERSION.linux-$arch" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
  if [ -z "$dir" ]; then
    echo "bootstrap: Go $GO_VERSION could not be fetched: check 'go env GOPROXY', or install Go ${GO_VERSION%.*} or later yourself" >&2
    return 1
  fi
  # Modules are stored read-only and without execute bits.
  mkdir -p "$CACHE"
  rm -rf "$CACHE/go.new" && cp -r "$dir" "$CACHE/go.new" && chmod -R u+w "$CACHE/go.new"
  chmod +x "$CACHE"/go.new/bin/* "$CACHE/go.new/pkg/tool/linux_$arch"/*
  rm -rf "$CACHE/go" && mv "$CACHE/go.new" "$CACHE/go"
  rm -rf "$tmp"
}

main() {
  local lacking go_lacking=
  lacking=$(missing_packages)
  { command -v go >/dev/null && go_ok go; } || go_ok "$CACHE/go/bin/go" || go_lacking="Go ${GO_VERSION%.*} or later"
  if [ "${1:-}" = --check ]; then
    [ -z "$lacking$go_lacking" ] && return 0
    echo "missing: ${lacking//$'\n'/ } $go_lacking" >&2
    return 1
  fi
  [ -z "$lacking$go_lacking" ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "bootstrap: needs root to install: ${lacking//$'\n'/ } $go_lacking. Run it with sudo." >&2
    return 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  if [ -n "$lacking" ]; then
    echo "bootstrap: installing Debian packages: ${lacking//$'\n'/ }" >&2
    apt-get update -qq
    # shellcheck disable=SC2086 # one word a package
    apt-get install -y -qq --no-install-recommends $lacking >/dev/null
  elif [ -n "$go_lacking" ]; then
    apt-get update -qq
  fi
  [ -z "$go_lacking" ] || install_go
}

main "$@"
