#!/usr/bin/env bash
# The entry point of the workshop: it sets everything up on first use, then runs the given verb.
# `./start.sh --help` lists the verbs.
#
# Written for bash 3.2, the bash of macOS, and for tools that macOS and Linux share.
# shellcheck disable=SC2329 # the verbs' functions are called by their names
set -euo pipefail
unset CDPATH PYTHONHOME

HERE="$(pwd -P)"
SELF="${BASH_SOURCE[0]}"
# It may be called by a link to it, and not every Mac can follow links by itself.
while [ -L "$SELF" ]; do
  cd "$(dirname "$SELF")"
  SELF="$(readlink "${SELF##*/}")"
done
ROOT="$(cd "$(dirname "$SELF")" && pwd -P)"
cd "$HERE"
STATE="$ROOT/.workshop"          # state of this script and of workshop.services: locks, logs, process ids, the token
LOG="$STATE/install.log"
LOCK="$STATE/setup.lock"
MODE=""                          # local, container, or inside: this is the container, and start.sh was called in it
VENV="${WORKSHOP_VENV:-$ROOT/.venv}"
if [ "${WORKSHOP_IN_CONTAINER:-}" = 1 ]; then VENV="$VIRTUAL_ENV" LOCK="$STATE/inside.lock"; fi
case "$VENV" in /*) ;; *) VENV="$PWD/$VENV" ;; esac
STEPS="$VENV/workshop-setup"     # one small file for each finished step: an interrupted set-up continues there
PYTHON=""                        # the Python that the environment is made with, once find_python has found it
PIP_LOCK=""                      # what pip installs, while it does
PIP_FOLDER="$STATE/pip"          # where pip keeps what it fetches until it is installed
LOCKED=no
GPU=no
SAID_LOCAL=""                    # ' --local' if that was typed: printed commands that begin with start.sh repeat it
WANT_ROOT=no
DEMO_TRAIN=(--init_from verse --max_minutes 1 --message demo)
DEMO_SAMPLE=(--length 150)
DEMO_PLAY=(--experiment_dir tunes --num_samples 1 --wav)
DEMO_DRUM=(--experiment_dir loops --walk 4)
VERBS="demo, play, live, osc, freeze, player, sweep, test, run, lab, docs, doctor, logs, trainings, class, stop, down, build, save, load"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
misused() { say "$*"; exit 2; }
fail_for_folder() {
  fail "Cannot write in '$ROOT': copy the workshop to a folder of your own, for example in your home," \
    "and start it there."
}

show_help() {
  cat <<'HELP'
usage: ./start.sh [--local] [--gpu] [--root] [VERB]

The first use sets everything up (some minutes, about 2.5 GB); after that it starts at once. Where a Docker engine
answers, everything runs in a container; otherwise on this computer itself. Your files lie in this folder either way.

  ./start.sh               a shell in the ready environment, with TensorBoard running
  ./start.sh demo          let networks that come trained write and play, let one learn from the starter songs for a
                           minute, and say where to look
  ./start.sh play          the page on which trained networks are played: its address, or the server itself until Ctrl-C
  ./start.sh live NAME     let up to three trained networks, by name or folder, hear a microphone and answer, live, on a
                           page in the browser until Ctrl-C; with --help behind it, what else there is
  ./start.sh osc [NAME]    let other programs ask a trained network for music by Open Sound Control, until Ctrl-C; with
                           --help behind it, what else there is
  ./start.sh freeze NAME   make an application of a trained network of loops, for computers without Python; with --help
                           behind it, what else there is
  ./start.sh player NAME   export trained networks, and play them in a small image of their own, without TensorFlow: a
                           page for each, and OSC, until Ctrl-C
  ./start.sh sweep PLAN    train a lesson many times with other arguments, on all cores or on a cluster, by Ray; with
                           --help behind it, what else there is
  ./start.sh test          run the tests; what follows is passed to pytest
  ./start.sh run COMMAND   run one command in the ready environment, from the folder you are in
  ./start.sh lab           JupyterLab: its address in the container's mode, or the server itself until Ctrl-C
  ./start.sh docs          the tutorial in a browser: its address in the container's mode, or the server itself
  ./start.sh doctor        check this computer, and say in plain words what is wrong and what to do
  ./start.sh logs          the last log lines of all servers
  ./start.sh trainings     show the running trainings; 'trainings stop NAME' lets one save and end
  ./start.sh class         a class on this server: a container for each student, behind one address; 'class stop' ends it,
                           'class passwords' makes new ones
  ./start.sh stop          stop all of these, and the container; a training in it saves first

  ./start.sh down          stop and remove the container; nothing is lost: all that you make is in this folder
  ./start.sh build         build the container's image now; otherwise it is built when it is needed
  ./start.sh save FILE     write the image to a file (.tar.gz, .tar.zst, .tar), for computers without a network
  ./start.sh load FILE     load the image from such a file

  --local    without the container
  --gpu      with NVIDIA's libraries (a bigger download); an environment without a container keeps them from then on
  --root     a shell, or run, as root in the container
  --help     this page

What can be set in the environment of the command:
  WORKSHOP_MODE            container or local; by default it is chosen automatically
  WORKSHOP_MEMORY          memory limit of the container, for example 4g
  WORKSHOP_PYTHON          the Python (3.11, 3.12 or 3.13) to use
  WORKSHOP_VENV            where the environment is kept (default: .venv in this folder)
  WORKSHOP_PORT_CHAR_RNN   port of the first lesson's TensorBoard (default 7006), and so on for the other lessons
  WORKSHOP_PORT_LAB        port of JupyterLab (default 8888)
  WORKSHOP_PORT_PLAY       port of the page (default 7005)
  WORKSHOP_PORT_LIVE       port of the live room's page (default 7004)
  WORKSHOP_PORT_DOCS       port of the tutorial (default 7000, or another one where that is in use)
  WORKSHOP_PORT_PLAYER     port of the player's pages (default 7002)
  WORKSHOP_PORT_OSC        UDP port of OSC (default 10102)
  WORKSHOP_ANSWER_TO       port of this computer that answers of OSC go to (default 10101)
  WORKSHOP_PORT_CLASS      port of the class's server (default 8000)
  WORKSHOP_BIND            address to listen on (default 127.0.0.1: this computer alone)
HELP
}

# ---- where it runs: on this computer itself, or in the container ---------------------------------

# shellcheck source=docker/progress.sh
. "$ROOT/docker/progress.sh"
# shellcheck source=docker/host.sh
. "$ROOT/docker/host.sh"
# shellcheck source=docker/class.sh
. "$ROOT/docker/class.sh"
# shellcheck source=docker/player.sh
. "$ROOT/docker/player.sh"

is_about_the_image() { case "$1" in player | class | down | build | save | load) return 0 ;; *) return 1 ;; esac; }

# Choose the mode, and print it in one line unless the caller has set it.
choose_mode() { # verb, want_local
  case "${WORKSHOP_MODE:-}" in
    "" | local | container) ;;
    *) misused "WORKSHOP_MODE is '$WORKSHOP_MODE': give 'container' or 'local', or leave it out." ;;
  esac
  if [ "${WORKSHOP_IN_CONTAINER:-}" = 1 ]; then
    MODE=inside
  elif [ "$2" = yes ] || [ "${WORKSHOP_MODE:-}" = local ]; then
    MODE=local
  elif find_engine; then
    MODE=container
    [ -n "${WORKSHOP_MODE:-}" ] ||
      say "Container mode: $ENGINE answers, so everything runs in its container (--local runs without it)."
  elif [ "${WORKSHOP_MODE:-}" = container ] || is_about_the_image "$1"; then
    fail_for_engine
  else
    MODE=local
    say_why_local
  fi
}

# A student of a class has no other place to type it.
refuse_inside() { # verb
  case "${JUPYTERHUB_SERVICE_PREFIX:+class}:$1" in
    class:play | class:lab | class:docs)
      misused "In a class that runs already: JupyterLab's launcher (the + above its files) opens the page to play," \
        "the tutorial and TensorBoard." ;;
    class:sweep) misused "In a class there is no Ray: type 'python -m workshop.sweep' in place of './start.sh sweep'." ;;
    class:*) misused "'$1' is for a computer of your own; in a class the teacher looks after the server." ;;
    *) misused "This is inside the container: leave it with 'exit', and type './start.sh $1' there." ;;
  esac
}

refuse_what_does_not_fit() { # verb, its first word
  case "$MODE:$1:${2:-}" in
    container:live:play | container:live:check | container:live:devices | inside:live:play | inside:live:check | \
      inside:live:devices)
      misused "'$2' is about this computer's own sound devices, which a container does not have: './start.sh live" \
        "NAME' plays in the browser, and './start.sh --local live $2' without the container." ;;
  esac
  case "$MODE:$1" in
    local:class) misused "A class's server runs students in containers, and local mode has none." ;;
    local:player | local:build | local:save | local:load) misused "'$1' is about the container, and local mode has none." ;;
    inside:play | inside:osc | inside:freeze | inside:player | inside:sweep | inside:lab | inside:docs | inside:class | inside:stop | inside:down | inside:build | inside:save | inside:load)
      refuse_inside "$1" ;;
  esac
  if [ "$WANT_ROOT" = yes ]; then
    case "$MODE:$1" in
      container:shell | container:run) ;;
      container:*) misused "--root is for a shell and for 'run'." ;;
      *) say "--root makes no difference here: everything runs as you." ;;
    esac
  fi
}

# ---- which Python --------------------------------------------------------------------------------

# Printed in words that `read` splits: the version, whether TensorFlow has packages for such a build, and whether it can
# make environments.
PROBE='
import sys
try:
    import ensurepip, venv
    part = "venv"
except ImportError:
    part = "bare"
common = sys.maxsize > 2**32 and "t" not in getattr(sys, "abiflags", "")
print("%d %d %d %s %s" % (sys.version_info[:3] + ("common" if common else "special", part)))
'
FOUND=""      # unsuitable Pythons that were met, for the message
BARE=""       # a suitable one that cannot make environments

# Take the candidate as PYTHON if it is suitable. It is executed, because a name on the PATH proves nothing: pyenv has
# shims for versions that do not run.
consider() { # path
  local major="" minor="" patch="" build="" part=""
  [ -x "$1" ] || return 1
  case "$1" in "$VENV"/*) return 1 ;; esac
  # Without Apple's command line tools this one only opens a window that offers them.
  if [ "$1" = /usr/bin/python3 ] && [ "$(uname -s)" = Darwin ] && ! xcode-select -p >/dev/null 2>&1; then return 1; fi
  read -r major minor patch build part <<<"$("$1" -E -c "$PROBE" 2>/dev/null </dev/null || true)"
  [ -n "$part" ] || return 1
  local version="$major.$minor.$patch"
  if [ "$major" != 3 ] || [ "$minor" -lt 11 ] || [ "$minor" -gt 13 ] || [ "$build" = special ]; then
    [ "$build" = common ] || version="$version in a 32-bit or free-threaded build"
    case "$FOUND, " in *"$version ("*) ;; *) FOUND="$FOUND${FOUND:+, }$version ($1)" ;; esac
    return 1
  fi
  if [ "$part" = bare ]; then
    BARE="${BARE:-$major.$minor}"
    return 1
  fi
  PYTHON="$1"
}

find_python() {
  local name candidate
  if [ -n "${WORKSHOP_PYTHON:-}" ]; then
    candidate="$(command -v -- "$WORKSHOP_PYTHON" || true)"
    if [ -n "$candidate" ] && consider "$candidate"; then return; fi
    [ -n "$FOUND$BARE" ] || fail "WORKSHOP_PYTHON is '$WORKSHOP_PYTHON', which is not a Python that runs:" \
      "give the path of a Python 3.11, 3.12 or 3.13."
    python_missing
  fi
  for name in python3 python3.12 python3.13 python3.11 python; do
    while IFS= read -r candidate; do
      if consider "$candidate"; then return; fi
    done <<<"$(type -aP "$name" || true)"
  done
  for candidate in "${PYENV_ROOT:-${HOME:-}/.pyenv}"/versions/3.1[123].*/bin/python \
    /opt/homebrew/bin/python3.1[123] /usr/local/bin/python3.1[123] \
    /Library/Frameworks/Python.framework/Versions/3.1[123]/bin/python3; do
    if consider "$candidate"; then return; fi
  done
  python_missing
}

