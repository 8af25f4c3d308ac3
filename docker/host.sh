# shellcheck shell=bash
# The container's side of start.sh on the host: everything that calls Docker or podman. start.sh reads this file.
#
# The host needs no Python: only bash, the engine and tools that macOS and Linux share. Compose builds the image and
# starts the container; everything else uses the engine's own commands, which are the same for Docker and podman.

SERVER_LIST="$ROOT/docker/servers.txt"   # each server's name, port and title, written from the lessons' records
LESSONS=""
while read -r name port title; do
  case "$title" in "TensorBoard for"*) LESSONS="$LESSONS $name" ;; esac
done <"$SERVER_LIST"
SERVERS="$LESSONS lab docs play"   # those that run all the time
WITH_PORTS="$SERVERS live"
OSC_PORT=10102                    # of UDP, in the container and outside unless WORKSHOP_PORT_OSC says otherwise
ANSWER_TO=10101                   # where clients of OSC listen, unless WORKSHOP_ANSWER_TO says otherwise
INSIDE=/workshop                  # where the container sees the clone
ANSWER_SECONDS=10                 # time limit for an engine that hangs
HEALTH_SECONDS=120
GRACE_SECONDS=30                  # time for a training to save

ENGINE=""                         # docker or podman, once one of them has answered
COMPOSE=()                        # its compose command
ENGINE_INFO=""                    # what `docker info` says
ENGINE_PROBLEM=""                 # why no engine can be used, and the cure
ENGINE_ADVICE=""
PROJECT=""                        # compose's name for this clone
SERVICE=""                        # workshop or workshop-gpu
IMAGE=""
OTHERS=""                         # containers of this clone that are not wanted, as when two were made by hand
CONTAINER=""                      # this clone's container, with its state, service and settings
STATUS=""
SERVICE_THERE=""
SETTINGS_THERE=""
CALL=""                           # the file that says that this process has a command in the container
CALL_USER=""
AS_USER=()                        # options of a container for one command: whose it is, and that it may do little
STICK=""                          # a folder outside of the clone that one command may see, such as a USB stick
STICK_INSIDE=/mirror
STICK_RIGHTS=",readonly"
LENT=""                           # the container of that command
COMMAND=()                        # that command, as it is called inside
CLIENT=""                         # the engine's process that waits for that command
SIGNALLED=no
PART=""                           # a half-written file of `save`
ENGINE_LOG="$STATE/container.log"

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

# ---- what is there -------------------------------------------------------------------------------

label() { printf '{{index .Config.Labels "%s"}}' "$1"; }
inspect() { "$ENGINE" inspect --format "$1" "$2" 2>/dev/null; }

# Find this clone's container; of several the running one.
look_for_container() {
  local id status service settings words
  CONTAINER="" STATUS="" SERVICE_THERE="" SETTINGS_THERE="" OTHERS=""
  words="{{.State.Status}} $(label ml4music.workshop) $(label ml4music.settings)"
  for id in $("$ENGINE" ps -a -q --filter "label=com.docker.compose.project=$PROJECT" --filter label=ml4music.workshop); do
    read -r status service settings <<<"$(inspect "$words" "$id" || true)"
    if [ -z "$CONTAINER" ] || [ "$status" = running ]; then
      OTHERS="$OTHERS $CONTAINER"
      CONTAINER="$id" STATUS="$status" SERVICE_THERE="$service" SETTINGS_THERE="$settings"
    else
      OTHERS="$OTHERS $id"
    fi
  done
}

use_wanted_service() { if [ "$GPU" = yes ]; then use_service workshop-gpu; else use_service workshop; fi; }

# A running container with NVIDIA's libraries is used without --gpu as well: replacing it would end trainings.
choose_service() {
  look_for_container
  if [ "$STATUS" = running ] && [ "$SERVICE_THERE" = workshop-gpu ]; then
    use_service workshop-gpu
  else
    use_wanted_service
  fi
}

# Whether a command runs in the container; entries of processes that have died are removed.
is_in_use() {
  local file
  for file in "$STATE"/calls/*; do
    if [ -f "$file" ]; then
      if runs_start_sh "${file##*/}"; then return 0; fi
      rm -f "$file"
    fi
  done
  return 1
}

