"""What all pages draw with: notices, tables, charts, dialogs, words, and escaping."""
