"""`tuning doctor`: what an account really answers, by calls that change and cost nothing."""
