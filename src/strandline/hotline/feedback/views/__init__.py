"""Pages of the room on the console: reviews, alarms, innocent pictures, holders, members' terms."""
