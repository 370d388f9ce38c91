#!/bin/bash
# One task for each of twelve inputs, four at a time.
#SBATCH -J sweep -p compute
#SBATCH --array=0-11%4
#SBATCH -n 1 -c 4 --mem-per-cpu=1500M
#SBATCH --time=0:15:00
#SBATCH --dependency=afterok:prepare
#SBATCH --mail-type=END --mail-user="ann@example.com"
#HEADROOM runTime=9m user=ann

srun ./simulate --case "$SLURM_ARRAY_TASK_ID"