# Whether the existing container can be used as it is. Settings that start.sh did not make are left alone.
fits() {
  [ "$STATUS" = running ] && [ "$SERVICE_THERE" = "$SERVICE" ] || return 1
  case "$SETTINGS_THERE" in "$WORKSHOP_SETTINGS" | none | "") return 0 ;; esac
  if is_in_use; then
    say "The container is used by another terminal and stays as it is, though its settings or packages have changed:" \
      "'./start.sh down' and a new start take them over."
    return 0
  fi
  return 1
}

# ---- ports ---------------------------------------------------------------------------------------

of_server() { # server, port or title
  local name port title
  while read -r name port title; do
    if [ "$name" = "$1" ]; then echo "${!2}"; fi
  done <"$SERVER_LIST"
}
inner_port() { of_server "$1" port; } # server
port_variable() { echo "WORKSHOP_PORT_$(tr '[:lower:]' '[:upper:]' <<<"$1")"; }
title_of() { of_server "$1" title; } # server

wanted_port() { # server
  local variable
  variable="$(port_variable "$1")"
  echo "${!variable:-$(inner_port "$1")}"
}

check_port() { # variable, its value
  if [[ "$2" =~ ^[0-9]{1,5}$ ]] && [ "$((10#$2))" -ge 1 ] && [ "$((10#$2))" -le 65535 ]; then return; fi
  misused "$1 is '$2', which is not a port: give a number from 1 to 65535."
}

is_taken() { # port
  local host="${WORKSHOP_BIND:-127.0.0.1}"
  case "$host" in 0.0.0.0 | *:*) host=127.0.0.1 ;; esac
  (exec 3<>"/dev/tcp/$host/$1") 2>/dev/null
}

# The clone whose container has the port, if it is one of ours.
holder_of() { # port
  local id folder="another program"
  id="$("$ENGINE" ps -q --filter "publish=$1" --filter label=ml4music.workshop 2>/dev/null || true)"
  if [ -n "$id" ]; then
    folder="the workshop in '$(inspect "$(label com.docker.compose.project.working_dir)" "$id")'"
  fi
  echo "$folder"
}

fail_for_port() { # server
  local port variable
  port="$(wanted_port "$1")"
  variable="$(port_variable "$1")"
  fail "Port $port for $(title_of "$1") is in use by $(holder_of "$port"): stop that (another copy of the workshop" \
    "ends with './start.sh stop' there, and what ran without the container with './start.sh --local stop'), or" \
    "choose another port, for example $variable=$((port < 65436 ? port + 100 : 17006)) ./start.sh"
}

# Whether it is this clone's running container that listens there.
is_our_own() { # server, port
  local url
  [ "$STATUS" = running ] || return 1
  url="$(url_of "$1")"
  [ "${url##*:}" = "$2" ]
}

check_ports() {
  local server port
  for server in $WITH_PORTS; do
    port="$(wanted_port "$server")"
    check_port "$(port_variable "$server")" "$port"
    if ! is_our_own "$server" "$port" && is_taken "$port"; then fail_for_port "$server"; fi
  done
  check_port WORKSHOP_PORT_OSC "${WORKSHOP_PORT_OSC:-$OSC_PORT}"
}

# On a Mac AirPlay has the tutorial's port, so another one is taken unless the user has chosen it. The settings that
# identify the container keep the wanted port.
move_docs() {
  local port
  port="$(inner_port docs)"
  [ -z "${WORKSHOP_PORT_DOCS:-}" ] || return 0
  [ "$STATUS" = running ] && [ "$(url_of docs)" = "http://localhost:$port" ] && return 0
  is_taken "$port" || return 0
  while is_taken "$port" && [ "$port" -lt 7900 ]; do port=$((port + 100)); done
  say "Port $(inner_port docs) is in use by another program, so the tutorial takes $port."
  export WORKSHOP_PORT_DOCS="$port"
}

# ---- the GPU -------------------------------------------------------------------------------------

check_gpu() {
  need_card
  engine_says 'runtimes:.*nvidia|nvidia\.com/gpu' ||
    misused "--gpu finds the NVIDIA card, but $ENGINE cannot hand it to containers: install NVIDIA's Container" \
      "Toolkit, type 'sudo nvidia-ctk runtime configure --runtime=$ENGINE', restart $ENGINE, or leave out --gpu."
}

# ---- the image -----------------------------------------------------------------------------------

