"""What scripts/plot.py and scripts/merge_scaling.py read and draw."""
