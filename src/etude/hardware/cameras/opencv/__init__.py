"""Cameras and video files through OpenCV."""
