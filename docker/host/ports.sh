# shellcheck shell=bash disable=SC2034,SC2153
# The ports of the container's servers on this computer.
# Its variables are those of docker/host.sh, which reads this file.

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
