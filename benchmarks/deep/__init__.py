"""Networks of deep hashing beside the same networks in Python."""
