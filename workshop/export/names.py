"""What the files of an exported network are called, for those who write them and those who read them without
TensorFlow.
"""

#: The network in ONNX; what it is; what lets it generate; and a page for people. The player is play.py of this folder.
MODEL, ABOUT, PLAYER, README = "model.onnx", "model.json", "play.py", "README.txt"
#: The page that runs it in a browser, what that knows of the network, and its weights, see `web_page.py`.
PAGE, PAGE_ABOUT, WEIGHTS = "index.html", "network.json", "network.bin"
