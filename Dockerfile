# The workshop in a container: `./start.sh` builds and starts it, and docker-compose.yml runs it.
#
#   DOCKER_BUILDKIT=1 docker build --target cpu --tag ml4music-workshop:cpu .
#
# Nothing that only a build needs reaches the image: packages are installed in a stage of their own, and copied.

ARG BASE_IMAGE=debian:trixie-slim

# ---- what Debian gives: Python, an init, and what a shell needs to be comfortable ----------------
FROM ${BASE_IMAGE} AS system
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
      bash-completion less nano procps python3 tini

# ---- the packages of the locks, in /opt/venv -----------------------------------------------------
FROM system AS installer
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends binutils python3-venv
RUN python3 -m venv /opt/venv
COPY docker/slim.sh /tmp/

FROM installer AS cpu-packages
COPY requirements/cpu.txt requirements/test.txt requirements/docs.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip \
    PIP_PROGRESS_BAR=raw \
    /opt/venv/bin/pip install --no-compile --require-hashes -r /tmp/cpu.txt -r /tmp/test.txt -r /tmp/docs.txt && \
    bash /tmp/slim.sh

FROM installer AS gpu-packages
COPY requirements/gpu.txt requirements/test.txt requirements/docs.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip \
    PIP_PROGRESS_BAR=raw \
    /opt/venv/bin/pip install --no-compile --require-hashes -r /tmp/gpu.txt -r /tmp/test.txt -r /tmp/docs.txt && \
    bash /tmp/slim.sh

# ---- what both images share ----------------------------------------------------------------------
FROM system AS common
# Any user may be told to run this, so the home is everybody's, as are the places of caches in it. A user without a name
# in /etc/passwd is none to Python's getpass, hence USER. COMPILED is what librosa compiles on first use. JupyterLab's
# terminals are login shells, for which /etc/profile sets another PATH.
RUN useradd --uid 1000 --home-dir /home/student --create-home --shell /bin/bash student && \
    mkdir -p /home/student/.cache/matplotlib /home/student/.cache/numba /home/student/.config /home/student/.ipython \
      /home/student/.jupyter /home/student/.local/share && \
    printf '%s\n' "PS1='(workshop) \\w \\$ '" >>/home/student/.bashrc && \
    printf '%s\n' 'PATH="/opt/venv/bin:$PATH"' >/etc/profile.d/workshop.sh && \
    chmod -R 0777 /home/student
ENV HOME=/home/student \
    USER=student \
    SHELL=/bin/bash \
    LANG=C.UTF-8 \
    PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    VIRTUAL_ENV=/opt/venv \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/home/student/.cache/numba \
    MPLCONFIGDIR=/home/student/.cache/matplotlib \
    XDG_CACHE_HOME=/home/student/.cache \
    WORKSHOP_ROOT=/workshop \
    WORKSHOP_IN_CONTAINER=1 \
    WORKSHOP_BIND=0.0.0.0 \
    COMPILED="import librosa, numpy as np; x = np.ones(4096, 'f'); librosa.effects.trim(x); librosa.stft(x)"
WORKDIR /workshop
STOPSIGNAL SIGTERM
ENTRYPOINT ["tini", "--", "entrypoint.sh"]
HEALTHCHECK --interval=5s --timeout=10s --start-period=180s --retries=3 CMD ["python", "/usr/local/bin/healthcheck.py"]

# ---- the images ----------------------------------------------------------------------------------
FROM common AS gpu
COPY --from=gpu-packages /opt/venv /opt/venv
RUN python -c "$COMPILED" && chmod -R a+rwX "$NUMBA_CACHE_DIR"
COPY . /workshop
RUN pip install --quiet --no-deps --no-build-isolation --no-cache-dir --editable . && chmod -R a+rwX .
COPY --chmod=0755 docker/entrypoint.sh docker/healthcheck.py /usr/local/bin/
# TensorFlow finds NVIDIA's packages beside itself; programs that it starts, and kernels of JupyterLab, find them here.
RUN printf '%s\n' /opt/venv/lib/python3*/site-packages/nvidia/*/lib >/etc/ld.so.conf.d/nvidia-packages.conf && \
    ldconfig && \
    ln -s /opt/venv/lib/python3*/site-packages/nvidia/cuda_nvcc/bin/ptxas /usr/local/bin/
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility \
    TF_FORCE_GPU_ALLOW_GROWTH=true
