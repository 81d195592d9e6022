"""Files on disk: written whole, locked, remembered in, and read with the line that is at fault."""