python_missing() {
  local how="from https://www.python.org/downloads/ or with your system's packages"
  if [ -n "$BARE" ]; then
    fail "Python $BARE is here, but without the part that makes environments: install that part" \
      "(on Debian and Ubuntu: sudo apt install python$BARE-venv) and run this again."
  fi
  if [ "$(uname -s)" = Darwin ]; then
    how="from https://www.python.org/downloads/ or with 'brew install python@3.12'"
  fi
  fail "The workshop needs Python 3.11, 3.12 or 3.13 and found ${FOUND:-none}: install one $how and run this again" \
    "(WORKSHOP_PYTHON=/path/to/python names one that lies elsewhere)."
}

# ---- the set-up: each step is done once, and again when what it was made from has changed --------

checksum() { cat "$@" | cksum | tr ' ' '-'; }
is_done() { [ -f "$STEPS/$1" ] && [ "$(cat "$STEPS/$1")" = "$2" ]; }
mark_done() { printf '%s\n' "$2" >"$STEPS/$1"; }

# A moved folder, another Python or other libraries invalidate the environment: its scripts contain its path, and both
# kinds of TensorFlow are installed to the same place.
environment_stands() { # kind
  [ -x "$VENV/bin/python" ] && is_done made "$ROOT" && is_done kind "$1" &&
    is_done python "${WORKSHOP_PYTHON:-$(cat "$STEPS/python")}"
}