USER 1000:1000
ARG WORKSHOP_RECIPE=none
LABEL ml4music.recipe=$WORKSHOP_RECIPE

FROM common AS cpu-system
COPY --from=cpu-packages /opt/venv /opt/venv
RUN python -c "$COMPILED" && chmod -R a+rwX "$NUMBA_CACHE_DIR"

# A class on one server: the hub, and the same image for each student. The starter tunes and the tutorial are made here,
# so that no student waits for them: a student's volume is filled with this folder.
FROM cpu-system AS class
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends node-configurable-http-proxy
COPY requirements/class.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip \
    PIP_PROGRESS_BAR=raw pip install --require-hashes -r /tmp/class.txt
COPY . /workshop
RUN pip install --quiet --no-deps --no-build-isolation --no-cache-dir --editable . && chmod -R a+rwX .
COPY --chmod=0755 docker/entrypoint.sh /usr/local/bin/
COPY docker/class/jupyter_server_config.py /etc/jupyter/
HEALTHCHECK NONE
RUN mkdir --mode=0777 /opt/starter
USER 1000:1000
RUN bash start.sh run true && python -m workshop.docs build
# Sets that are large or take a while lie here once for all students, whose volumes get a link. They are kept from build
# to build, and are made again when their makers say so.
RUN --mount=type=cache,target=/var/cache/starter,uid=1000,gid=1000 \
    for set in audio/piano audio/loops midi/chorales; do \
      python -m workshop.datasets get "${set#*/}" --data_dir /var/cache/starter && \
      cp --recursive "/var/cache/starter/$set" /opt/starter/ && \
      ln --symbolic "/opt/starter/${set#*/}" "data/$set" || exit 1; \
    done && \
    chmod --recursive a-w /opt/starter/*

# ---- what plays exported networks, without TensorFlow --------------------------------------------
FROM installer AS player-packages
COPY requirements/player.txt /tmp/
RUN --mount=type=cache,target=/root/.cache/pip \
    PIP_PROGRESS_BAR=raw /opt/venv/bin/pip install --no-compile --require-hashes -r /tmp/player.txt && \
    /opt/venv/bin/pip uninstall --quiet --yes pip && \
    /opt/venv/bin/python -m compileall -q /opt/venv/lib

# The networks that come with the workshop, and those parts of the workshop that play them.
FROM cpu-system AS player-files
COPY . /workshop
WORKDIR /player
RUN PYTHONPATH=/workshop python -m workshop.player export --pretrained --to networks && \
    mkdir workshop && cd /workshop/workshop && \
    cp -r *.py audio export host osc player run text /player/workshop/ && \
    python -m compileall -q /player/workshop && \
    mkdir -p /player/data/generated/osc /networks && chmod -R a+rwX /player/data

FROM system AS player
COPY --from=player-packages /opt/venv /opt/venv
COPY --from=player-files /networks /networks
COPY --from=player-files /player /player
ENV HOME=/tmp \
    LANG=C.UTF-8 \
    PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1
WORKDIR /player
USER 1000:1000
STOPSIGNAL SIGTERM
# What is mounted at /networks comes before what is in the image.
ENTRYPOINT ["tini", "--", "python", "-m", "workshop.player", "serve", "/networks", "/player/networks"]
CMD ["--host", "0.0.0.0"]
HEALTHCHECK --interval=5s --timeout=10s --start-period=60s --retries=3 CMD ["python", "-m", "workshop.player", "alive"]

# The last one is what a build without a target makes.
FROM cpu-system AS cpu
COPY . /workshop
RUN pip install --quiet --no-deps --no-build-isolation --no-cache-dir --editable . && chmod -R a+rwX .
COPY --chmod=0755 docker/entrypoint.sh docker/healthcheck.py /usr/local/bin/
USER 1000:1000
ARG WORKSHOP_RECIPE=none
# start.sh knows by it whether the image was made from what lies in the clone.
LABEL ml4music.recipe=$WORKSHOP_RECIPE
