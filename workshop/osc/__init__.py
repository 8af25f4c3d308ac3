"""Open Sound Control: messages from other programs turn knobs here. It knows addresses and functions alone."""
