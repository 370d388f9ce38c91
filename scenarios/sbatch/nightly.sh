#!/bin/bash
#SBATCH -N 1 -n 2
#SBATCH --time=30
#SBATCH --begin=now+1hour
#HEADROOM runTime=12m user=eve count=3 every=2h

./report
