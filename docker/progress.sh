# shellcheck shell=bash
# One line of progress for a long command: what it does, how much of how much, and the time so far. The output of the
# command goes to a log. start.sh reads this file.
#
# In a terminal the line is updated in place. Elsewhere, as in a log, it is printed after 30 seconds, 1 minute, 2, 4 and
# so on: few lines, and still a sign of life on a slow network.

PROGRESS_BEGUN=0                  # by bash's clock, in seconds
PROGRESS_NEXT=30                  # when the next line is due without a terminal
PROGRESS_GROUP=""                 # process group of the command that runs

clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }    # seconds

begin_progress() { # what
  PROGRESS_BEGUN=$SECONDS
  PROGRESS_NEXT=30
  if [ -t 2 ]; then printf '%-78s' "$1 ..." >&2; else say "$1 ..."; fi
}

report_progress() { # how far
  local seconds=$((SECONDS - PROGRESS_BEGUN))
  if [ -t 2 ]; then
    printf '\r%-78s' "$1, $(clock "$seconds")" >&2
  elif [ "$seconds" -ge "$PROGRESS_NEXT" ]; then
    say "$1, $(clock "$seconds")"
    PROGRESS_NEXT=$((PROGRESS_NEXT * 2))
  fi
}

end_progress() { # what, how it ended
  local line
  line="$1: $2 ($(clock $((SECONDS - PROGRESS_BEGUN))))"
  if [ -t 2 ]; then printf '\r%-78s\n' "$line" >&2; elif [ "$2" != "done" ]; then say "$line"; fi
}

# Run a command, its output appended to a log, and return its exit status. The measure is a function that prints how far
# the command is, or nothing.
with_progress() { # what, measure, log, command
  local what="$1" measure="$2" log="$3" tenths=0 far status=0
  shift 3
  begin_progress "$what"
  # In a separate process group it can be ended with all its children; see end_command.
  set -m
  "$@" >>"$log" 2>&1 </dev/null &
  PROGRESS_GROUP=$!
  set +m
  while kill -0 "$PROGRESS_GROUP" 2>/dev/null; do
    sleep 0.1
    tenths=$((tenths + 1))
    if [ $((tenths % 10)) -eq 0 ]; then
      far="$("$measure")"
      report_progress "$what${far:+: $far}"
    fi
  done
  wait "$PROGRESS_GROUP" || status=$?
  PROGRESS_GROUP=""
  if [ "$status" -eq 0 ]; then end_progress "$what" "done"; else end_progress "$what" "failed"; fi
  return "$status"
}

# For traps: Ctrl-C reaches start.sh alone, not the command that it runs.
end_command() {
  [ -n "$PROGRESS_GROUP" ] || return 0
  kill -TERM -- "-$PROGRESS_GROUP" 2>/dev/null || true
  if [ -t 2 ]; then say ""; fi    # its line has no end yet
}

# Thin out the output of a training without a terminal: its first, 4th, 16th ... line of progress, and the last
# measurements with the beginnings of the previews, without the table of layers. It ends with the training, not by the signal on which a training saves.
thin_out() {
  local line steps=0 due=1 preview=0 last=""
  trap '' INT TERM HUP
  # Not awk: some read a pipe in large blocks, and nothing would be seen for minutes.
  while IFS= read -r line || [ -n "$line" ]; do
    case "$line" in
      "step "*)
        steps=$((steps + 1))
        [ "$steps" -eq "$due" ] || continue
        due=$((due * 4)) ;;
      "held-out data: "*) last="$line" preview=0; continue ;;
      "    | "*)
        preview=$((preview + 1))
        if [ "$preview" -le 3 ]; then last="$last${last:+$'\n'}$line"; fi
        continue ;;
      "  "*"[T, B"*) continue ;;    # a row of the table of layers
      *)
        if [ -n "$last" ]; then say "$last"; fi
        last="" ;;
    esac
    say "$line"
  done
  if [ -n "$last" ]; then say "$last"; fi
}

