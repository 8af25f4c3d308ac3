"""How large the settings of the live room can be, on the command line and in the file that keeps them."""

#: Samples of the largest block, and most blocks between hearing and answering.
MAX_BLOCK, MAX_PREBUFFER = 1 << 16, 1000
