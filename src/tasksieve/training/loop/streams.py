"""The streams of a run's seed: one number for each purpose, so that no two draw alike."""

MODEL_STREAM = 0
WEIGHT_MODULE_STREAM = 1
PRIMARY_STREAM = 2
POOLED_STREAM = 3
META_PRIMARY_STREAM = 4
WEIGHTS_STREAM = 5
LABELS_STREAM = 6
LAYERS_STREAM = 7
META_JOINT_STREAM = 8
SCREENING_STREAM = 9
SNAPSHOT_STREAM = 10
LOOK_STREAM = 11
RELATED_STREAM = 100
META_RELATED_STREAM = 101
DISTILL_STREAM = 102
"""The last three are those of the first related task; each further one adds a hundred."""
