"""Mail that comes back, in the manner of the servers that write it; the words are ours."""
