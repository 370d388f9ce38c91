#!/bin/bash
#SBATCH --job-name=solve
#SBATCH --nodes=3 --ntasks-per-node=8
#SBATCH --exclusive
#SBATCH --time=1:00:00
#SBATCH --nice=100 --no-requeue
#HEADROOM runTime=40m submit=5m user=bob

# What stands below the first command is a comment, to sbatch as well.
srun ./solver