image_recipe() { inspect "$(label ml4music.recipe)" "$IMAGE"; }
has_image() { "$ENGINE" image inspect "$IMAGE" >/dev/null 2>&1; }
engine_log_says() { grep -i -E "$1" "$ENGINE_LOG" >/dev/null 2>&1; }

NO_REGISTRY='no such host|handshake|temporary failure|could not resolve|failed to (fetch|resolve)|dial tcp|toomanyreq'

explain_build() {
  local again="and run the same command again; it goes on from here (details: $ENGINE_LOG)."
  local carry="carry the image here from another computer ('./start.sh save FILE' there, './start.sh load FILE' here)"
  tail -n 12 "$ENGINE_LOG" >&2 || true
  if engine_log_says 'no space left on device'; then
    say "Building the image failed because the engine's disk is full: make about 5 GB free ('$ENGINE system prune'" \
      "removes what nothing uses) $again"
  elif engine_log_says 'buildx component is missing|requires buildx|BuildKit is enabled but'; then
    say "Building the image failed because $ENGINE lacks its builder: install the package docker-buildx-plugin" \
      "(docker-buildx in some systems) $again"
  elif engine_log_says 'do not match the hashes'; then
    say "Building the image failed because a package is not the file that the lock names, as when a proxy or a mirror" \
      "changes what it hands on: use another network $again"
  elif engine_log_says "$NO_NETWORK|$NO_REGISTRY"; then
    say "Building the image failed because a part of it cannot be fetched: check the network" \
      "connection or proxy $again Without a network, $carry."
  else
    say "Building the image failed: the lines above and $ENGINE_LOG say why; put it right and run this again."
  fi
}

build_image() {
  : >"$ENGINE_LOG"
  with_progress "Building the image" build_progress "$ENGINE_LOG" compose build "$SERVICE" ||
    { explain_build; return 1; }
  rm -f "$ENGINE_LOG"
}

# Build a new image when its inputs have changed; where that fails, the older one is used.
provide_image() {
  if ! has_image; then
    say "The image $IMAGE is built once: some minutes, and about 4 GB of the engine's disk."
    if [ -x "$VENV/bin/python" ]; then say "(What was set up without the container stays: --local uses it.)"; fi
    build_image || exit 1
  elif [ "$(image_recipe)" != "$WORKSHOP_RECIPE" ]; then
    say "What the image $IMAGE is made of has changed, so it is built again."
    build_image || say "The older image is used meanwhile."
  fi
}

# ---- the container -------------------------------------------------------------------------------

end_container() { "$ENGINE" stop -t "$GRACE_SECONDS" "$1" >/dev/null; } # id

# A container of the other kind is removed; all files made in it are in the clone.
make_room() {
  local id
  if [ "$SERVICE_THERE" != "$SERVICE" ]; then
    OTHERS="$OTHERS $CONTAINER"
    CONTAINER="" STATUS=""
  fi
  for id in $OTHERS; do
    say "The container of the other kind is ended, after what trains in it has saved; nothing is lost ..."
    end_container "$id"
    "$ENGINE" rm -f "$id" >/dev/null
  done
}

explain_start() {
  local server port="${WORKSHOP_PORT_OSC:-$OSC_PORT}"
  if engine_log_says "[^0-9]$port(/udp)?[^0-9].*(already (allocated|in use)|not available)"; then
    fail "Port $port for OSC is in use by another program: stop that ('./start.sh --local osc' is one, and so is the" \
      "container of another copy of the workshop), or choose another port, for example" \
      "WORKSHOP_PORT_OSC=$((port < 65436 ? port + 100 : 17006)) ./start.sh"
  fi
  for server in $WITH_PORTS; do
    if engine_log_says "[^0-9]$(wanted_port "$server")[^0-9].*(already (allocated|in use)|not available)" ||
      engine_log_says "not available.*[^0-9]$(wanted_port "$server")[^0-9]"; then fail_for_port "$server"; fi
  done
  if engine_log_says 'no space left on device'; then
    fail "The container cannot start because the engine's disk is full: make room, for example with" \
      "'$ENGINE system prune', and run this again."
  elif engine_log_says 'could not select device driver|nvidia-container|nvidia\.com/gpu'; then
    misused "The container cannot start with the GPU, see $ENGINE_LOG: restart $ENGINE, or leave out --gpu."
  elif engine_log_says 'mounts denied|not shared|file ?sharing'; then
    fail "The engine may not see '$ROOT': add it in Docker Desktop's settings (Resources, File sharing), or move the" \
      "workshop into your home."
  elif engine_log_says 'cannot assign requested address'; then
    fail "The container cannot listen on WORKSHOP_BIND=${WORKSHOP_BIND:-}: set it to 127.0.0.1, or to an address of" \
      "this computer."
  fi
  tail -n 5 "$ENGINE_LOG" >&2 || true
  fail "The container does not start: the lines above say why (more in $ENGINE_LOG);" \
    "'./start.sh --local' runs without it."
}

