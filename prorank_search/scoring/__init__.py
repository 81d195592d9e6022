"""The inference engine: prefix-shared forward passes, the scheduler that fills them, and the golden pair."""