# An environment with NVIDIA's libraries works without --gpu as well, so it is kept.
wanted_kind() {
  if [ "$GPU" = yes ] || { [ -x "$VENV/bin/python" ] && is_done kind gpu; }; then echo gpu; else echo cpu; fi
}

make_environment() { # kind
  find_python
  if [ -n "$(ls -A "$VENV" 2>/dev/null)" ]; then
    [ -f "$STEPS/owner" ] || fail "'$VENV' is there already and was not made by start.sh:" \
      "move it away, or set WORKSHOP_VENV to another folder."
    say "The environment in '$VENV' does not fit (moved, half made, or of another kind), so it is made again."
    # The folder of steps is removed last, so that this can be interrupted too.
    rm -f "$STEPS/made"
    find "$VENV" -mindepth 1 -maxdepth 1 ! -name workshop-setup -exec rm -rf {} +
    rm -f "$STEPS/packages" "$STEPS/project" "$STEPS/dev" "$STEPS/docs" "$STEPS/live" "$STEPS/freeze" "$STEPS/sweep"
  fi
  mkdir -p "$STEPS" 2>/dev/null || fail "Cannot write in '$VENV': set WORKSHOP_VENV to a folder of your own."
  mark_done owner "made by start.sh; it may be removed at any time"
  say "The environment lies in '$VENV', made with $PYTHON."
  with_progress "Making the environment" no_measure "$LOG" "$PYTHON" -m venv "$VENV" ||
    explain_failure "Making the environment"
  mark_done kind "$1"
  mark_done python "${WORKSHOP_PYTHON:-$PYTHON}"
  mark_done made "$ROOT"
}

