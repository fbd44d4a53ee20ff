"""Wheels as zip files: their structure read without trust, written the same everywhere."""
