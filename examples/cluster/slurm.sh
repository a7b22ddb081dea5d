#!/bin/bash
#SBATCH --job-name=tasksieve
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=tasksieve-%A-%a.log

# A comparison in eight slices that share one folder: sbatch examples/cluster/slurm.sh
# A task that was requeued goes on where it was. To give one again, take its number and leave SLICES as it is:
# sbatch --array=3 examples/cluster/slurm.sh. The slice that finds all runs done writes the table.
# SHARED is a folder that all nodes see, with the dialogs; tasksieve is installed in SHARED/venv.

set -euo pipefail

SHARED=${SHARED:-$HOME/tasksieve}
SLICES=8 # the largest number of --array above
export OMP_NUM_THREADS=1
source "$SHARED/venv/bin/activate"

exec tasksieve compare \
  --primary "$SHARED/mine/train.jsonl" --valid "$SHARED/mine/valid.jsonl" --test "$SHARED/mine/test.jsonl" \
  --related "$SHARED/archive" --seeds 5 --out "$SHARED/comparison" \
  --workers "${SLURM_CPUS_PER_TASK:-1}" --slice "$SLURM_ARRAY_TASK_ID/$SLICES"
