# shellcheck shell=bash
# `./start.sh class`: a class on one server. start.sh reads this file after docker/host.sh, whose variables it sets.
# shellcheck disable=SC2034

CLASS_NAME="${WORKSHOP_CLASS_NAME:-ml4music-class}"    # what its containers, volumes and networks begin with
CLASS_PORT="${WORKSHOP_PORT_CLASS:-8000}"
CLASS_AUTHORITY="$STATE/class-authority.crt"           # what tablets take in to trust the server

container_class() { # nothing, stop or passwords
  PROJECT="$CLASS_NAME"    # not the clone's: the class stays where it is when the clone moves
  export COMPOSE_PROFILES=class
  SERVICE=hub IMAGE=ml4music-workshop:class
  WORKSHOP_RECIPE="$(recipe cpu)"
  export WORKSHOP_RECIPE
  [ $# -le 1 ] || misused "'class' takes one word after it: stop or passwords, or none to start."
  case "${1:-start}" in
    start) start_class ;;
    stop) stop_class ;;
    passwords) in_hub passwords ;;
    *) misused "'class $1' is not known: give stop or passwords, or nothing to start the class's server." ;;
  esac
}

hub_runs() { [ "$(inspect '{{.State.Running}}' "$CLASS_NAME-hub")" = true ]; }

# A hub that runs at another port would be taken away before the engine finds this one taken.
hub_has_port() { "$ENGINE" port "$CLASS_NAME-hub" 2>/dev/null | grep -q ":$CLASS_PORT\$"; }

in_hub() { # verb of workshop.class_hub
  hub_runs || fail "The class's server does not run: ./start.sh class starts it."
  "$ENGINE" exec "$CLASS_NAME-hub" python -m workshop.class_hub "$1"
}

# Compose and the engine name the class's parts after it. A setting that is misspelt would be none: a class without
# accounts, for instance, of which the teacher thinks that it has them.
check_class_settings() {
  local variable
  [[ "$CLASS_NAME" =~ ^[a-z0-9][a-z0-9_-]{0,39}$ ]] ||
    misused "WORKSHOP_CLASS_NAME is '$CLASS_NAME': give at most 40 small letters, digits and hyphens, such as class-8b."
  for variable in $(compgen -e WORKSHOP_CLASS_ || true); do
    grep -q "{$variable:-" "$ROOT/docker-compose.yml" ||
      misused "$variable is no setting of the class: docs/class-on-a-server.md lists them all."
  done
}

check_class() {
  check_class_settings
  check_port WORKSHOP_PORT_CLASS "$CLASS_PORT"
  if ! hub_has_port && is_taken "$CLASS_PORT"; then
    fail "Port $CLASS_PORT for the class is in use by another program: stop that, or choose another port, for example" \
      "WORKSHOP_PORT_CLASS=8443 ./start.sh class"
  fi
}

# The names and addresses that tablets may reach the server by are part of its certificate.
class_hosts() {
  { hostname; hostname -I 2>/dev/null || true; echo "${WORKSHOP_CLASS_HOSTS:-}"; } | tr '\n' ' '
}

# The code is in this image, so each start looks whether it is the clone's; the engine knows that in seconds.
provide_class_image() {
  has_image || say "The image $IMAGE is built once: some minutes, and about 5 GB of the engine's disk."
  build_image || { has_image || exit 1; say "The older image is used meanwhile."; }
}

# The engine takes a relative path for the name of a volume, and then no student's server starts.
choose_handed_out() {
  local folder="${WORKSHOP_CLASS_HANDED_OUT:-$ROOT/data/handed_out}"
  mkdir -p "$ROOT/data/handed_out"
  WORKSHOP_CLASS_HANDED_OUT="$(cd "$HERE" && cd "$folder" 2>/dev/null && pwd -P)" ||
    misused "WORKSHOP_CLASS_HANDED_OUT is '$folder', which is no folder that can be entered: name one that is there."
  export WORKSHOP_CLASS_HANDED_OUT
}

start_class() {
  check_class
  prepare_folders
  choose_handed_out
  take_lock
  provide_class_image
  # Says the passwords and the fingerprint on the first start, and keeps neither in a log.
  compose run --rm --no-deps -T -e "CLASS_HOSTS=$(class_hosts)" hub python -m workshop.class_hub prepare 2>"$ENGINE_LOG" || explain_class
  compose up -d --no-build hub >"$ENGINE_LOG" 2>&1 || explain_class
  CONTAINER="$CLASS_NAME-hub"
  release_lock
  wait_until_healthy || exit 1
  "$ENGINE" cp "$CLASS_NAME-hub:/srv/class/authority.crt" "$CLASS_AUTHORITY" >/dev/null 2>&1 || true
  rm -f "$ENGINE_LOG"
  tell_class
}

explain_class() {
  tail -n 5 "$ENGINE_LOG" >&2 || true
  fail "The class's server does not start: the lines above say why (more in $ENGINE_LOG)."
}

tell_class() {
  local host=localhost
  case "${WORKSHOP_BIND:-127.0.0.1}" in
    127.0.0.1) ;;
    0.0.0.0) host="$(hostname)" ;;
    *) host="$WORKSHOP_BIND" ;;
  esac
  printf '%-29s%s\n' "The class's server" "https://$host:$CLASS_PORT"
  in_hub fingerprint
  printf '%-29s%s\n' "What tablets take in" "$CLASS_AUTHORITY"
  if [ "$host" = localhost ]; then
    say "Only this computer reaches it: WORKSHOP_BIND=0.0.0.0 ./start.sh class opens it to the network."
  fi
  say "'./start.sh class stop' ends it, after all trainings have saved; students' work stays."
}

# The hub ends first, so that nobody starts anything meanwhile. A student's volume outlives the container.
stop_class() {
  local id students=()
  if hub_runs; then "$ENGINE" stop -t 10 "$CLASS_NAME-hub" >/dev/null; fi
  while read -r id; do
    [ -z "$id" ] || students+=("$id")
  done <<<"$("$ENGINE" ps -q --filter "label=ml4music.class=$CLASS_NAME")"
  if [ "${#students[@]}" -gt 0 ]; then
    say "Stopping ${#students[@]} servers of students, after what trains in them has saved ..."
    "$ENGINE" stop -t "$GRACE_SECONDS" "${students[@]}" >/dev/null
  fi
  say "The class's server is stopped. All that students made stays in their volumes; ./start.sh class goes on."
}
