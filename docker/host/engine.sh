# shellcheck shell=bash disable=SC2034,SC2153
# The engine: which one there is, and how this clone's container is set for it.
# Its variables are those of docker/host.sh, which reads this file.

# ---- the engine ----------------------------------------------------------------------------------

# macOS has no `timeout`.
within_seconds() { # seconds, command
  local tenths=$(($1 * 10)) pid
  shift
  "$@" &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$tenths" -le 0 ]; then
      kill -9 "$pid"
      wait "$pid" 2>/dev/null || true
      return 124
    fi
    tenths=$((tenths - 1))
    sleep 0.1
  done
  wait "$pid"
}

# Of several engines the problem of the first one is reported.
note_trouble() { # problem, advice
  if [ -z "$ENGINE_PROBLEM" ]; then
    ENGINE_PROBLEM="$1"
    ENGINE_ADVICE="$2"
  fi
}

explain_silence() { # engine, status
  local start="start it with 'sudo systemctl start docker'"
  if [ "$1" = podman ]; then start="look at what 'podman info' says"; fi
  if [ "$(uname -s)" = Darwin ]; then start="start Docker Desktop and wait until it says that it runs"; fi
  case "$ENGINE_INFO" in
    *"ermission denied"*)
      note_trouble "$1 is installed, but you may not use its engine" \
        "type 'sudo usermod -aG docker \$USER' and log in again" ;;
    *) if [ "$2" = 124 ]; then
      note_trouble "$1 is installed, but its engine has not answered within $ANSWER_SECONDS seconds" "restart it"
    else
      note_trouble "$1 is installed, but its engine does not run" "$start"
    fi ;;
  esac
}

find_compose() { # engine
  if "$1" compose version >/dev/null 2>&1; then
    COMPOSE=("$1" compose)
  elif command -v "$1-compose" >/dev/null 2>&1; then
    COMPOSE=("$1-compose")
  else
    note_trouble "$1 is here, but without compose" \
      "install the package docker-compose-plugin (docker-compose or docker-compose-v2 in some systems)"
    return 1
  fi
}

engine_serves() { # engine
  local status=0
  command -v "$1" >/dev/null 2>&1 || return 1
  ENGINE_INFO="$(within_seconds "$ANSWER_SECONDS" "$1" info 2>&1)" || status=$?
  if [ "$status" -ne 0 ]; then
    explain_silence "$1" "$status"
    return 1
  fi
  find_compose "$1" && ENGINE="$1"
}

find_engine() {
  engine_serves docker || engine_serves podman ||
    { note_trouble "no Docker engine was found" "install Docker Desktop or Docker Engine"; return 1; }
}

fail_for_engine() { fail "The container cannot be used, because $ENGINE_PROBLEM: $ENGINE_ADVICE, and try again."; }

say_why_local() {
  say "Local mode: $ENGINE_PROBLEM, so everything runs on this computer itself (for the container: $ENGINE_ADVICE)."
}

engine_says() { grep -i -E "$1" >/dev/null <<<"$ENGINE_INFO"; }

# ---- who, which image, and how it is set ---------------------------------------------------------

# Files made inside belong to the calling user. Root inside a rootless Docker is the calling user outside. The
# container never runs as real root: it runs as the owner of the clone, or as user 1000 if that is root as well.
choose_user() {
  local owner group
  WORKSHOP_UID="$(id -u)"
  WORKSHOP_GID="$(id -g)"
  if [ "$WORKSHOP_UID" = 0 ]; then
    # shellcheck disable=SC2012 # stat has other options on macOS
    read -r owner group <<<"$(ls -nd "$ROOT" | awk '{ print $3, $4 }')"
    if [ "$owner" = 0 ]; then owner=1000 group=1000; fi
    WORKSHOP_UID="$owner"
    WORKSHOP_GID="$group"
  elif engine_says buildah; then    # podman, which may go by the name of docker
    export PODMAN_USERNS=keep-id
  elif engine_says '^ *rootless$'; then
    WORKSHOP_UID=0
    WORKSHOP_GID=0
  fi
  export WORKSHOP_UID WORKSHOP_GID
  AS_USER=(--rm --user "$WORKSHOP_UID:$WORKSHOP_GID" --cap-drop ALL --security-opt no-new-privileges:true)
}

# Folders that the container writes to are made first: the engine would make them as root.
prepare_folders() {
  local lesson folders=("$STATE" "$STATE/calls" "$ROOT/data" "$ROOT/build")
  for lesson in $LESSONS; do
    if [ -d "$ROOT/$lesson" ]; then folders+=("$ROOT/$lesson" "$ROOT/$lesson/experiments"); fi
  done
  mkdir -p "${folders[@]}" 2>/dev/null || fail_for_folder
  if [ "$(id -u)" = 0 ] && [ "$WORKSHOP_UID" != 0 ]; then
    find "${folders[@]}" ! -user "$WORKSHOP_UID" -exec chown -h "$WORKSHOP_UID:$WORKSHOP_GID" {} +
  fi
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }    # macOS has the second

# What the image is made of, as start.ps1 computes it too; the code is not in it, because the container mounts the clone.
recipe() { # kind
  local file sum parts=()
  while read -r file; do parts+=("$ROOT/${file/KIND/$1}"); done <"$ROOT/docker/recipe.txt"
  sum="$(cat "${parts[@]}" | tr -d '\r' | sha256)"
  echo "${sum:0:12}"
}

use_service() { # service
  local kind=cpu server
  SERVICE="$1"
  if [ "$SERVICE" = workshop-gpu ]; then
    kind=gpu
    export COMPOSE_PROFILES=gpu
  fi
  IMAGE="ml4music-workshop:$kind"
  WORKSHOP_RECIPE="$(recipe "$kind")"
  WORKSHOP_SETTINGS="$({
    for server in $WITH_PORTS; do wanted_port "$server"; done
    echo "${WORKSHOP_PORT_OSC:-}"
    echo "$WORKSHOP_RECIPE ${WORKSHOP_BIND:-} ${WORKSHOP_MEMORY:-} $WORKSHOP_UID:$WORKSHOP_GID"
    cat "$ROOT/docker-compose.yml"
  } | cksum | tr ' ' '-')"
  export WORKSHOP_RECIPE WORKSHOP_SETTINGS
}

# Two clones have two containers: the project is named by the clone's place.
prepare_engine() {
  export DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1 BUILDKIT_PROGRESS=plain
  PROJECT="ml4music-$(printf '%s' "$ROOT" | cksum | tr ' ' '-')"
  choose_user
}

compose() { (cd "$ROOT" && "${COMPOSE[@]}" -p "$PROJECT" "$@"); }
