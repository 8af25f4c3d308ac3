#!/usr/bin/env bash
# What the container does: it makes the starter tunes if they are missing, and runs a TensorBoard for each lesson,
# JupyterLab, the tutorial and the play page, each restarted when it ends. Their output goes to
# .workshop/NAME.log. The live room has its port and runs when somebody names networks for it.
#
# With arguments it runs those instead: docker run --rm ml4music-workshop:cpu python char_rnn/train.py --smoke
set -uo pipefail

PREPARING="$HOME/.preparing"     # exists while the starter tunes are made; healthcheck.py checks for it
SECONDS_TO_SAVE=25               # a little less than the grace period of docker-compose.yml

say() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }

# Run a server and restart it when it ends. One that ends at once is restarted after longer and longer pauses.
keep() { # name
  local log=".workshop/$1.log" pause=1 begun status
  : >"$log"
  while :; do
    begun=$SECONDS
    status=0
    python -m workshop.services serve "$1" >>"$log" 2>&1 || status=$?
    if [ $((SECONDS - begun)) -ge 60 ]; then pause=1; fi
    say "The server '$1' ended (exit status $status); it is started again in $pause s. '$log' says more."
    sleep "$pause"
    pause=$((pause < 30 ? pause * 2 : 60))
  done
}

# start.sh holds a lock while they are made, and remembers that they are made.
prepare() {
  bash start.sh run true
  rm -f "$PREPARING"
}

# Trainings were started by `docker exec`, so Docker's signal reaches only this script.
end() {
  trap '' TERM INT
  say "Stopping: the servers end, and trainings save what they have learnt."
  kill -TERM -1
  local deadline=$((SECONDS + SECONDS_TO_SAVE))
  while pgrep --euid "$(id -u)" '^python' >/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
  exit 0
}

# A student's trainings run in JupyterLab's terminals, which hang up when it ends, and a second signal ends a training at
# once. So they are asked first, and nothing else has anything to save.
end_student() {
  trap '' TERM INT
  say "Stopping: trainings save what they have learnt."
  timeout "$SECONDS_TO_SAVE" python -m workshop.trainings stop
  exit 0
}

# A student's server in a class, which the hub starts.
serve_student() { # arguments of the server
  cd /workshop || exit 1
  trap end_student TERM INT
  jupyterhub-singleuser "$@" &
  wait $!
}

if [ "${1:-}" = student ]; then
  shift
  serve_student "$@"
  exit
fi
if [ $# -gt 0 ]; then exec "$@"; fi

cd /workshop || exit 1
if ! mkdir -p .workshop || [ ! -w .workshop ]; then
  say "User $(id -u) cannot write in the workshop's folder: start the container as the owner of that folder."
  exit 1
fi
trap end TERM INT
touch "$PREPARING"
prepare &
while read -r server _; do [ "$server" = live ] || keep "$server" & done <docker/servers.txt
wait
