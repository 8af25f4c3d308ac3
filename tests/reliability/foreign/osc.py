"""What other programs send to the OSC server, and ONNX files of loops."""

from pathlib import Path
from typing import Any

import numpy as np
from fuzz import Reader

from foreign.mutations import files
from workshop.errors import UserError

LATENTS = 4


class _Silence:
    """Makes loops of silence, in place of a network."""

    latent_size, rate, samples, bpm, beats = LATENTS, 1000, 64, 120.0, 1

    def sounds(self, latents: np.ndarray) -> np.ndarray:
        return np.zeros((len(latents), self.samples), np.float32)

    def row(self, latents: np.ndarray) -> np.ndarray:
        return self.sounds(latents).reshape(-1)


def osc(scratch: Path) -> Reader:
    """Packets with the workshop's own addresses and TechnoGAN's commands."""
    from pythonosc.osc_message import OscMessage
    from pythonosc.osc_message_builder import build_msg

    from workshop.osc import serving
    from workshop.osc.kept import Kept
    from workshop.osc.places import Places

    kept = Kept([], Places(scratch, str(scratch)), scratch / "case" / "osc")
    told: list[str] = []

    def deliver(datagram: bytes) -> None:
        told.append(OscMessage(datagram).address)

    server: Any = serving.serve([serving.Served(_Silence(), "loops")], kept, deliver, "127.0.0.1", 0)
    point = [0.5] * LATENTS
    messages = [
        build_msg(address, arguments).dgram
        for address, arguments in (
            ("/cc/generate_single_wav_id", [1, *point]), ("/gg/generate_fade", [1, 2, *point, *point]),
            ("/cc/set_target_dir", ["x"]), ("/gan/walk", [1, 2, 0.5, 3, *point]), ("/cc//\u00ecsAlive", []),
            ("/gan/rate", [8000]), ("/help", []),
        )
    ]  # fmt: skip
    bundle = b"#bundle\0" + bytes(7) + b"\1" + len(messages[0]).to_bytes(4, "big") + messages[0]

    def read(case: bytes, folder: Path) -> None:
        told.clear()
        answers = server.answers(case)
        if any(address == "/error" or address.endswith("/msg") for address, _ in answers):
            raise UserError("it is answered by a sentence")

    return Reader(files([*messages, bundle]), read)


def onnx_loops(scratch: Path) -> Reader:
    """ONNX files that say nothing of themselves."""
    from onnx import TensorProto, helper, numpy_helper

    from workshop.osc.onnx_loops import opened

    weights = np.linspace(-1, 1, LATENTS * 128, dtype=np.float32).reshape(LATENTS, 128)
    constants = {"weights": weights, "shape": np.array([1, 8, 16, 1], np.int64)}
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["flat"]),
            helper.make_node("Reshape", ["flat", "shape"], ["picture"]),
        ],
        "generator",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, LATENTS])],
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 8, 16, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    def read(case: bytes, folder: Path) -> None:
        path = folder / "net.onnx"
        path.write_bytes(case)
        loops = opened(path).row(np.ones((2, LATENTS), np.float32))
        assert np.isfinite(loops).all()

    read(model.SerializeToString(), scratch)  # which compiles what finds the phase
    return Reader(files([model.SerializeToString()]), read)
