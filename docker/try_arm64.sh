#!/usr/bin/env bash
# Let each lesson train and sample on arm64, and run the tests of the kernels there. On another processor all of it is
# emulated: that says whether it works, and nothing of how fast it is.
#
#   ./start.sh --local run docker/try_arm64.sh               as root, with uv on the PATH; more than an hour on two cores
#   ./start.sh --local run docker/try_arm64.sh LESSON ...    these lessons alone
#
# The image is the Dockerfile's, with Debian, Python and the packages of the locks for arm64. These uv puts together from
# outside: emulated, pip takes hours.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

IMAGE=ml4music-workshop:arm64
PACKAGES=ml4music-packages:arm64
declare -A MADE=(
  [char_rnn]="--length 60" [midi_rnn]="--length 16" [wavenet]="--seconds 0.2" [audio_rnn]="--seconds 0.2"
  [spectral_rnn]="--seconds 0.2" [spectral_gan]=""
)
KERNELS="tests/networks/test_products.py tests/networks/test_gru_engine.py::test_its_logits_are_those_of_training"

command -v uv >/dev/null || { echo "This needs uv: pip install uv" >&2; exit 1; }
told="$(docker/engine_for_tests.sh arm64)"
PATH="$(sed -n 's/^ENGINE_TOOLS=//p' <<<"$told"):$PATH"
base="$(sed -n 's/^WORKSHOP_BASE_IMAGE=//p' <<<"$told")"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/image" "$work/data"

build() { # image, further arguments of docker build
  DOCKER_BUILDKIT=1 docker build --platform linux/arm64 --build-arg "BASE_IMAGE=$base" --tag "$@"
}

# What pip would have installed in the Dockerfile's stage cpu-packages.
build "$PACKAGES-installer" --target installer .
uv pip install --quiet --target "$work/image/packages" --python-platform aarch64-manylinux_2_28 --python-version 3.13 \
  --only-binary :all: --require-hashes --requirements requirements/cpu.txt --requirements requirements/test.txt \
  --requirements requirements/docs.txt
printf '%s\n' "FROM $PACKAGES-installer" 'COPY packages /opt/venv/lib/python3.13/site-packages' \
  'RUN bash /tmp/slim.sh' >"$work/image/Dockerfile"
build "$PACKAGES" "$work/image"
sed "s/--from=cpu-packages/--from=$PACKAGES/" Dockerfile | build "$IMAGE" --target cpu --file - .

git ls-files -z data | tar --null --files-from - --create | tar --extract --directory "$work"
python tests/few_data.py "$work/data"
chmod --recursive a+rwX "$work/data"

on_arm64() { # folder, command
  docker run --rm --no-healthcheck --platform linux/arm64 --volume "$work/data:/workshop/data" \
    --workdir "/workshop/$1" --entrypoint bash "$IMAGE" -c "uname -m && $2"
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
