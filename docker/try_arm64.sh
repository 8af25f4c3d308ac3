#!/usr/bin/env bash
# Let each lesson train and sample on arm64, and run the tests of the kernels there. On another processor all of it is
# emulated: that says whether it works, and nothing of how fast it is.
#
#   ./start.sh --local run docker/try_arm64.sh               as root, with uv on the PATH; more than an hour on two cores
#   ./start.sh --local run docker/try_arm64.sh LESSON ...    these lessons alone
#
# Debian, Python and the user's settings are those of the image. The packages are the ones for arm64 of the same locks,
# and uv puts them there from outside: emulated, pip takes hours.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

IMAGE=ml4music-common:arm64
PACKAGES=/opt/venv/lib/python3.13/site-packages
# Without SVE, as Apple's processors are: with the emulator's own choice, which has it, OpenBLAS multiplies wrongly.
CPU=neoverse-n1
declare -A MADE=(
  [char_rnn]="--length 60" [midi_rnn]="--length 16" [wavenet]="--seconds 0.2" [audio_rnn]="--seconds 0.2"
  [spectral_rnn]="--seconds 0.2" [spectral_gan]=""
)
KERNELS="tests/networks/test_products.py tests/networks/test_gru_engine.py::test_its_logits_are_those_of_training"

command -v uv >/dev/null || { echo "This needs uv: pip install uv" >&2; exit 1; }
told="$(docker/engine_for_tests.sh arm64)"
PATH="$(sed -n 's/^ENGINE_TOOLS=//p' <<<"$told"):$PATH"
base="$(sed -n 's/^WORKSHOP_BASE_IMAGE=//p' <<<"$told")"
DOCKER_BUILDKIT=1 docker build --platform linux/arm64 --build-arg "BASE_IMAGE=$base" --target common --tag "$IMAGE" .

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/clone"
git ls-files -z | tar --null --files-from - --create | tar --extract --directory "$work/clone"
python tests/few_data.py "$work/clone/data"
uv pip install --quiet --target "$work/packages" --python-platform aarch64-manylinux_2_28 --python-version 3.13 \
  --only-binary :all: --require-hashes --requirements requirements/cpu.txt --requirements requirements/test.txt

on_arm64() { # folder, command
  docker run --rm --no-healthcheck --platform linux/arm64 --env "QEMU_CPU=$CPU" --env PYTHONPATH=/workshop \
    --volume "$work/packages:$PACKAGES" --volume "$work/clone:/workshop" --workdir "/workshop/$1" --entrypoint bash \
    "$IMAGE" -c "python3 -m venv --without-pip /opt/venv && uname -m && $2"
}

if [ $# = 0 ]; then
  on_arm64 . "python -m pytest -q -n 0 -p no:cacheprovider $KERNELS"
  set -- "${!MADE[@]}"
fi
for lesson in "$@"; do
  printf '\n==== %s\n' "$lesson"
  on_arm64 "$lesson" "python train.py --smoke && python sample.py ${MADE[$lesson]}"
done
printf '\nTrained and sampled on arm64: %s\n' "$*"
