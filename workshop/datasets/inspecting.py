"""Look at data of any kind before training on it."""

from pathlib import Path

from workshop.visible import visible


def inspect(path: Path, kind: str, encoding: str | None = None) -> tuple[str, bool]:
    """What a person should know of the data at `path`, in lines of which the last is the verdict, and whether it will
    train.

    Args:
        path: a folder, or one file.
        kind: of the data, a name in `workshop.folders.KINDS`.
        encoding: of texts; None to find it out for each.

    Raises:
        UserError: there is no such path, or nothing of this kind in it.
    """
    if kind == "MIDI":
        from workshop.datasets import midi_inspection

        midi = midi_inspection.inspect_midi(path)
        return visible(midi_inspection.report(midi)), midi.will_train
    if kind == "audio":
        from workshop.datasets import audio_inspection

        audio = audio_inspection.inspect_audio(path)
        return visible(audio_inspection.report(audio)), audio.will_train
    from workshop.datasets import text_inspection

    text = text_inspection.inspect_text(path, encoding)
    return visible(text_inspection.report(text)), text.will_train
