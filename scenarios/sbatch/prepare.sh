#!/bin/bash
#SBATCH --job-name=prepare
#SBATCH --partition=compute --ntasks=1 --cpus-per-task=2   # several options a line
#SBATCH --mem=4G
#SBATCH -t 20
#SBATCH --output=prepare-%j.log
#HEADROOM runTime=6m user=ann

./fetch-input
