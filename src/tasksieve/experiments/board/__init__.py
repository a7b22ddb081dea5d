"""The board: methods on many primary tasks, with few dialogs, borrowing from archives that are sound or spoiled."""
