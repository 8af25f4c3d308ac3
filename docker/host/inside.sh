# shellcheck shell=bash disable=SC2034,SC2153
# A command inside the container, with its signals, and with a folder from outside of the clone.
# Its variables are those of docker/host.sh, which reads this file.

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
