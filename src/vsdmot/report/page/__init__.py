"""The report: one HTML page with the runs' video, their tracks and where they fail, which needs no network."""
