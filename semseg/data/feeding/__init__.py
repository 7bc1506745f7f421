"""From a data set into a training: one stream of batches, for every loader."""
