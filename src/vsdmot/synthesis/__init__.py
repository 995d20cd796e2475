"""Made pictures whose ground truth is known exactly."""
