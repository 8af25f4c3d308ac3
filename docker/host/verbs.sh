# shellcheck shell=bash disable=SC2034,SC2153
# The verbs of start.sh, in the container.
# Its variables are those of docker/host.sh, which reads this file.

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

container_play() { container_address play; }
container_lab() { container_address lab; }
container_docs() { container_address docs; }
