"""Texts, tunes, MIDI files and sounds, from the file to what a network would be given."""

from pathlib import Path
from typing import Any

import numpy as np
from fuzz import Reader
from hypothesis import strategies as st
from melodies import melody

from foreign.mutations import files
from workshop import ROOT
from workshop.notes import midifiles


def text(scratch: Path) -> Reader:
    """A folder of texts in whatever encoding."""
    from char_rnn import dataset
    from workshop.text.textfiles import text_or_file

    songs = sorted((ROOT / "data" / "lyrics" / "starter").glob("*.txt"))
    song = songs[0].read_text("utf-8")[:3000]
    french = song.replace("e", "é").replace("a", "à")
    encodings = ("utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-32")
    contents = [
        song.encode(),
        b"",
        *(french.encode(name, "replace") for name in encodings),
        "日本の歌\n".encode("shift_jis") * 99,
    ]
    given = st.sampled_from([None, None, None, "utf-8", "cp1252", "utf-7", "utf-16", "shift_jis", "hz", "mbcs", "zlib"])
    cases = st.tuples(st.lists(files(contents), min_size=1, max_size=2), given | st.text(max_size=12))

    def read(case: tuple[list[bytes], str | None], folder: Path) -> None:
        contents, encoding = case
        for number, content in enumerate(contents):
            (folder / f"{number}.txt").write_bytes(content)
        found = dataset.load(folder, 0.1, encoding)
        dataset.describe(found, folder)
        assert len(found.train) + len(found.held_out) == sum(found.facts.symbols)
        text_or_file(str(folder / "0.txt"))

    return Reader(cases, read)


def abc(scratch: Path) -> Reader:
    """A text that should hold tunes in ABC notation, played as far as possible."""
    from workshop.datasets.abc_to_midi import _write, playable, summary, tunes_in
    from workshop.notes.abc_fields import AbcError
    from workshop.notes.abc_notation import read_tune

    tunes = (ROOT / "data" / "lyrics" / "tunes" / "input.txt").read_text("utf-8")
    signs = "X:1\n|: A2 B>c (3def [ceg]2 z/ ^f' _B, :|[1 d- d :|[2 K:Dmix\nL:1/8\nM:6/8\n%\"V:"
    hand_made = "X:1\nT:a\nM:9/8\nL:1/16\nK:F#\n" + signs
    contents = [tunes[:1500].encode(), tunes[50_000:51_000].encode(), hand_made.encode()]
    cases = st.one_of(
        files(contents).map(lambda content: content.decode("utf-8", "replace")),
        st.text(alphabet=signs, max_size=300).map(lambda body: f"X:1\nK:C\n{body}"),
    )

    def read(case: str, folder: Path) -> None:
        found, _ = tunes_in(case)
        for _, tune in found[:4]:
            melody, remarks = playable(tune)
            summary(remarks)
            if melody.notes:
                _write(folder / "tune", tune, melody, 120, 0, wav=False)
                midifiles.read(folder / "tune.mid")
            try:
                read_tune(tune)
            except AbcError:
                continue

    return Reader(cases, read)


def midi(scratch: Path) -> Reader:
    """A MIDI file, as what both encodings make of it."""
    from midi_rnn import dataset
    from midi_rnn.encoding import ENCODINGS
    from midi_rnn.facts import describe
    from workshop.notes import midilibrary

    midilibrary._read_apart = lambda found, timeout: map(midilibrary._reason, found)  # type: ignore[assignment]
    made = scratch / "made.mid"
    midifiles.write(made, melody(1), tempo=100, name="Tune", meter=(6, 8))
    tunes = sorted((ROOT / "data" / "midi" / "tunes").glob("*.mid"))[:2]
    contents = [made.read_bytes(), *(tune.read_bytes() for tune in tunes), _file(_FIRST, _SECOND)]
    tracks = st.sampled_from([None, None, "1", "2", "²", "tune", ""])
    rewritten = files([_FIRST, _SECOND]).map(lambda track: _file(track, _SECOND))
    cases = st.tuples(files(contents) | rewritten, st.sampled_from(sorted(ENCODINGS)), tracks)

    def read(case: tuple[bytes, str, str | None], folder: Path) -> None:
        content, encoding, track = case
        file = folder / "tune.mid"
        file.write_bytes(content)
        midifiles.read(file)
        midilibrary.CACHE = folder / "cache"
        music = dataset.load(file, 0.1, encoding, track, transpose=2, stretch=0.1)
        describe(music, file)
        dataset.read_prime(file, ENCODINGS[encoding], track)

    return Reader(cases, read)


