"""What is asked of the bots that run: the doctor, trials, and a link to the page."""
