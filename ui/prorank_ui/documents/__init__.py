"""The parts of the page Add documents."""
