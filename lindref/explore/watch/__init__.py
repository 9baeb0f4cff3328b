"""What a turn touches: a system that notes which parts of its state one turn reads and changes. Rule EXP-6."""
