"""Previews: statistics and a small image of each detector's latest frame, computed beside the writer.

Frames come from the workers when they are asked for, results go to the coordinator, which serves them as
areaDetector's Stats, image and ROI plugins. Whatever happens here, no frame is written later for it.
"""
