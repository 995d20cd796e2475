"""The command line: one file per verb, each a settings class and one function that takes it."""
