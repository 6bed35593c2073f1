"""What is done by who speaks: recordings left out, and features standardised."""
