"""Builds in rounds: a time budget, the state that goes from one to the next, and what each ran."""