start_container() {
  # Before an image is built, which takes minutes.
  move_docs
  check_ports
  provide_image
  make_room
  if [ "$STATUS" = running ]; then
    say "The settings or packages of the container have changed, so it is made again ..."
  fi
  if [ -z "$CONTAINER" ] && [ "$(id -u)" = 0 ] && [ "$WORKSHOP_UID" != 0 ]; then
    say "You are root and the container is not: it runs as user $WORKSHOP_UID, to whom data/, build/ and the lessons'" \
      "folders are handed over."
  fi
  compose up -d --no-build "$SERVICE" >"$ENGINE_LOG" 2>&1 || explain_start
  look_for_container
  [ "$STATUS" = running ] || explain_start    # not every compose says by its exit status that it failed
  rm -f "$ENGINE_LOG"
}

# Use the running container or start it: never two for one clone, even if two terminals ask at the same time.
bring_up() {
  if [ "$GPU" = yes ]; then check_gpu; fi
  prepare_folders
  choose_service
  if ! fits; then
    take_lock
    choose_service
    fits || start_container
    release_lock
  fi
  if [ "$GPU" = no ] && [ "$SERVICE" = workshop-gpu ]; then
    say "The container with the GPU runs and is used; after './start.sh down' the one without comes again."
  fi
}

health() {
  inspect '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}' "$CONTAINER"
}

# The last output of the image's health check.
what_is_missing() {
  { inspect '{{range .State.Health.Log}}{{println .Output}}{{end}}' "$CONTAINER" || true; } |
    awk 'NF { last = $0 } END { print last ? last : "its health check says nothing" }'
}

# Return when the servers answer; otherwise say what is wrong. The line of progress stays one line in a terminal.
wait_until_healthy() {
  local seconds=0 what="Waiting for the servers"
  while :; do
    case "$(health)" in
      *" healthy" | "running ") break ;;    # podman may know no health
      "running starting") ;;
      "running "*)
        say "The container is not well ($(what_is_missing)): './start.sh logs' shows more."
        return 1 ;;
      *)
        "$ENGINE" logs --tail 5 "$CONTAINER" >&2 || true
        fail "The container has ended: the lines above say why ('./start.sh logs' shows more)." ;;
    esac
    if [ "$seconds" -ge "$HEALTH_SECONDS" ]; then
      say "The container was not ready within two minutes ($(what_is_missing)): './start.sh logs' shows more."
      return 1
    fi
    if [ "$seconds" = 0 ]; then begin_progress "$what"; else report_progress "$what"; fi
    sleep 1
    seconds=$((seconds + 1))
  done
  if [ "$seconds" -gt 0 ]; then end_progress "$what" "they answer"; fi
}

url_of() { # server
  local published host
  published="$("$ENGINE" port "$CONTAINER" "$(inner_port "$1")/tcp" 2>/dev/null || true)"
  published="${published%%$'\n'*}"
  host="${published%:*}"
  case "$host" in "" | 127.0.0.1 | 0.0.0.0 | "[::]") host=localhost ;; esac
  echo "http://$host:${published##*:}"
}

# JupyterLab and the play page ask for a token, each for its own.
print_address() { # server
  local page="" token=""
  case "$1" in
    lab) page=/lab/tree/docs/notebooks/README.md token="$(cat "$STATE/jupyter_token" 2>/dev/null || true)" ;;
    play) page=/ token="$(cat "$STATE/play_token" 2>/dev/null || true)" ;;
  esac
  printf '%-29s%s\n' "$(title_of "$1")" "$(url_of "$1")$page${token:+?token=$token}"
}

