"""What a campaign has found, as one page, and for other programs."""