#: Two tracks with running status, a tempo, drums, a name, pedals, and a note that never ends.
_FIRST = bytes.fromhex("00ff510307a120 00ff0305 48656c6c6f 00c018 00903c40 4840 603c00 00b00740 603e40 00ff2f00")
_SECOND = bytes.fromhex("00992440 60992400 00f0037e7ff7 00914070 8160814000 00ff2f00")


def _file(*tracks: bytes) -> bytes:
    """A MIDI file whose tracks have the lengths that it says, whatever is in them."""
    chunks = b"".join(b"MTrk" + len(track).to_bytes(4, "big") + track for track in tracks)
    return b"MThd" + bytes.fromhex("00000006 0001") + len(tracks).to_bytes(2, "big") + b"\0\x60" + chunks


def audio(scratch: Path) -> Reader:
    """A sound file, as samples and as what the network is given."""
    import soundfile

    seconds = np.arange(1500) / 8000
    sound = np.stack([np.sin(440 * 2 * np.pi * seconds), np.sin(660 * 2 * np.pi * seconds)], axis=1) / 2
    kinds = [
        ("wav", "PCM_16"), ("wav", "PCM_U8"), ("wav", "PCM_24"), ("wav", "FLOAT"), ("wav", "DOUBLE"), ("wav", "ULAW"),
        ("wav", "IMA_ADPCM"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("ogg", "OPUS"), ("mp3", "MPEG_LAYER_III"),
        ("aiff", "PCM_16"), ("au", "PCM_16"), ("caf", "ALAC_16"), ("w64", "PCM_16"), ("rf64", "PCM_16"),
    ]  # fmt: skip
    contents = []
    for ending, subtype in kinds:
        file = scratch / f"sound.{ending}"
        soundfile.write(file, sound[:, : 1 if ending == "flac" else 2], 8000, subtype, format=ending.upper())
        contents.append(file.read_bytes())
    return _sounds(contents)


def recordings(scratch: Path) -> Reader:
    """What a phone has recorded, or a file of several recordings, as samples and as what the network is given."""
    import av
    import soundfile
    from encoders import encoded, ogg_flac

    av.logging.set_level(None)  # what it would say of each damaged packet is not of interest
    sound = np.sin(440 * 2 * np.pi * np.arange(6000) / 48000)[None] / 2
    kinds = [
        ("m4a", "aac", 48000, False), ("aac", "aac", 48000, False), ("mp4", "aac", 48000, True),
        ("m4a", "alac", 48000, False), ("mov", "aac", 48000, True), ("webm", "libopus", 48000, False),
        ("mkv", "libopus", 48000, True), ("3gp", "libopencore_amrnb", 8000, False),
        ("amr", "libopencore_amrnb", 8000, False), ("avi", "libmp3lame", 48000, True), ("wv", "wavpack", 48000, False),
    ]  # fmt: skip
    contents = [
        encoded(scratch / f"sound.{ending}", sound, rate, codec, None, video).read_bytes()
        for ending, codec, rate, video in kinds
    ]
    for ending, subtype in (("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")):
        soundfile.write(scratch / f"sound.{ending}", sound[0], 48000, subtype)
        contents.append((scratch / f"sound.{ending}").read_bytes() * 2)
    contents += [bytes(1000) + contents[-1], contents[-2] + ogg_flac(sound[0], 48000)]
    return _sounds(contents)


def _sounds(contents: list[bytes]) -> Reader:
    """Sound files with changes, under names that may be wrong."""
    from wavenet import dataset
    from workshop.audio import audiofiles, library

    # What librosa compiles on first use is kept beside it: before anybody watches what is written.
    library.loud_part(np.ones(4096, np.float32), -40)
    cases = st.tuples(files(contents), st.sampled_from(["wav", "wav", "mp3", "raw"]), st.sampled_from([0.0, -40.0]))

    def read(case: tuple[bytes, str, float], folder: Path) -> None:
        content, suffix, threshold = case
        file = folder / f"sound.{suffix}"
        file.write_bytes(content)
        samples: Any = audiofiles.read(file, 16000)
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        library.CACHE = folder / "cache"
        sounds = dataset.load(file, 16000, 0.1, threshold)
        dataset.describe(sounds, file)

    return Reader(cases, read)