# ---- how far a command is ------------------------------------------------------------------------

no_measure() { :; }

# Print a count like "37 of 104", or nothing if the total is unknown.
count_of() { # count, total
  if [ "$2" -gt 0 ]; then echo "$(($1 < $2 ? $1 : $2)) of $2"; fi
}

count_lines() { grep -c -E "$1" "$2" 2>/dev/null || true; }    # pattern, file

# What pip has done of a lock (PIP_LOCK), by its words in the log; its downloads lie in PIP_FOLDER until the end.
pip_progress() {
  local total fetched kilobytes installed
  [ -n "$PIP_LOCK" ] || return 0
  total="$(count_lines '^[A-Za-z0-9].*==' "$PIP_LOCK")"
  total=$((total - $(count_lines '^(Ignoring|Requirement already satisfied)' "$LOG")))
  if grep -q '^Installing collected packages' "$LOG"; then
    installed="$(find "$VENV"/lib/python3*/site-packages -maxdepth 1 -name '*.dist-info' -newer "$PIP_FOLDER/begun" |
      wc -l)"
    echo "$(count_of "$installed" "$total") installed"
  else
    fetched="$(count_lines '^(Collecting|Processing) ' "$LOG")"
    kilobytes="$(du -sk "$PIP_FOLDER" 2>/dev/null | awk '{ print $1 }')"
    echo "$(count_of "$fetched" "$total") fetched ($((${kilobytes:-0} / 1000)) MB)"
  fi
}

# How many steps BuildKit counts in the Dockerfile for an image: commands, and the base.
steps_of_build() { # kind
  awk -v other="$([ "$1" = gpu ] && echo cpu || echo gpu)" '
    toupper($1) == "FROM" { skipped = $NF == other || $NF == other "-packages"; if ($2 ~ /[{$]/) count++ }
    /^(RUN|COPY|ADD|WORKDIR) / && !skipped { count++ }
    END { print count }' "$ROOT/Dockerfile"
}

# How many packages pip counts for the image. A package of several locks is one.
packages_of_build() { # kind
  cat "$ROOT/requirements/$1.txt" "$ROOT/requirements/test.txt" "$ROOT/requirements/docs.txt" |
    grep -E '^[A-Za-z0-9].*==' | sort -u | wc -l
}

# How far the build is, by BuildKit's words (or buildah's) and pip's in the engine's log.
build_progress() {
  local kind="${IMAGE##*:}"
  awk -v steps="$(steps_of_build "$kind")" -v packages="$(packages_of_build "$kind")" '
    match($0, /^#[0-9]+ \[[^]]* [0-9]+\/[0-9]+\]/) {
      name = substr($0, RSTART, RLENGTH); sub(/^#[0-9]+ /, "", name)
      if (!(name in seen)) { seen[name] = 1; step++ }
    }
    { sub(/^#[0-9]+ [0-9.]+ +/, "") }
    /^Ignoring / && !($0 in ignored) { ignored[$0] = 1; packages-- }
    /^(Collecting|Processing) / { fetched++; bytes = "" }
    /^Progress [0-9]+ of [0-9]+/ { bytes = sprintf("%d of %d MB", $2 / 1e6, $4 / 1e6); large = $4 >= 1e7 }
    /^Installing collected packages/ { unpacking = 1 }
    /^Successfully installed/ { installed = 1 }
    /exporting (to image|layers)|^COMMIT / { exporting = 1 }
    END {
      if (step > steps) step = steps
      if (fetched > packages) fetched = packages
      far = step ? "step " step " of " steps : ""
      if (exporting) far = far ", writing the image"
      else if (installed) far = far ", compiling the packages"
      else if (unpacking) far = far ", unpacking " packages " packages"
      else if (fetched) far = far ", package " fetched " of " packages (bytes && large ? " (" bytes ")" : "")
      sub(/^, /, "", far)
      print far
    }' "$ENGINE_LOG" 2>/dev/null
}
