"""What a class has made, side by side: its leaderboard, its concert, and listening blind. It reads run.json files and
the files that networks have made, and trains nothing.
"""
