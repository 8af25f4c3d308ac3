# shellcheck shell=bash disable=SC2034,SC2153
# The container: what is there, started, and waited for.
# Its variables are those of docker/host.sh, which reads this file.

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

# ---- the GPU -------------------------------------------------------------------------------------

check_gpu() {
  need_card
  engine_says 'runtimes:.*nvidia|nvidia\.com/gpu' ||
    misused "--gpu finds the NVIDIA card, but $ENGINE cannot hand it to containers: install NVIDIA's Container" \
      "Toolkit, type 'sudo nvidia-ctk runtime configure --runtime=$ENGINE', restart $ENGINE, or leave out --gpu."
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
