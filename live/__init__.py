"""The live room: sound, words and notes go to up to three networks at once, and their answers are mixed by knobs.

    python -m live page EXPERIMENT                  in the browser: its microphone, its loudspeaker
    python -m live play EXPERIMENT EXPERIMENT       by the sound devices of this computer
    python -m live file IN.wav OUT.wav EXPERIMENT   without any device
    python -m live devices | check | bench          what there is, whether it sounds, what the computer can do

All of these are ways into one block path, `live.room.Room`. A network of any lesson takes part by its `Trained.voice`;
nothing in here knows a lesson.
"""
