#!/usr/bin/env bash
# Remove from /opt/venv what is not needed at run time, then compile the rest: users cannot write there.
set -euo pipefail
PACKAGES="$(echo /opt/venv/lib/python3*/site-packages)"

# C++ headers, for writing custom operations: 290 MB.
rm -rf "$PACKAGES/tensorflow/include"
# A C++ parser that TensorFlow names among its requirements and never loads: 60 MB.
rm -rf "$PACKAGES/clang/native"
# Debug symbols: 210 MB.
strip --strip-unneeded "$PACKAGES"/tensorflow/libtensorflow_*.so.2
# The same in PyAV's modules, numba's compiler and librosa's mathematics: 55 MB.
find "$PACKAGES/av" "$PACKAGES/llvmlite" "$PACKAGES/scipy" "$PACKAGES/sklearn" -name '*.so' -exec strip --strip-unneeded {} +
# Of music21's corpus, which is here for its tunes, the two largest collections of vocal scores: 45 MB.
rm -rf "$PACKAGES/music21/corpus/trecento" "$PACKAGES/music21/corpus/palestrina"
# The libraries' own tests. numpy.testing, which others import, needs numpy's.
find "$PACKAGES" -path "$PACKAGES/numpy" -prune -o -type d -name tests -print0 | xargs -0 rm -rf

"${PACKAGES%/lib/*}/bin/python" -m compileall -q -j 0 "$PACKAGES"
