"""The two sides of scripts/compare_pytorch.py."""
