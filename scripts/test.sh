#!/usr/bin/env bash
# Sets up what is missing, builds, and runs every test: unit and launch tests, collective tests on 1, 2 and 3 ranks,
# those of the Python scripts (with PyTorch and PEFT, which it installs into .build-pytorch), and the checks of format.
#
#     scripts/test.sh
#     scripts/test.sh --filter Aggregation      only the Swift tests whose name matches the regular expression
#     MPI_PKGCONFIG=mpich scripts/test.sh       against MPICH, in a build folder of its own
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

filter=
case "${1:-}" in
  '') ;;
  --filter) filter=${2:?--filter: expected a regular expression, found nothing} ;;
  --filter=*) filter=${1#--filter=} ;;
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  *)
    echo "error: expected --filter or nothing, found $1" >&2
    exit 2
    ;;
esac

tests=
summary=()
failures=0
skipped=

# check NAME COMMAND…: a step whose failure is remembered while the others still run; returns its status. A step that
# could not do its work here, without fault of ours, sets `verdict` (which it sees, being called from here) to SKIPPED.
check() {
  local started=$SECONDS status=0 verdict=passed
  step "$@" || status=$?
  if [ $status -ne 0 ]; then
    verdict=FAILED
    failures=$((failures + 1))
  fi
  summary+=("$(printf '%-34s %-7s %4d s' "$1" "$verdict" $((SECONDS - started)))")
  return $status
}

# chosen NAME: whether a test that holds NAME is to run; all are, unless there is a filter.
chosen() {
  [ -z "$filter" ] || grep -q -P -- "$1" <<<"$tests"
}

# matching NAME: a regular expression for tests that hold NAME, and the filter's text if there is one.
matching() {
  if [ -n "$filter" ]; then printf '^(?=.*(?:%s)).*%s' "$filter" "$1"; else printf '%s' "$1"; fi
}

debug_tests() {
  swift test --disable-xctest --skip-build --scratch-path "$FLORANA_BUILD" ${filter:+--filter "$filter"}
}

# collective_tests RANKS: the test bundle itself under mpirun, since ranks of `swift test` wait for each other's lock.
collective_tests() {
  MPIEXEC_TIMEOUT=400 "$MPIRUN" "${sharing[@]}" -np "$1" \
    "$FLORANA_BUILD"/debug/floranaPackageTests.xctest --testing-library swift-testing --filter "$(matching CollectiveTests)"
}

swift_tests() {
  check "Unit and launch tests" debug_tests || true
  local ranks
  if chosen CollectiveTests; then
    for ranks in 1 2 3; do
      check "Collective tests, ranks: $ranks" collective_tests "$ranks" || true
    done
  fi
}

# find_tests: the names of the tests that match the filter.
find_tests() {
  tests=$(swift test list --disable-xctest --skip-build --scratch-path "$FLORANA_BUILD" 2>/dev/null | grep -P -- "$filter") ||
    { echo "error: --filter: expected a part of a test's name, found none that matches $filter" >&2; return 1; }
}

# prepare_extra NAME: the interpreter .build-NAME with packages that some tests need. Where it cannot be made, for want of
# a network, those tests are skipped: the summary says so, and it is no failure.
prepare_extra() {
  local status=0
  scripts/prepare_"$1".py || status=$?
  if [ $status -eq 2 ]; then
    verdict=SKIPPED status=0
    skipped+=" $1"
  fi
  return $status
}

prepare_pytorch() {
  prepare_extra pytorch && { [ "$verdict" = SKIPPED ] || PYTHON=$ROOT/.build-pytorch/bin/python; }
}

python_tests() {
  FLORANA=$ROOT/$FLORANA_BUILD/debug/florana "$PYTHON" -m unittest discover --start-directory scripts/tests --top-level-directory scripts
}

# plotting_tests: once more with matplotlib, which the others' interpreter does without.
plotting_tests() {
  prepare_extra plotting && { [ "$verdict" = SKIPPED ] ||
    (cd scripts && ../.build-plotting/bin/python -m unittest tests.test_plot); }
}

format_checks() {
  swift format lint --strict --recursive Sources Tests Package.swift &&
    if command -v shellcheck >/dev/null; then
      shellcheck scripts/*.sh scripts/*/*.sh scripts/slurm/florana.sbatch .ci/run
    fi
}

scripts/setup.sh
check "Model: encoder" scripts/fetch_model.py all-MiniLM-L6-v2 || true
check "Model: decoder" scripts/fetch_model.py SmolLM2-135M-Instruct || true
check "Data: sentiment" scripts/prepare_data.py sentiment || true
check "Data: wordnet" scripts/prepare_data.py wordnet || true
# Programs of an earlier build would only seem to be tested.
if check "Build" swift build --build-tests --quiet --scratch-path "$FLORANA_BUILD" && { [ -z "$filter" ] || check "Filter" find_tests; }; then
  swift_tests
fi
if [ -z "$filter" ]; then
  check "PyTorch and PEFT" prepare_pytorch || true
  check "Python tests" python_tests || true
  check "Figures" plotting_tests || true
  check "Format" format_checks || true
fi

printf '\n'
printf '%s\n' "${summary[@]}"
if [ -n "$skipped" ]; then
  echo "warning: tests were SKIPPED, their packages could not be installed:$skipped; the errors above say why" >&2
fi
if [ $failures -gt 0 ]; then
  echo "$failures of ${#summary[@]} steps failed"
  exit 1
fi
if [ -n "$skipped" ]; then
  echo "No step of ${#summary[@]} failed, not all could be done; $SECONDS s"
else
  echo "All ${#summary[@]} steps passed in $SECONDS s"
fi
