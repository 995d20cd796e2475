"""Real-ESRGAN's second-order degradation (Eq. 17): kernels, resizing, noise, JPEG, sharpening and their chain."""
