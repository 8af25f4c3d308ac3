# shellcheck shell=bash
# `./start.sh player`: exported networks in an image of their own, without TensorFlow. start.sh reads this file after
# docker/host.sh, whose variables it sets.
# shellcheck disable=SC2034

PLAYER_IMAGE=ml4music-workshop:player
PLAYER_PORT=7002                                 # of its pages, unless WORKSHOP_PORT_PLAYER says otherwise
PLAYER_NETWORKS=data/generated/player            # where networks are exported to, and where it finds them
PLAYER_FILES=data/generated/osc                  # where what is asked for by OSC goes

container_player() { # names of experiments
  local page="${WORKSHOP_PORT_PLAYER:-$PLAYER_PORT}" osc="${WORKSHOP_PORT_OSC:-$OSC_PORT}"
  local answers="${WORKSHOP_ANSWER_TO:-$ANSWER_TO}" word
  for word in "$@"; do
    case "$word" in -*) misused "'player' takes names of experiments, and '$word' is none." ;; esac
  done
  check_player "$page" "$osc" "$answers"
  prepare_folders
  make_player_folders
  if [ $# -gt 0 ]; then export_for_player "$@"; fi
  IMAGE="$PLAYER_IMAGE"
  with_lock build_player
  start_player "$page" "$osc" "$answers"
}

check_player() { # ports: of the pages, of OSC, of its answers
  check_port WORKSHOP_PORT_PLAYER "$1"
  check_port WORKSHOP_PORT_OSC "$2"
  check_port WORKSHOP_ANSWER_TO "$3"
  if is_taken "$1"; then
    fail "Port $1 for the player is in use by another program: stop that, or choose another port, for example" \
      "WORKSHOP_PORT_PLAYER=$(($1 < 65436 ? $1 + 100 : 17002)) ./start.sh player"
  fi
  if [ -n "$("$ENGINE" ps -q --filter "publish=$2/udp")" ]; then
    fail "Port $2 for OSC is the workshop's container's: './start.sh stop' ends that, or choose another port, for" \
      "example WORKSHOP_PORT_OSC=$(($2 < 65436 ? $2 + 100 : 17012)) ./start.sh player"
  fi
}

make_player_folders() {
  local folders=("$ROOT/$PLAYER_NETWORKS" "$ROOT/$PLAYER_FILES")
  mkdir -p "${folders[@]}" || fail_for_folder
  if [ "$(id -u)" = 0 ] && [ "$WORKSHOP_UID" != 0 ]; then chown "$WORKSHOP_UID:$WORKSHOP_GID" "${folders[@]}"; fi
}

# In a container of its own: the workshop's would take the port of OSC.
export_for_player() { # names of experiments
  local options=("${AS_USER[@]}" --mount "type=bind,$(quoted_source "$ROOT"),target=$INSIDE" -w "$(inside_folder)")
  use_wanted_service
  with_lock provide_image
  "$ENGINE" run "${options[@]}" "$IMAGE" \
    python -m workshop.player export --overwrite --to "$INSIDE/$PLAYER_NETWORKS" "$@" || exit
}

# Its code and its networks are in the image, so each start looks whether they are the clone's; the engine knows that in
# seconds.
build_player() {
  has_image || say "The image $IMAGE is built once: some minutes, and about 4 GB of the engine's disk."
  : >"$ENGINE_LOG"
  with_progress "Building the player" build_progress "$ENGINE_LOG" "$ENGINE" build --target player \
    --build-arg "BASE_IMAGE=${WORKSHOP_BASE_IMAGE:-debian:trixie-slim}" --tag "$IMAGE" "$ROOT" ||
    { explain_build; has_image || exit 1; say "The older image is used meanwhile."; }
  rm -f "$ENGINE_LOG"
}

# The engine's client takes the place of this script, so that signals reach the player through it.
start_player() { # ports: of the pages, of OSC, of its answers
  local options=("${AS_USER[@]}")
  options+=(--publish "${WORKSHOP_BIND:-127.0.0.1}:$1:$PLAYER_PORT" --publish "127.0.0.1:$2:$OSC_PORT/udp")
  options+=(--mount "type=bind,$(quoted_source "$ROOT/$PLAYER_NETWORKS"),target=/networks,readonly")
  options+=(--mount "type=bind,$(quoted_source "$ROOT/$PLAYER_FILES"),target=/player/data/generated/osc")
  options+=(--env "WORKSHOP_HOST_ROOT=$ROOT" --env "WORKSHOP_PUBLISHED=$PLAYER_PORT:$1")
  exec 3> >(send_answers "$3")
  exec "$ENGINE" run "${options[@]}" "$IMAGE" --host 0.0.0.0 --answer_to output >&3
}
