# shellcheck shell=bash disable=SC2034,SC2153
# The image: built where something of it has changed, and kept as a file.
# Its variables are those of docker/host.sh, which reads this file.

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
