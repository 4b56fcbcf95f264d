"""The review panel: findings, verdicts, threshold, heatmap, segments, corrections."""
