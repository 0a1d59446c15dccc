#!/usr/bin/env bash
# Installs what building and running need and is not there: MPI, OpenBLAS, LAPACKE, pkg-config, and a Python
# environment (.venv) with the tokenizer and NumPy. Says nothing when nothing is missing. run.sh and test.sh call it.
#
# Works as root and as a user with sudo, on Debian and Ubuntu. Elsewhere it names what is missing and stops:
# modules of a cluster count, everything is looked for by what it does and not by its package. The MPI is Open MPI, or
# MPICH with MPI_PKGCONFIG=mpich.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

oldest_swift=6.2
mpi_packages=(openmpi-bin libopenmpi-dev)
[ "$MPI_PKGCONFIG" != mpich ] || mpi_packages=(mpich libmpich-dev)

# missing_packages: the Debian packages of what is not there, one a line.
missing_packages() {
  command -v pkg-config >/dev/null || echo pkg-config
  command -v "$MPIRUN" >/dev/null || echo "${mpi_packages[0]}"
  pkg-config --exists "$MPI_PKGCONFIG" 2>/dev/null || echo "${mpi_packages[1]}"
  pkg-config --exists "${BLAS_PKGCONFIG:-openblas}" 2>/dev/null || echo libopenblas-dev
  has_header lapacke.h || echo liblapacke-dev
  command -v git >/dev/null || echo git
  if ! command -v python3 >/dev/null; then
    echo python3
    echo python3-venv
  elif ! [ -x "$PYTHON" ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
  fi
  # Data for tests and examples. Whoever is not root can do without: prepare_data.py unpacks the package itself.
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    [ -f /usr/share/wordnet/data.noun ] || echo wordnet-base
  fi
}

# has_header NAME: whether the compiler that comes with Swift finds a header.
has_header() {
  local clang flags=()
  clang=$(dirname "$(command -v swift)")/clang
  [ -x "$clang" ] || clang=cc
  read -r -a flags < <(pkg-config --cflags "${BLAS_PKGCONFIG:-openblas}" 2>/dev/null || true) || true
  echo "#include <$1>" | "$clang" "${flags[@]}" -E -x c - >/dev/null 2>&1
}

require_swift() {
  if ! command -v swift >/dev/null; then
    echo "error: swift is missing: install Swift $oldest_swift or newer, see https://www.swift.org/install" >&2
    exit 1
  fi
  local found
  found=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p')
  if [ "$(printf '%s\n' "$oldest_swift" "$found" | sort -V | head -n 1)" != "$oldest_swift" ]; then
    echo "error: expected Swift $oldest_swift or newer, found ${found:-an unknown version}" >&2
    exit 1
  fi
}

install_packages() {
  local packages=("$@") as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
}

# can_be_root: root, or sudo without a password, or with one that somebody can type.
can_be_root() {
  [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }
}

# prepare_python: .venv with the pinned packages; a stamp tells whether they are those of requirements.txt. The packages
# are kept per user, so that a second clone fetches nothing.
prepare_python() {
  local wheels=${XDG_CACHE_HOME:-$HOME/.cache}/florana/wheels
  local pinned=(--quiet --disable-pip-version-check --no-deps --require-hashes --requirement scripts/requirements.txt)
  python3 -m venv .venv && mkdir -p "$wheels" &&
    { "$PYTHON" -m pip install "${pinned[@]}" --no-index --find-links "$wheels" 2>/dev/null ||
      { "$PYTHON" -m pip download "${pinned[@]}" --only-binary :all: --dest "$wheels" &&
        "$PYTHON" -m pip install "${pinned[@]}" --no-index --find-links "$wheels"; }; } &&
    cp scripts/requirements.txt .venv/prepared-requirements.txt
}

require_swift
mapfile -t packages < <(missing_packages)
if [ ${#packages[@]} -gt 0 ]; then
  if ! command -v apt-get >/dev/null || ! can_be_root; then
    echo "error: missing: ${packages[*]} (names of Debian packages): install them, or load modules that hold them" >&2
    exit 1
  fi
  step "Installing ${packages[*]}" install_packages "${packages[@]}"
  mapfile -t packages < <(missing_packages)
  if [ ${#packages[@]} -gt 0 ]; then
    echo "error: still missing after the installation: ${packages[*]}" >&2
    exit 1
  fi
fi
if ! [ -x "$PYTHON" ] || ! cmp -s scripts/requirements.txt .venv/prepared-requirements.txt; then
  step "Preparing .venv" prepare_python
fi
