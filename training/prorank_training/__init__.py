"""Two-stage ProRank training: a prompt warm-up by reinforcement learning, then fine-grained score learning."""