# ---- a command inside ----------------------------------------------------------------------------

# The path of the current folder inside the container.
inside_folder() {
  case "$HERE/" in
    "$ROOT"/*) echo "$INSIDE${HERE#"$ROOT"}" ;;
    *) echo "$INSIDE" ;;
  esac
}

# The engine does not hand signals to commands, so they are sent to the command's process group as a terminal does.
signal_inside() { # signal
  local pid
  pid="$(cat "$CALL" 2>/dev/null || true)"
  [ -n "$pid" ] && "$ENGINE" exec -u "$CALL_USER" "$CONTAINER" bash -c "kill -s $1 -- -$pid" >/dev/null 2>&1
}

# A command that was just started has not written its process id yet.
hand_on() { # signal
  local tries=30
  [ -n "$CLIENT" ] || exit 130
  SIGNALLED=yes
  while [ ! -s "$CALL" ] && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
  signal_inside "$1" || true
}

# Variables that mean the same inside: the terminal's, and the libraries' own.
PASSED='^(TERM|NO_COLOR|WORKSHOP_MIRROR|WORKSHOP_DEMO_SMOKE|WORKSHOP_PREFIX|CUDA_VISIBLE_DEVICES|XLA_FLAGS|OMP_NUM_THREADS|(TF|KERAS)_[A-Z0-9_]+)$'

# The container dropped all capabilities, so root gets them back; some engines cannot do that.
has_root_rights() { "$ENGINE" exec --privileged -u 0:0 "$CONTAINER" true >/dev/null 2>&1; }

leave_container() {
  rm -f "$CALL"
  if [ -n "$LENT" ]; then "$ENGINE" rm -f "$LENT" >/dev/null 2>&1 || true; fi
}

# Run a command in the container, with this terminal or these pipes, and end with its exit status.
run_inside() { # user, command
  local options=(-i) status=0 name
  CALL_USER="$1"
  shift
  CALL="$STATE/calls/$$"
  for name in $(compgen -e | grep -E "$PASSED" || true); do options+=(-e "$name"); done
  if [ "$WANT_ROOT" = yes ]; then
    options+=(-e HOME=/root)
    if has_root_rights; then options+=(--privileged); fi
  fi
  if [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; then options+=(-t); fi
  trap 'hand_on INT' INT
  trap 'hand_on TERM' TERM
  trap 'hand_on HUP' HUP
  trap leave_container EXIT
  : >"$CALL"
  # The command writes its process id there, as the user inside.
  chown "$CALL_USER" "$CALL" 2>/dev/null || true
  # In a separate process group, Ctrl-C does not end the client before the command has printed its last lines; but
  # only the terminal's foreground group may read from it.
  if [ ! -t 0 ]; then set -m; fi
  # shellcheck disable=SC2016 # expanded inside
  "$ENGINE" exec "${options[@]}" -u "$CALL_USER" -w "$(inside_folder)" "$CONTAINER" \
    bash -c '{ echo "$$" >"$0"; } 2>/dev/null; exec "$@"' "$INSIDE/.workshop/calls/$$" "$@" <&0 &
  CLIENT=$!
  set +m
  wait "$CLIENT" || status=$?
  while kill -0 "$CLIENT" 2>/dev/null; do
    status=0
    wait "$CLIENT" || status=$?
  done
  # If a signal has ended the client, the command still runs and may be saving.
  if [ "$SIGNALLED" = yes ]; then
    while signal_inside 0; do sleep 0.5; done
  fi
  exit "$status"
}

enter() { # verb with its arguments
  run_inside "$WORKSHOP_UID:$WORKSHOP_GID" bash "$INSIDE/start.sh" "$@"
}

# ---- a folder outside of the clone, for one command ------------------------------------------------

# Print a host folder's path inside the container, and remember it if it is outside of the clone.
use_mirror() { # folder
  local folder
  case "$1" in *://*) MIRROR="$1"; return ;; esac
  folder="$(cd "$HERE" && cd "$1" 2>/dev/null && pwd -P)" ||
    misused "There is no folder '$1' that can be entered: give the one that holds the data sets, as NAME/FILE."
  case "$folder/" in
    "$ROOT"/*) MIRROR="$INSIDE${folder#"$ROOT"}" ;;
    *) STICK="$folder" MIRROR="$STICK_INSIDE" ;;
  esac
}

# The user inside is not root; see choose_user.
make_stick_folder() { # folder
  if (cd "$HERE" && [ -d "$1" ]); then return; fi
  (cd "$HERE" && mkdir -p "$1") || fail "Cannot make the folder '$1': name one where you may write."
  if [ "$(id -u)" = 0 ]; then (cd "$HERE" && chown "$WORKSHOP_UID:$WORKSHOP_GID" "$1"); fi
}

# The data sets' commands name a folder that may lie on a USB stick: `get NAME --mirror FOLDER`, `mirror FOLDER`, and
# WORKSHOP_MIRROR. COMMAND becomes the command with that folder's name in the container.
translate_mirror() { # command
  local word before="" earlier="" MIRROR
  COMMAND=("$@")
  case " $* " in *" workshop.datasets "*) ;; *) return ;; esac
  COMMAND=()
  for word in "$@"; do
    if [ "$before" = --mirror ]; then
      use_mirror "$word"
      word="$MIRROR"
    elif [ "$earlier $before" = "workshop.datasets mirror" ] && [ "${word#-}" = "$word" ]; then
      make_stick_folder "$word"
      STICK_RIGHTS=""
      use_mirror "$word"
      word="$MIRROR"
    else
      case "$word" in --mirror=*) use_mirror "${word#*=}"; word="--mirror=$MIRROR" ;; esac
    fi
    COMMAND+=("$word")
    earlier="$before"
    before="$word"
  done
  if [ -z "$STICK" ] && [ -n "${WORKSHOP_MIRROR:-}" ]; then
    use_mirror "$WORKSHOP_MIRROR"
    export WORKSHOP_MIRROR="$MIRROR"
  fi
}

# A running container cannot mount another folder, so the command gets a separate one, without servers.
start_lent_container() {
  local options=(--detach "${AS_USER[@]}" --mount "type=bind,$(quoted_source "$ROOT"),target=$INSIDE")
  options+=(--mount "type=bind,$(quoted_source "$STICK"),target=$STICK_INSIDE$STICK_RIGHTS")
  prepare_folders
  choose_service
  with_lock provide_image
  say "The container of this command sees '$STICK' as $STICK_INSIDE."
  # It ends with the command, or after a day if start.sh has died.
  LENT="$("$ENGINE" run "${options[@]}" "$IMAGE" sleep 86400 2>"$ENGINE_LOG")" || explain_start
  rm -f "$ENGINE_LOG"
  CONTAINER="$LENT"
}

# Such options are read as comma-separated values.
quoted_source() { printf '"source=%s"' "${1//\"/\"\"}"; } # folder

# ---- the verbs -----------------------------------------------------------------------------------

container_shell() {
  bring_up
  wait_until_healthy || true
  local server
  for server in $SERVERS; do print_address "$server"; done
  if [ "$WANT_ROOT" = yes ]; then run_inside 0:0 bash; fi
  enter shell
}

container_run() {
  need_command "$@"
  translate_mirror "$@"
  if [ -n "$STICK" ]; then
    start_lent_container
    enter run "${COMMAND[@]}"
  fi
  set -- "${COMMAND[@]}"
  bring_up
  case "$HERE/" in
    "$ROOT"/*) ;;
    *) say "The container sees nothing outside of '$ROOT', so the command runs there." ;;
  esac
  tell_prefix "$0"
  if [ "$WANT_ROOT" = yes ]; then run_inside 0:0 "$@"; fi
  enter run "$@"
}

container_demo() {
  bring_up
  HERE="$ROOT"
  local url
  url="$(url_of char_rnn)"
  tell_prefix ./start.sh
  run_inside "$WORKSHOP_UID:$WORKSHOP_GID" env WORKSHOP_PORT_CHAR_RNN="${url##*:}" bash "$INSIDE/start.sh" demo
}

container_test() {
  bring_up
  HERE="$ROOT"
  enter test "$@"
}

# Its page is served while the command runs; it prints the address itself.
container_live() {
  bring_up
  tell_prefix "$0"
  enter live "$@"
}

# JupyterLab, the tutorial and the page run already.
container_address() { # server
  bring_up
  wait_until_healthy || exit 1
  print_address "$1"
  say "Open that address in a browser. './start.sh stop' ends it; what is saved stays."
}

# The container cannot reach this computer's own ports. So the server in it prints its answers, and they are sent from
# here; what else it prints is printed.
send_answers() { # port
  local line
  trap '' INT TERM HUP
  while IFS= read -r line; do
    case "$line" in
      # printf writes up to each line feed among the bytes, and dd all of them together: as one datagram.
      "osc "*) printf '%b' "${line#osc }" | dd obs=65536 2>/dev/null >"/dev/udp/127.0.0.1/$1" || true ;;
      *) printf '%s\n' "$line" ;;
    esac
  done
}

container_osc() {
  local port="${WORKSHOP_ANSWER_TO:-$ANSWER_TO}"
  case " $* " in
    *" --answer_to"* | *" --answer-to"* | *" --port"* | *" --host"*)
      misused "In the container, WORKSHOP_PORT_OSC and WORKSHOP_ANSWER_TO set the ports: --port, --host and --answer_to" \
        "are for './start.sh --local osc'." ;;
  esac
  check_port WORKSHOP_ANSWER_TO "$port"
  bring_up
  tell_prefix "$0"
  exec 3> >(send_answers "$port")
  run_inside "$WORKSHOP_UID:$WORKSHOP_GID" env WORKSHOP_HOST_ROOT="$ROOT" \
    python -m workshop.osc --host 0.0.0.0 --port "$OSC_PORT" --answer_to output "$@" >&3
}

# The doctor starts nothing. Where the container does not run, it checks the host.
container_doctor() {
  look_for_container
  WORKSHOP_ENGINE_INFO="$("$ENGINE" info --format '{{json .}}' 2>/dev/null || true)"
  export WORKSHOP_ENGINE_INFO
  if [ "$STATUS" = running ]; then
    prepare_folders
    run_inside "$WORKSHOP_UID:$WORKSHOP_GID" env WORKSHOP_ENGINE_INFO="$WORKSHOP_ENGINE_INFO" \
      bash "$INSIDE/start.sh" doctor "$@"
  fi
  if [ ! -x "$VENV/bin/python" ] && ! (find_python) >/dev/null 2>&1; then
    fail "$ENGINE answers, and the doctor looks at the rest from inside the container, which does not run yet:" \
      "type ./start.sh first."
  fi
  WORKSHOP_MODE=container verb_doctor "$@"
}

# Trainings outside of the container are listed too: they share the folder and its locks.
container_trainings() {
  look_for_container
  if [ "$STATUS" = running ]; then enter trainings "$@"; fi
  verb_trainings "$@"
}

container_logs() {
  look_for_container
  if [ -n "$CONTAINER" ]; then
    printf '==== the container (%s)\n' "$STATUS"
    "$ENGINE" logs --tail 30 "$CONTAINER" 2>&1
  fi
  verb_logs
}

container_stop() {
  look_for_container
  if [ "$STATUS" = running ]; then
    say "Stopping the container, after what trains in it has saved ..."
    end_container "$CONTAINER"
    say "Stopped. All that was made is in the clone; ./start.sh goes on."
  else
    say "The container does not run."
    # Servers of local mode may still run.
    if [ -x "$VENV/bin/python" ]; then verb_stop; fi
  fi
}

# Compose also removes the container's network.
container_down() {
  look_for_container
  if [ -z "$CONTAINER" ]; then
    say "There is no container to remove."
    return
  fi
  say "Removing the container, after what trains in it has saved ..."
  use_service "$SERVICE_THERE"
  mkdir -p "$STATE"
  export COMPOSE_PROFILES=gpu
  compose down -t "$GRACE_SECONDS" >"$ENGINE_LOG" 2>&1 || { tail -n 5 "$ENGINE_LOG" >&2; fail "It cannot be removed."; }
  rm -f "$ENGINE_LOG"
  say "Removed. All that was made is in the clone; ./start.sh makes a new container of the same image."
}

container_build() {
  prepare_folders
  use_wanted_service
  take_lock
  build_image || exit 1
  release_lock
  say "The image $IMAGE is ready; a container that runs takes it over after './start.sh down'."
}

# ---- the image as a file -------------------------------------------------------------------------

drop_part() { [ -z "$PART" ] || rm -f "$PART"; }

need_file_name() { # verb, words after it
  [ $# -eq 2 ] || misused "'$1' needs one file name, for example: ./start.sh $1 workshop.tar.gz"
}

need_tool() { # tool, file
  command -v "$1" >/dev/null 2>&1 || misused "'$2' needs the program $1, which is not here: install it, or use .tar.gz."
}

pack() { # file
  case "$1" in *.tar) cat ;; *.zst) zstd -q -T0 -c ;; *) gzip -1 -c ;; esac
}

# Written to a temporary file and renamed: a file with the final name is always complete.
container_save() { # file
  need_file_name save "$@"
  local file="$1" folder
  use_wanted_service
  if [ -d "$file" ]; then file="${file%/}/ml4music-${IMAGE#*:}.tar.gz"; fi
  folder="$(dirname "$file")"
  [ -d "$folder" ] && [ -w "$folder" ] || fail "Cannot write in '$folder': name a file in a folder that is there."
  case "$file" in *.zst) need_tool zstd "$file" ;; *.tar) ;; *) need_tool gzip "$file" ;; esac
  prepare_folders
  with_lock provide_image
  PART="$file.part$$"
  trap drop_part EXIT
  trap 'exit 130' INT TERM
  say "Writing the image $IMAGE to '$file' (about 0.7 GB, or 1.9 GB as .tar; some minutes) ..."
  { "$ENGINE" save "$IMAGE" | pack "$file" >"$PART"; } 2>"$ENGINE_LOG" || explain_save "$file"
  mv -f "$PART" "$file"
  rm -f "$ENGINE_LOG"
  PART=""
  say "Done. On another computer, in a copy of this folder: ./start.sh load FILE"
}

explain_save() { # file
  if engine_log_says 'no space left|file too large'; then
    fail "'$1' does not fit on its disk: make room there, or use a stick with more (formatted as exFAT, not FAT32)."
  fi
  tail -n 3 "$ENGINE_LOG" >&2 || true
  fail "'$1' could not be written: the lines above say why."
}

unpack() { # file
  case "$(od -An -tx1 -N4 <"$1" | tr -d ' \n')" in
    1f8b*) gzip -dc <"$1" ;;
    28b52ffd) need_tool zstd "$1" && zstd -q -dc <"$1" ;;
    *) cat <"$1" ;;
  esac
}

container_load() { # file
  need_file_name load "$@"
  local said
  [ -f "$1" ] && [ -r "$1" ] ||
    fail "There is no file '$1' that can be read: give the one that './start.sh save' wrote."
  mkdir -p "$STATE" 2>/dev/null || fail_for_folder
  say "Reading the image from '$1' (some minutes) ..."
  said="$({ unpack "$1" | "$ENGINE" load; } 2>"$ENGINE_LOG")" || explain_load "$1"
  case "$said" in
    *ml4music-workshop:gpu*) use_service workshop-gpu ;;
    *ml4music-workshop:cpu*) use_service workshop ;;
    *) fail "'$1' holds no image of the workshop (${said:-nothing}): give the file that './start.sh save' wrote." ;;
  esac
  rm -f "$ENGINE_LOG"
  check_loaded "$1"
}

explain_load() { # file
  if engine_log_says 'no space left on device'; then
    fail "'$1' does not fit on the engine's disk: make about 5 GB free ('$ENGINE system prune' removes what nothing" \
      "uses) and run this again."
  fi
  fail "'$1' is damaged or holds no image ($(tail -n 1 "$ENGINE_LOG")): give the file that './start.sh save' wrote."
}

check_loaded() { # file
  local made_for here
  made_for="$(inspect '{{.Architecture}}' "$IMAGE")"
  here="$("$ENGINE" version --format '{{.Server.Arch}}' 2>/dev/null || echo "$made_for")"
  if [ "$made_for" != "$here" ]; then
    say "'$1' was made on a computer of another kind ($made_for, and this is $here), where TensorFlow does not run:" \
      "take a file that was saved on a computer like this one."
  elif [ "$(image_recipe)" != "$WORKSHOP_RECIPE" ]; then
    say "The image $IMAGE is loaded. It was made by another version of the workshop, so the next start tries to build" \
      "the right one, and uses this where that is not possible."
  else
    say "The image $IMAGE is loaded: ./start.sh uses it, without a network."
  fi
}

container_play() { container_address play; }
container_lab() { container_address lab; }
container_docs() { container_address docs; }
