"""Distillation: what the student learns from a teacher (Sec. III-B)."""
