"""A trained network as files that need neither the workshop nor Keras: one step as an ONNX graph, and its meaning."""
