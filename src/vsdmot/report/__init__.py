"""What people look at: overlays on video, figures and the report."""
