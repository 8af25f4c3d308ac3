"""One training run, from its first step to its folder. It knows a model by its learner and data by batches."""