# The lock, if one is given, is what is counted. What pip fetches lies in a folder that can be measured.
install_packages() { # what, lock or nothing, pip's arguments
  local what="$1"
  PIP_LOCK="$2"
  shift 2
  rm -rf "$PIP_FOLDER"
  { mkdir -p "$PIP_FOLDER" && : >"$PIP_FOLDER/begun"; } || fail_for_folder
  : >"$LOG"
  TMPDIR="$PIP_FOLDER" PYTHONUNBUFFERED=1 PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_PROGRESS_BAR=off \
    with_progress "$what" pip_progress "$LOG" "$VENV/bin/python" -m pip install "$@" || explain_failure "$what"
  rm -rf "$PIP_FOLDER"
}

NO_NETWORK='connection broken|connection refused|max retries|timed out|name resolution|name or service not known|'
NO_NETWORK="$NO_NETWORK"'nodename nor servname|unreachable|proxyerror|reset by peer'

# Only errors and the end of the output matter.
log_says() { { grep -E 'ERROR|WARNING' "$LOG"; tail -n 30 "$LOG"; } 2>/dev/null | grep -i -E "$1" >/dev/null; }

has_less_room_than() { # megabytes
  local free_kib
  free_kib="$(df -Pk "${VENV%/*}/" 2>/dev/null | awk 'NR == 2 { print $4 }')"
  [ -n "$free_kib" ] && [ "$free_kib" -lt $(($1 * 1000)) ]
}

explain_failure() { # what
  local again="and run the same command again; it goes on from here"
  rm -rf "$PIP_FOLDER"    # on a full disk, the room is needed
  # Making an environment on a full disk fails without naming the reason, so the disk is asked as well.
  if log_says 'no space left|disk quota exceeded' || has_less_room_than 5; then
    fail "$1 failed because the disk is full: make about 4 GB free for '$VENV' $again."
  elif log_says 'do not match the hashes'; then
    fail "$1 failed because a package is not the file that the lock names, as when a proxy or a mirror changes what" \
      "it hands on: use another network $again (details: $LOG)."
  elif log_says 'certificate[ _]verify[ _]failed'; then
    fail "$1 failed because the network replaces certificates: name its certificate file in PIP_CERT $again" \
      "(details: $LOG)."
  elif log_says "$NO_NETWORK"; then
    fail "$1 failed because the package registry cannot be reached: check the network connection or proxy $again" \
      "(details: $LOG)."
  elif log_says 'read-only file system|permission denied'; then
    fail "$1 failed because '$VENV' cannot be written: set WORKSHOP_VENV to a folder of your own $again" \
      "(details: $LOG)."
  elif log_says 'no matching distribution found'; then
    fail "$1 failed because the registry that pip is set up with has no package that fits this computer" \
      "($(uname -s) $(uname -m); details: $LOG): TensorFlow has none for Macs with Intel processors or under" \
      "Rosetta, nor for Alpine Linux; elsewhere look at pip's settings ('pip config list') $again."
  fi
  tail -n 5 "$LOG" >&2 2>/dev/null || true
  fail "$1 failed: the lines above and $LOG say why; put it right $again (if it stays so, remove '$VENV' first)."
}

runs_start_sh() { ps -p "$1" -o command= 2>/dev/null | grep -q 'start\.sh'; } # process id

# The holder of the lock, in words. In the container it is mostly the container's first start.
what_holds_the_lock() { # process id
  case "$MODE" in
    inside) echo "The container is new and makes the starter tunes and sounds" ;;
    container) echo "Another terminal (process $1) is building or starting the container" ;;
    *) echo "Another terminal (process $1) is setting things up" ;;
  esac
}

# Two set-ups at the same time would break each other: the second one waits. A stale lock is taken over.
take_lock() {
  local owner="" nameless=0 told=no
  trap release_lock EXIT
  trap 'end_command; say "Stopped; the next start goes on from here."; exit 130' INT TERM HUP
  until mkdir "$LOCK" 2>/dev/null; do
    owner="$(cat "$LOCK/pid" 2>/dev/null || true)"
    if [ -z "$owner" ]; then
      nameless=$((nameless + 1))
      [ "$nameless" -lt 5 ] || rm -rf "$LOCK"
      [ "$nameless" -lt 10 ] || fail "Cannot write in '$STATE': look whether the disk is full, and run this again."
    elif ! runs_start_sh "$owner"; then
      rm -rf "$LOCK"
      continue
    elif [ "$told" = no ]; then
      begin_progress "$(what_holds_the_lock "$owner"); waiting"
      told=yes
    else
      report_progress "Waiting until that is done"
    fi
    sleep 1
  done
  if [ "$told" = yes ]; then end_progress "Waiting until that is done" "done"; fi
  LOCKED=yes
  echo "$$" >"$LOCK/pid"
}

release_lock() {
  [ "$LOCKED" = no ] || rm -rf "$LOCK"
  LOCKED=no
  trap - EXIT INT TERM HUP
}

with_lock() { # command
  take_lock
  "$@"
  release_lock
}

# The starter tunes and sounds are made again when the code that makes them has changed. They are in the clone, and so
# is the note that they are made.
tunes_makers() {
  (cd "$ROOT/workshop" && checksum datasets/corpus.py datasets/tunes.py datasets/midi_tunes.py datasets/starter_sounds.py \
    notes/abc_text.py notes/abc_fields.py notes/abc_notation.py notes/abc_repeats.py audio/drums.py)
}

tunes_are_made() { [ "$(cat "$STATE/tunes" 2>/dev/null)" = "$(tunes_makers)" ]; }

in_root() { cd "$ROOT" && "$@"; }

make_tunes() {
  local makers log="$STATE/tunes.log"
  makers="$(tunes_makers)"
  : >"$log"
  if with_progress "Making the starter tunes and sounds" no_measure "$log" in_root "$VENV/bin/python" -m workshop.tunes
  then
    echo "$makers" >"$STATE/tunes"
    rm -f "$log"
  else
    tail -n 3 "$log" >&2 || true
    say "The starter tunes and sounds could not all be made, and everything else works; it is tried again next time."
  fi
}

is_ready() { # kind extra
  environment_stands "$1" && is_done packages "$1-$(checksum "$ROOT/requirements/$1.txt")" &&
    is_done project "$(checksum "$ROOT/pyproject.toml")" && tunes_are_made &&
    { [ "$2" = none ] || is_done "$2" "$(checksum "$ROOT/requirements/$2.txt")"; }
}

warn_of_little_room() {
  if has_less_room_than 4000; then
    say "Less than 4 GB of disk are free for '$VENV', which takes about 2.5 GB, and more while it is made:" \
      "if it fails, make room and run this again."
  fi
}

# Packages for some verbs only have a separate lock file: dev for the tests, docs for the tutorial's site.
name_of_extra() { # extra
  case "$1" in
    dev) echo "what the tests need" ;;
    docs) echo "what makes the tutorial" ;;
    live) echo "what OSC and the live room need" ;;
    freeze) echo "what makes an application" ;;
    sweep) echo "what many trainings need" ;;
  esac
}

# Removed first: a half-changed environment must not be taken for the old one.
install_step() { # step, what it is made from, in words, lock or nothing, pip's arguments
  if is_done "$1" "$2"; then return; fi
  rm -f "$STEPS/$1"
  install_packages "$3" "$4" "${@:5}"
  mark_done "$1" "$2"
}

install_lock() { # step, what it is made from, in words, lock
  install_step "$@" --require-hashes -r "$4"
}

install_everything() { # kind extra
  local lock="$ROOT/requirements/$1.txt" further="$ROOT/requirements/$2.txt"
  if ! environment_stands "$1"; then
    warn_of_little_room
    make_environment "$1"
  fi
  install_lock packages "$1-$(checksum "$lock")" "Installing the packages" "$lock"
  install_step project "$(checksum "$ROOT/pyproject.toml")" "Installing the workshop itself" "" \
    --quiet --no-deps --no-build-isolation -e "$ROOT"
  tunes_are_made || make_tunes
  if [ "$2" != none ]; then
    install_lock "$2" "$(checksum "$further")" "Installing $(name_of_extra "$2")" "$further"
  fi
}

# The image brings the packages; what belongs into the clone is made from inside.
set_up_inside() {
  if tunes_are_made; then return; fi
  mkdir -p "$STATE"
  take_lock
  tunes_are_made || make_tunes
  release_lock
}

need_card() {
  nvidia-smi -L >/dev/null 2>&1 ||
    misused "--gpu needs an NVIDIA card with its driver, and 'nvidia-smi' finds none here:" \
      "install the driver, or leave out --gpu."
}

set_up() { # extra
  local kind
  if [ "$MODE" = inside ]; then set_up_inside; return; fi
  kind="$(wanted_kind)"
  if is_ready "$kind" "$1"; then return; fi
  if [ "$GPU" = yes ]; then need_card; fi
  if ! mkdir -p "$STATE" 2>/dev/null || [ ! -w "$STATE" ] || [ ! -w "$ROOT" ]; then
    fail_for_folder
  fi
  take_lock
  : >"$LOG"
  install_everything "$kind" "$1"
  rm -f "$LOG"    # of use after a failure alone
  release_lock
  say "Everything is set up."
}

# ---- the verbs -----------------------------------------------------------------------------------

# How to call start.sh from here: with bash if it is not executable, as after unpacking a ZIP file.
how_called() { # path of start.sh, as typed on the command line
  if [ -x "$1" ]; then printf '%q' "$1"; else printf 'bash %q' "$1"; fi
}

# The prefix of commands that a script prints when it was called by `start.sh run`: outside, the packages are missing.
tell_prefix() { # path of start.sh, as typed on the command line
  export WORKSHOP_PREFIX="${WORKSHOP_PREFIX:-$(how_called "$1")$SAID_LOCAL run }"
}

enter_environment() {
  export VIRTUAL_ENV="$VENV" PATH="$VENV/bin:$PATH" WORKSHOP_ROOT="$ROOT"
  export PYTHONUNBUFFERED=1
}

services() { (cd "$ROOT" && "$VENV/bin/python" -m workshop.services "$@"); }

# In the container the servers run before anybody enters.
start_services() { [ "$MODE" = inside ] || services start || true; }

verb_shell() {
  unset WORKSHOP_PREFIX
  local place="environment. 'exit' leaves it; TensorBoard goes on"
  set_up none
  enter_environment
  start_services
  if [ "$MODE" = inside ]; then
    place="container. 'exit' leaves it; the servers go on"
  else
    cd "$ROOT"
  fi
  if [ ! -t 0 ]; then exec bash; fi
  # Activated after your own settings, which may put other Pythons first.
  mkdir -p "$STATE"
  cat >"$STATE/bashrc" <<'RC'
if [ -f ~/.bashrc ]; then . ~/.bashrc; fi
PATH="$VIRTUAL_ENV/bin:$PATH"
case "${PS1:-}" in "(workshop)"*) ;; *) PS1="(workshop) ${PS1:-\w \$ }" ;; esac
hash -r
RC
  say "This is a shell in the workshop's $place until './start.sh$SAID_LOCAL stop'."
  BASH_SILENCE_DEPRECATION_WARNING=1 exec bash --rcfile "$STATE/bashrc" -i
}

demo_says() { # what happens next, script and arguments that do it
  local what="$1" script="$2"
  shift 2
  say ""
  say "$what: ${WORKSHOP_PREFIX}python $script$(printf ' %q' "$@")"
}

verb_demo() {
  set_up none
  enter_environment
  start_services
  local newest="" folder
  cd "$ROOT"
  tell_prefix ./start.sh
  if [ "${WORKSHOP_DEMO_SMOKE:-0}" = 1 ]; then DEMO_TRAIN=(--smoke); fi
  demo_says "A network that has read tunes plays one" midi_rnn/sample.py "${DEMO_PLAY[@]}"
  python midi_rnn/sample.py "${DEMO_PLAY[@]}"
  demo_says "A network that has heard drums plays four bars" spectral_gan/sample.py "${DEMO_DRUM[@]}"
  python spectral_gan/sample.py "${DEMO_DRUM[@]}"
  demo_says "A network that has read songs and poems writes" \
    char_rnn/sample.py --experiment_dir verse "${DEMO_SAMPLE[@]}"
  python char_rnn/sample.py --experiment_dir verse "${DEMO_SAMPLE[@]}" --no_copy_check
  demo_says "It learns from the starter songs" char_rnn/train.py "${DEMO_TRAIN[@]}"
  if [ -t 2 ]; then
    python char_rnn/train.py "${DEMO_TRAIN[@]}"
  else
    python char_rnn/train.py "${DEMO_TRAIN[@]}" 2>&1 | thin_out
  fi
  for folder in char_rnn/experiments/*/; do
    if [ -z "$newest" ] || [ "$folder" -nt "$newest" ]; then newest="$folder"; fi
  done
  newest="${newest%/}"
  mkdir -p "$newest/samples"
  demo_says "It writes again" char_rnn/sample.py "${DEMO_SAMPLE[@]}"
  python char_rnn/sample.py --experiment_dir "$newest" "${DEMO_SAMPLE[@]}" | tee "$newest/samples/demo.txt"
  local board="http://localhost:${WORKSHOP_PORT_CHAR_RNN:-7006} (TensorBoard, until ${WORKSHOP_PREFIX% run } stop)"
  local page="${WORKSHOP_PREFIX% run } play shows a page for the browser, with all networks that there are"
  if [ -n "${JUPYTERHUB_SERVICE_PREFIX:-}" ]; then
    board="TensorBoard for char_rnn in JupyterLab's launcher, the + above its files"
    page="Play in the launcher, with all networks that there are"
  fi
  cat <<NEXT

That was the demo.
  what they played data/generated/tunes and data/generated/loops: open a .wav file and listen
  what one wrote   $newest/samples/demo.txt
  how it learned   $board
  play with it     $page
Next: type ${WORKSHOP_PREFIX% run } for a shell, and in it
  cd char_rnn
  python sample.py --temperature 0.5              # a more careful writer
  python train.py --resume --max_minutes 5        # train the same network further
  python train.py --data_dir ../data/lyrics/tunes # learn traditional tunes; or name a folder of your own texts
NEXT
}

verb_test() {
  set_up dev
  enter_environment
  cd "$ROOT"
  # The folder of a clone may be closed to the container's user.
  if [ "$MODE" = inside ]; then
    export HYPOTHESIS_STORAGE_DIRECTORY="$STATE/hypothesis" PYTEST_ADDOPTS="-o cache_dir=$STATE/pytest_cache"
  fi
  # All of the default tests run in two processes; tests or markers that are named are passed on.
  if [ $# -eq 0 ]; then set -- -n 2 --dist loadfile; fi
  exec python -m pytest "$@"
}

need_command() {
  [ $# -gt 0 ] || misused "'run' needs a command, for example: ./start.sh run python char_rnn/train.py --help"
}

verb_run() {
  need_command "$@"
  set_up none
  enter_environment
  tell_prefix "$0"
  if ! type -P -- "$1" >/dev/null; then
    say "There is no command '$1' in the environment or on your PATH."
    exit 127
  fi
  exec "$@"
}

serve() { # server, the extra that it needs
  set_up "$2"
  enter_environment
  cd "$ROOT"
  exec python -m workshop.services "$1"
}

verb_lab() { serve lab none; }
verb_play() { serve play none; }
verb_docs() { serve docs docs; }

exec_module() { # extra that it needs, module, arguments
  set_up "$1"
  enter_environment
  tell_prefix "$0"
  exec python -m "${@:2}"
}

# A browser's microphone and loudspeaker are everywhere, so the page is what is meant unless another way is named.
verb_live() {
  local way=page
  case "${1:-}" in page | play | check | devices | file | bench | -*) way="" ;; esac
  exec_module live live ${way:+"$way"} "$@"
}

verb_osc() {
  if [ -n "${WORKSHOP_ANSWER_TO:-}" ]; then set -- --answer_to "$WORKSHOP_ANSWER_TO" "$@"; fi
  exec_module live workshop.osc "$@"
}

verb_freeze() { exec_module freeze workshop.freeze "$@"; }
verb_sweep() { # its plan, and options
  [ $# -gt 0 ] || misused "'sweep' needs a plan, for example: ./start.sh sweep docs/plans/dropout.toml"
  exec_module sweep workshop.sweep --engine ray "$@"
}

# These install nothing, and run on any suitable Python.
run_module() { # module, arguments
  if [ -x "$VENV/bin/python" ]; then PYTHON="$VENV/bin/python"; else find_python; fi
  cd "$ROOT"
  exec "$PYTHON" -m "$@"
}

verb_doctor() { run_module workshop.doctor "$@"; }
verb_trainings() { run_module workshop.trainings "$@"; }

verb_logs() {
  local name found=no
  for name in $SERVERS; do
    if [ -f "$STATE/$name.log" ]; then
      found=yes
      printf '==== %s\n' "$STATE/$name.log"
      tail -n 30 "$STATE/$name.log"
    fi
  done
  [ "$found" = yes ] || say "No server of the workshop has run yet, so there are no logs."
}

verb_stop() {
  if [ -x "$VENV/bin/python" ]; then services stop; else say "Nothing is set up yet, so nothing runs."; fi
}

verb_down() { verb_stop; }

# Unpacked from a ZIP file, scripts may have lost their execute bits; the pages and messages say ./start.sh.
restore_execute_bits() {
  local script
  for script in start.sh .ci/run docker/engine_for_tests.sh requirements/compile.sh tests/docs/small/python; do
    if [ -f "$ROOT/$script" ] && [ ! -x "$ROOT/$script" ]; then chmod +x "$ROOT/$script" 2>/dev/null || true; fi
  done
}

main() {
  local verb="" want_local=no
  restore_execute_bits
  while [ $# -gt 0 ]; do
    case "$1" in
      --local) want_local=yes SAID_LOCAL=" --local" ;;
      --gpu) GPU=yes ;;
      --root) WANT_ROOT=yes ;;
      --help | -h | help) show_help; exit 0 ;;
      -*) misused "There is no option '$1'; the options are --local, --gpu, --root and --help, before the verb." ;;
      *)
        [ -z "$verb" ] || misused "'$verb' takes nothing after it, and '$1' was given."
        verb="$1"
        # What follows these is theirs, options included.
        case "$verb" in run | live | osc | freeze | player | sweep | test | doctor | trainings | class | save | load) shift; break ;; esac
        ;;
    esac
    shift
  done
  verb="${verb:-shell}"
  case "$verb" in
    shell | demo | play | live | osc | freeze | player | sweep | test | run | lab | docs | doctor | logs | trainings | class | stop | down | build | save | load) ;;
    *) misused "There is no verb '$verb'; the verbs are $VERBS, or none for a shell (./start.sh --help says more)." ;;
  esac
  case "$(uname -s)" in
    MINGW* | MSYS* | CYGWIN*) fail "On Windows type .\\start.ps1 in PowerShell, or start this inside WSL." ;;
  esac
  # An application is for the system that it is made on, and a container's is not this computer's; the image has no Ray.
  case "$verb" in freeze | sweep) want_local=yes ;; esac
  choose_mode "$verb" "$want_local"
  refuse_what_does_not_fit "$verb" "$@"
  # What the demo prints is typed in the workshop's folder.
  if [ "$verb" = demo ] && [ "$HERE" != "$ROOT" ]; then say "cd $(printf '%q' "$ROOT")"; fi
  if [ "$MODE" = container ]; then
    LOCK="$STATE/container.lock"
    prepare_engine
    "container_$verb" "$@"
  else
    "verb_$verb" "$@"
  fi
}

main "$@"
exit
