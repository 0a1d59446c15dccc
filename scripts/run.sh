#!/usr/bin/env bash
# Sets up what is missing, builds in release mode, and runs the main job: federated LoRA of all-MiniLM-L6-v2 on
# four-domain sentiment, FLoRA-NA at the server. Prints where the results lie.
#
#     scripts/run.sh [--set training.rounds=3] [--output DIR] …     further arguments go to `florana simulate`
#     RANKS=4 scripts/run.sh                                        MPI processes (2)
#     HOSTFILE=hostfiles/cluster RANKS=8 scripts/run.sh             on several hosts
#     MPI_PKGCONFIG=mpich scripts/run.sh                            with MPICH
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=environment.sh
source "$(dirname "${BASH_SOURCE[0]}")/environment.sh"
cd "$ROOT"

case "${1:-}" in
  -h | --help)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac

# The output folder is ours to name unless the arguments name one.
output=runs/sentiment-$(date +%Y%m%d-%H%M%S)
arguments=("$@")
named=false
for index in "${!arguments[@]}"; do
  case "${arguments[index]}" in
    --output) output=${arguments[index + 1]:-} named=true ;;
    --output=*) output=${arguments[index]#--output=} named=true ;;
  esac
done
$named || arguments+=(--output "$output")

scripts/setup.sh
step "Model" scripts/fetch_model.py all-MiniLM-L6-v2
step "Data" scripts/prepare_data.py sentiment
step "Build" swift build -c release --quiet --product florana --scratch-path "$FLORANA_BUILD"
step "Simulation on ${RANKS:-2} ranks" \
  launch "${RANKS:-2}" "$FLORANA_BUILD/release/florana" simulate examples/sentiment.yaml "${arguments[@]}"
echo "Results: $output (summary.json, rounds.jsonl, layers.jsonl, adapter/)"
