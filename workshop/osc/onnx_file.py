"""A network in an ONNX file that makes something of latent values. It needs onnxruntime, and no workshop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workshop.errors import UserError
from workshop.files import explain

#: Bytes of the largest file.
MOST_BYTES = 1 << 30
#: Latent values, which have to go into a message twice.
MOST_LATENTS = 4096


class OnnxFile:
    """A network that takes latent values [1, Z], or several at once.

    Args:
        path: the file.

    Attributes:
        path: the file.
        latent_size: Z.
        metadata: the texts that it says of itself, by name.

    Raises:
        UserError: it cannot be read, is no such network, or onnxruntime is not installed.
    """

    def __init__(self, path: Path):
        self.path = path
        self._session = _opened(path)
        (input_,) = self._session.get_inputs()
        self._name, self.latent_size = input_.name, int(input_.shape[-1])
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, latents: np.ndarray) -> np.ndarray:
        """What the network makes of latents [B, Z].

        Raises:
            UserError: it fails.
        """
        try:
            return np.asarray(self._session.run(None, {self._name: latents.astype(np.float32)})[0])
        except Exception as error:  # onnxruntime has many of its own
            raise UserError(f"{self.path} is damaged: it does not run ({str(error)[:200]})") from error


def _opened(path: Path) -> Any:
    """The session of a network of one input [1, Z].

    Raises:
        UserError: it cannot be read, is no such network, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            f"{path} needs the package onnxruntime, which is not installed: pip install -r requirements/export.txt"
        ) from error
    try:
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"{path} cannot be read: {explain(error, path)}") from error
    if size > MOST_BYTES or not path.is_file():
        raise UserError(f"{path} is no ONNX file of a generator: it is larger than {MOST_BYTES >> 20} MB, or no file")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is said here
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # the cores are for the sound now
    try:
        # The content and not the path, so that no other file that it names is read.
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has many of its own
        raise UserError(f"{path} is damaged, or no ONNX file: {str(error)[:200]}") from error
    inputs = session.get_inputs()
    shape = list(inputs[0].shape) if len(inputs) == 1 and inputs[0].type == "tensor(float)" else []
    if len(shape) != 2 or not isinstance(shape[1], int) or not 1 <= shape[1] <= MOST_LATENTS:
        raise UserError(f"{path} takes {[(one.name, one.shape) for one in inputs]} and not latent values [1, 64]")
    return session
