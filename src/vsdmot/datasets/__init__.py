"""The paper's data sets, built from the originals: which sequences, which of them degraded, and lists beside them."""
