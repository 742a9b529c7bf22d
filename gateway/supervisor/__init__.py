"""`angarium up`: everything on one machine, kept running by one light parent process."""
