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

# ---- its parts -----------------------------------------------------------------------------------

# shellcheck source=docker/host/engine.sh
. "$ROOT/docker/host/engine.sh"
# shellcheck source=docker/host/ports.sh
. "$ROOT/docker/host/ports.sh"
# shellcheck source=docker/host/image.sh
. "$ROOT/docker/host/image.sh"
# shellcheck source=docker/host/container.sh
. "$ROOT/docker/host/container.sh"
# shellcheck source=docker/host/inside.sh
. "$ROOT/docker/host/inside.sh"
# shellcheck source=docker/host/verbs.sh
. "$ROOT/docker/host/verbs.sh"
